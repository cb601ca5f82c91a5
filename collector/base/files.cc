// SPDX-License-Identifier: Apache-2.0
#include "collector/base/files.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace lunscope {

std::string ReadWhole(const std::string& path, size_t max_bytes) {
  std::ifstream file(path, std::ios::binary);
  std::string text(max_bytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

std::string ReadLine(const std::string& path) {
  const std::string text = ReadWhole(path);
  return text.substr(0, text.find('\n'));
}

std::vector<std::string> ListFolder(const std::string& path, size_t max_entries) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  while (!error && entry != std::filesystem::directory_iterator() && names.size() < max_entries) {
    names.push_back(entry->path().filename().string());
    entry.increment(error);
  }
  std::ranges::sort(names);
  return names;
}

uint64_t InodeOf(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

uint64_t InodeOfFolder(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) ? status.st_ino : 0;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string After(std::string_view line, std::string_view prefix) {
  return line.starts_with(prefix) ? std::string(line.substr(prefix.size())) : std::string();
}

}  // namespace lunscope
