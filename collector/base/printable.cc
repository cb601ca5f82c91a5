// SPDX-License-Identifier: Apache-2.0
#include "collector/base/printable.h"

#include <fmt/format.h>

#include <iterator>

namespace lunscope {

namespace {

void AppendEscaped(char c, std::string& text) {
  fmt::format_to(std::back_inserter(text), "\\x{:02x}", static_cast<unsigned char>(c));
}

bool IsPrintable(char c) { return c >= 0x20 && c < 0x7f; }

}  // namespace

std::string Printable(std::string_view wire) {
  std::string text;
  AssignPrintable(wire, text);
  return text;
}

void AssignPrintable(std::string_view wire, std::string& text) {
  text.clear();
  for (char c : wire.substr(0, kMaxNameBytes)) {
    if (IsPrintable(c) && c != '\\') {
      text.push_back(c);
    } else {
      AppendEscaped(c, text);
    }
  }
  if (wire.size() > kMaxNameBytes) text += "...";
}

std::string PrintableLines(std::string_view text) {
  std::string printable;
  printable.reserve(text.size());
  for (char c : text) {
    if (IsPrintable(c) || c == '\n') {
      printable.push_back(c);
    } else {
      AppendEscaped(c, printable);
    }
  }
  return printable;
}

std::string_view Trimmed(std::string_view wire) {
  constexpr std::string_view kPadding(" \0", 2);
  const size_t first = wire.find_first_not_of(kPadding);
  if (first == std::string_view::npos) return {};
  return wire.substr(first, wire.find_last_not_of(kPadding) - first + 1);
}

std::string PrintableTrimmed(std::string_view wire) { return Printable(Trimmed(wire)); }

}  // namespace lunscope
