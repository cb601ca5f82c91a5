// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/namespaces.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lunscope {
namespace {

// A file descriptor of a namespace.
class File {
 public:
  explicit File(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File() {
    if (fd_ >= 0) close(fd_);
  }

  [[nodiscard]] int fd() const { return fd_; }
  // 0: there is no such file.
  [[nodiscard]] uint32_t inode() const {
    struct stat status {};
    return fd_ >= 0 && fstat(fd_, &status) == 0 ? static_cast<uint32_t>(status.st_ino) : 0;
  }

 private:
  int fd_;
};

std::string NamespaceOf(const std::string& process) { return "/proc/" + process + "/ns/net"; }

// Every file that can hold a network namespace: those of processes, and those that `ip netns` made.
std::vector<std::string> Candidates() {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }))
      files.push_back(NamespaceOf(name));
  }
  for (const auto& entry : std::filesystem::directory_iterator("/run/netns", error))
    files.push_back(entry.path());
  return files;
}

std::optional<File> Find(uint32_t inode, uint32_t process) {
  if (File likely(NamespaceOf(fmt::to_string(process))); likely.inode() == inode) return likely;
  for (const std::string& path : Candidates()) {
    if (File file(path); file.inode() == inode) return file;
  }
  return std::nullopt;
}

Error Failure(const char* attempted) {
  return {ExitCode::kPermission, fmt::format("{}: {}", attempted, std::strerror(errno))};
}

}  // namespace

Status NetworkNamespaces::ForEach(const Visit& visit) {
  const File own("/proc/thread-self/ns/net");
  const uint32_t own_inode = own.inode();
  if (own_inode == 0) return Failure("opening this thread's network namespace");
  if (Result<bool> visited = visit(); !visited.ok()) return visited.error();
  Status status = Nothing{};
  for (auto next = processes_.begin(); next != processes_.end() && status.ok();) {
    const auto [inode, process] = *next;
    bool is_used = false;
    std::optional<File> file;
    if (inode != own_inode) file = Find(inode, process);
    if (file) {
      if (setns(file->fd(), CLONE_NEWNET) != 0) {
        status = Failure("entering a network namespace, which takes CAP_SYS_ADMIN,");
        break;
      }
      Result<bool> visited = visit();
      if (setns(own.fd(), CLONE_NEWNET) != 0) return Failure("leaving a network namespace");
      if (!visited.ok()) {
        status = visited.error();
      } else {
        is_used = visited.value();
      }
    }
    next = is_used ? std::next(next) : processes_.erase(next);
  }
  return status;
}

}  // namespace lunscope
