// SPDX-License-Identifier: Apache-2.0
//
// One JSON object on one line, key by key, in the order of the calls. The caller names no key
// twice.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "collector/model/model.h"

namespace lunscope {

// Names are printable ASCII without a backslash run of their own (base/printable.h), so only the
// two characters that JSON itself uses need care.
inline std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

inline std::string Hex(std::span<const uint8_t> bytes) {
  std::string hex;
  for (const uint8_t byte : bytes) fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
  return hex;
}

inline std::string_view OrUnknown(std::string_view name) {
  return name.empty() ? std::string_view(kUnknownName) : name;
}

class JsonLine {
 public:
  void String(std::string_view key, std::string_view value) { Raw(key, Quoted(value)); }
  void Number(std::string_view key, uint64_t value) { Raw(key, fmt::to_string(value)); }
  void Flag(std::string_view key, bool value) { Raw(key, value ? "true" : "false"); }
  void Raw(std::string_view key, std::string_view value) {
    fmt::format_to(std::back_inserter(line_), "{}\"{}\":{}", line_.empty() ? '{' : ',', key, value);
  }
  std::string End() { return (line_.empty() ? "{" : std::move(line_)) + "}"; }

 private:
  std::string line_;
};

// Under the key "process", if there is one.
inline void AddProcess(JsonLine& line, const LocalProcess& process) {
  if (process.id == 0) return;
  JsonLine object;
  object.Number("id", process.id);
  object.String("comm", process.comm);
  if (!process.guest.empty()) object.String("guest", process.guest);
  if (!process.cgroup.empty()) object.String("cgroup", process.cgroup);
  if (!process.network_namespace.empty())
    object.String("network_namespace", process.network_namespace);
  line.Raw("process", object.End());
}

}  // namespace lunscope
