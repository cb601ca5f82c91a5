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
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/files.h"
#include "collector/base/quantity.h"

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
  // 0 if there is no such file.
  [[nodiscard]] uint32_t inode() const {
    struct stat status {};
    return fd_ >= 0 && fstat(fd_, &status) == 0 ? static_cast<uint32_t>(status.st_ino) : 0;
  }

 private:
  int fd_;
};

std::string NamespaceOf(const std::string& process) { return "/proc/" + process + "/ns/net"; }

// Every file that can refer to a network namespace: those of processes, and those of `ip netns`.
std::vector<std::string> Candidates() {
  constexpr const char* kNamed = "/run/netns";
  std::vector<std::string> files;
  for (const std::string& name : ListFolder("/proc")) {
    if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }))
      files.push_back(NamespaceOf(name));
  }
  for (const std::string& name : ListFolder(kNamed))
    files.push_back(fmt::format("{}/{}", kNamed, name));
  return files;
}

struct Found {
  std::optional<File> file;
  bool is_gone = false;  // false, without a file: this process may not look at the one that had it
};

Found Find(uint32_t inode, uint32_t process) {
  File likely(NamespaceOf(fmt::to_string(process)));
  const bool is_gone = likely.fd() >= 0 || (errno != EACCES && errno != EPERM);
  if (likely.inode() == inode) return {std::move(likely)};
  for (const std::string& path : Candidates()) {
    if (File file(path); file.inode() == inode) return {std::move(file)};
  }
  return {std::nullopt, is_gone};
}

Error Failure(const char* attempted) {
  return {ExitCode::kPermission, fmt::format("{}: {}", attempted, std::strerror(errno))};
}

// Calls open() in the namespace, then returns to the thread's own.
Result<int> OpenIn(const File& there, const File& own, const NetworkNamespaces::Open& open) {
  if (setns(there.fd(), CLONE_NEWNET) != 0)
    return Failure("entering a network namespace, which takes CAP_SYS_ADMIN,");
  Result<int> opened = open();
  if (setns(own.fd(), CLONE_NEWNET) == 0) return opened;
  const Error failure = Failure("leaving a network namespace");
  if (opened.ok()) close(opened.value());
  return failure;
}

Result<bool> VisitOpened(Result<int> opened, const NetworkNamespaces::Visit& visit) {
  if (!opened.ok()) return opened.error();
  return visit(opened.value());
}

}  // namespace

Status NetworkNamespaces::ForEach(const Open& open, const Visit& visit) {
  const File own("/proc/thread-self/ns/net");
  const uint32_t own_inode = own.inode();
  if (own_inode == 0) return Failure("opening this thread's network namespace");
  Result<bool> visited = VisitOpened(open(), visit);
  if (!visited.ok()) return visited.error();
  size_t hidden = 0;
  for (auto next = processes_.begin(); next != processes_.end();) {
    const auto [inode, process] = *next;
    Found found{std::nullopt, true};
    if (inode != own_inode) found = Find(inode, process);
    if (!found.file && !found.is_gone && processes_.size() <= kMaxHidden) {
      hidden++;
      ++next;
      continue;
    }
    Result<bool> is_used =
        found.file ? VisitOpened(OpenIn(*found.file, own, open), visit) : Result(false);
    if (!is_used.ok()) return is_used.error();
    next = is_used.value() ? std::next(next) : processes_.erase(next);
  }
  if (hidden == 0) return Nothing{};
  return Error{ExitCode::kPermission, fmt::format("{} cannot be found without CAP_SYS_PTRACE",
                                                  FormatCount(hidden, "network namespace"))};
}

}  // namespace lunscope
