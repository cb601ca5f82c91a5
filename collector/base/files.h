// SPDX-License-Identifier: Apache-2.0
//
// Small files and folders of /proc, /sys and configfs. Every read has a limit. A file or folder
// that cannot be read counts as empty, because sessions and processes come and go while they are
// read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lunscope {

// The limits, unless the caller has others. /proc has an entry for each process.
inline constexpr size_t kMaxEntries = 65536;
inline constexpr size_t kMaxFileBytes = 65536;

// The first max_bytes of a file.
std::string ReadWhole(const std::string& path, size_t max_bytes = kMaxFileBytes);
// The first line of a file, without its end.
std::string ReadLine(const std::string& path);
// The first max_entries names in a folder, sorted.
std::vector<std::string> ListFolder(const std::string& path, size_t max_entries = kMaxEntries);
// The inode of the file that a path or link leads to; 0 without such a file.
uint64_t InodeOf(const std::string& path);
// The inode of a folder; 0 without such a folder.
uint64_t InodeOfFolder(const std::string& path);

// The lines of a text, without their ends.
std::vector<std::string> Lines(const std::string& text);
// The rest of the line behind this prefix; "" if the line does not begin with it.
std::string After(std::string_view line, std::string_view prefix);

}  // namespace lunscope
