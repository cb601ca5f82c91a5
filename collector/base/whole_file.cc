// SPDX-License-Identifier: Apache-2.0
#include "collector/base/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace lunscope {
namespace {

constexpr mode_t kMode = 0640;
// A run that was killed may have left its file, and another process may have its number now.
constexpr int kMaxNames = 16;

}  // namespace

WholeFile::~WholeFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!beside_.empty()) unlink(beside_.c_str());
}

int WholeFile::Create() {
  struct stat status {};
  if (stat(path_.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return EISDIR;
  for (int number = 0; number < kMaxNames; number++) {
    std::string name = fmt::format("{}.{}-{}", path_, getpid(), number);
    descriptor_ = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
    if (descriptor_ >= 0) {
      beside_ = std::move(name);
      return 0;
    }
    if (errno != EEXIST) return errno;
  }
  return EEXIST;
}

int WholeFile::Fill(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t written = write(descriptor_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  // A full disk may show only here. Some files, as those of a pipe, cannot be synchronised.
  return fsync(descriptor_) == 0 || errno == EINVAL ? 0 : errno;
}

int WholeFile::Finish(std::string_view text) {
  if (const int error = Fill(text); error != 0) return error;
  if (close(std::exchange(descriptor_, -1)) != 0) return errno;
  if (std::rename(beside_.c_str(), path_.c_str()) != 0) return errno;
  beside_.clear();
  return 0;
}

Error WholeFile::ErrorOf(const std::string& path, int error) {
  return {ExitCode::kFailure,
          fmt::format("cannot write {}: {} (errno {})", path, std::strerror(error), error)};
}

Status WriteWhole(const std::string& path, std::string_view text) {
  WholeFile file(path);
  int error = file.Create();
  if (error == 0) error = file.Finish(text);
  if (error != 0) return WholeFile::ErrorOf(path, error);
  return Nothing{};
}

}  // namespace lunscope
