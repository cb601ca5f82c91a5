// SPDX-License-Identifier: Apache-2.0
#include "collector/base/printable.h"

#include <fmt/format.h>

#include <iterator>

namespace lunscope {

std::string Printable(std::string_view wire) {
  std::string text;
  AssignPrintable(wire, text);
  return text;
}

void AssignPrintable(std::string_view wire, std::string& text) {
  text.clear();
  for (char c : wire.substr(0, kMaxNameBytes)) {
    if (c >= 0x20 && c < 0x7f && c != '\\') {
      text.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(text), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (wire.size() > kMaxNameBytes) text += "...";
}

std::string_view Trimmed(std::string_view wire) {
  constexpr std::string_view kPadding(" \0", 2);
  const size_t first = wire.find_first_not_of(kPadding);
  if (first == std::string_view::npos) return {};
  return wire.substr(first, wire.find_last_not_of(kPadding) - first + 1);
}

std::string PrintableTrimmed(std::string_view wire) { return Printable(Trimmed(wire)); }

}  // namespace lunscope
