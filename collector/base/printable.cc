// SPDX-License-Identifier: Apache-2.0
#include "collector/base/printable.h"

#include <fmt/format.h>

#include <iterator>

namespace lunscope {

std::string Printable(std::string_view wire) {
  std::string text;
  for (char c : wire.substr(0, kMaxNameBytes)) {
    if (c >= 0x20 && c < 0x7f && c != '\\') {
      text.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(text), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (wire.size() > kMaxNameBytes) text += "...";
  return text;
}

std::string PrintableTrimmed(std::string_view wire) {
  constexpr std::string_view kPadding(" \0", 2);
  const size_t first = wire.find_first_not_of(kPadding);
  if (first == std::string_view::npos) return {};
  const size_t last = wire.find_last_not_of(kPadding);
  return Printable(wire.substr(first, last - first + 1));
}

}  // namespace lunscope
