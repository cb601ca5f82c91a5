// SPDX-License-Identifier: Apache-2.0
//
// Small files of sysfs and configfs, and their folders. What cannot be read is empty: sessions come
// and go while they are looked at.
#pragma once

#include <string>
#include <vector>

namespace lunscope {

// At most so many entries of a folder, or bytes of a file, are looked at.
inline constexpr size_t kMaxEntries = 4096;
inline constexpr size_t kMaxFileBytes = 65536;

std::string ReadWhole(const std::string& path);
// The first line, without its end.
std::string ReadLine(const std::string& path);
// Names in a folder, sorted.
std::vector<std::string> ListFolder(const std::string& path);
std::vector<std::string> Lines(const std::string& text);
// What follows this beginning on the line, if it begins so; else "".
std::string After(const std::string& line, const std::string& beginning);

}  // namespace lunscope
