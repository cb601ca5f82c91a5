// SPDX-License-Identifier: Apache-2.0
//
// The filters of system calls, each in a child process: a filter cannot be taken off again.
#include "collector/run/system_calls.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lunscope {
namespace {

// The error of a call that returned this; 0: it succeeded.
int ErrorOf(long returned) { return returned >= 0 ? 0 : errno; }
int ErrorOf(const void* mapped) { return mapped != MAP_FAILED ? 0 : errno; }

constexpr int kDoesNotFilter = 255;

struct Row {
  const char* call;
  int (*make)();
  int watching;  // the error behind the first filter
  int sealed;    // and behind the second one
};

const Row kRows[] = {
    {"getpid", [] { return ErrorOf(getpid()); }, 0, 0},
    {"open to read", [] { return ErrorOf(open("/proc/self/stat", O_RDONLY)); }, 0, 0},
    {"open to write", [] { return ErrorOf(open("/dev/null", O_WRONLY)); }, 0, EPERM},
    {"open to read and write", [] { return ErrorOf(open("/dev/null", O_RDWR)); }, 0, EPERM},
    {"a Unix socket", [] { return ErrorOf(socket(AF_UNIX, SOCK_STREAM, 0)); }, 0, EPERM},
    {"a TCP socket", [] { return ErrorOf(socket(AF_INET, SOCK_STREAM, 0)); }, ENOSYS, EPERM},
    {"a netlink socket", [] { return ErrorOf(socket(AF_NETLINK, SOCK_RAW, 0)); }, ENOSYS, EPERM},
    {"a thread",
     [] {
       int passed = EPERM;
       std::thread([&] { passed = 0; }).join();
       return passed;
     },
     0, 0},
    {"fork", [] { return ErrorOf(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }, 0, EPERM},
    {"execve",
     [] {
       char name[] = "/nonexistent";
       char* words[] = {name, nullptr};
       return ErrorOf(execve(name, words, nullptr));
     },
     ENOENT, EPERM},
    {"kill", [] { return ErrorOf(kill(getpid(), 0)); }, 0, EPERM},
    {"memory",
     [] { return ErrorOf(mmap(nullptr, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); }, 0, 0},
    {"memory to execute",
     [] {
       return ErrorOf(mmap(nullptr, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
     },
     0, EPERM},
    {"ptrace", [] { return ErrorOf(syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0)); }, ENOSYS,
     ENOSYS},
    {"mount", [] { return ErrorOf(mount("a", "/nonexistent", "tmpfs", 0, nullptr)); }, ENOSYS,
     ENOSYS},
    {"setns", [] { return ErrorOf(syscall(SYS_setns, -1, 0)); }, ENOSYS, ENOSYS},
    {"unlink", [] { return ErrorOf(syscall(SYS_unlink, "/nonexistent")); }, ENOSYS, ENOSYS},
    {"chmod", [] { return ErrorOf(syscall(SYS_chmod, "/nonexistent", 0)); }, ENOSYS, ENOSYS},
};

// The exit code of a child that has these filters and makes the call.
int InChild(const Row& row, bool is_sealed, const std::vector<std::string>& more = {}) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (AllowCallsOfAWatcher(more) != 0) _exit(kDoesNotFilter);
    if (is_sealed && ForbidPrograms() != 0) _exit(kDoesNotFilter);
    _exit(row.make());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(SystemCalls, WatchingAndSealed) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.call);
    EXPECT_EQ(InChild(row, false), row.watching);
    EXPECT_EQ(InChild(row, true), row.sealed);
  }
}

TEST(SystemCalls, FurtherOnes) {
  const std::pair<std::string, int> further[] = {{"unlink", ENOENT}, {"setns", EBADF}};
  for (const auto& [name, error] : further) {
    const Row* row = std::ranges::find(kRows, name, &Row::call);
    ASSERT_NE(row, std::end(kRows));
    EXPECT_EQ(InChild(*row, true, {name}), error) << name;
  }
}

}  // namespace
}  // namespace lunscope
