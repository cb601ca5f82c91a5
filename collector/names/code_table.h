// SPDX-License-Identifier: Apache-2.0
//
// Tables of codes and their names, and labels made of these names.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

namespace lunscope {

struct CodeEntry {
  uint16_t code;
  std::string_view name;
};

// The name of a code; "" for a code that has none.
template <size_t N>
std::string_view NameIn(const CodeEntry (&table)[N], uint32_t code) {
  const auto* entry = std::find_if(std::begin(table), std::end(table),
                                   [&](const CodeEntry& each) { return each.code == code; });
  return entry != std::end(table) ? entry->name : std::string_view();
}

// "Check Condition" -> "check_condition", "Can't" -> "cant"
inline std::string SnakeCase(std::string_view name) {
  std::string label;
  for (char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      label.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    } else if (c != '\'' && !label.empty() && label.back() != '_') {
      label.push_back('_');
    }
  }
  while (!label.empty() && label.back() == '_') label.pop_back();
  return label;
}

// A code without a name is its number in hex.
inline std::string NameOrHex(std::string_view name, uint8_t code) {
  return name.empty() ? fmt::format("0x{:02x}", code) : std::string(name);
}

inline std::string LabelOf(std::string_view name, uint8_t code) {
  return SnakeCase(NameOrHex(name, code));
}

}  // namespace lunscope
