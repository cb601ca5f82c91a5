// SPDX-License-Identifier: Apache-2.0
#include "collector/host/mounts.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "collector/base/files.h"

namespace lunscope {
namespace {

// A host with many containers has thousands of mounts.
constexpr size_t kMaxMountinfoBytes = 4 << 20;

std::vector<std::string_view> Fields(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const size_t end = line.find(' ');
    fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// The kernel writes blanks, line ends and backslashes as three octal digits: "\040".
std::string Unescaped(std::string_view field) {
  std::string text;
  for (size_t i = 0; i < field.size(); i++) {
    const std::string_view digits = field.substr(i + 1, 3);
    if (field[i] != '\\' || digits.size() != 3 || !std::ranges::all_of(digits, IsOctal)) {
      text += field[i];
      continue;
    }
    const int byte = (digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0');
    text += static_cast<char>(byte);
    i += digits.size();
  }
  return text;
}

// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": any number of fields stands
// before the "-".
std::optional<Mount> ParseLine(std::string_view line) {
  constexpr size_t kDevice = 2;
  constexpr size_t kPoint = 4;
  constexpr size_t kFirstOptional = 6;
  const std::vector<std::string_view> fields = Fields(line);
  if (fields.size() <= kFirstOptional) return std::nullopt;
  const auto dash = std::find(fields.begin() + kFirstOptional, fields.end(), "-");
  if (fields.end() - dash < 3) return std::nullopt;
  return Mount{std::string(fields[kDevice]), Unescaped(dash[2]), Unescaped(fields[kPoint])};
}

}  // namespace

std::vector<Mount> ParseMounts(const std::string& mountinfo) {
  std::vector<Mount> mounts;
  // The last line may be cut.
  for (const std::string& line : Lines(mountinfo.substr(0, mountinfo.rfind('\n') + 1))) {
    if (std::optional<Mount> mount = ParseLine(line)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

std::vector<Mount> ReadMounts(const std::string& proc) {
  std::string text = ReadWhole(proc + "/1/mountinfo", kMaxMountinfoBytes);
  if (text.empty()) text = ReadWhole(proc + "/self/mountinfo", kMaxMountinfoBytes);
  return ParseMounts(text);
}

}  // namespace lunscope
