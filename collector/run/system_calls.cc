// SPDX-License-Identifier: Apache-2.0
#include "collector/run/system_calls.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <type_traits>

namespace lunscope {
namespace {

using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, decltype(&seccomp_release)>;

// Names that an architecture does not have are left out of its filter.
constexpr const char* kAllowed[] = {
    // The programs and maps in the kernel.
    "bpf",
    // Files of /proc, /sys and configfs; descriptors.
    "openat", "read", "readv", "pread64", "write", "writev", "pwrite64", "close", "close_range",
    "lseek", "fstat", "newfstatat", "stat", "lstat", "statx", "getdents64", "readlink",
    "readlinkat", "access", "faccessat", "faccessat2", "fcntl", "dup", "dup2", "dup3", "pipe2",
    "eventfd2", "ioctl", "flock", "fadvise64", "getcwd", "umask",
    // Waiting.
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "epoll_create1", "poll", "ppoll",
    "select", "pselect6", "clock_nanosleep", "nanosleep", "restart_syscall", "futex", "signalfd4",
    "timerfd_create", "timerfd_settime",
    // Memory.
    "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "membarrier", "mlock", "munlock",
    // Threads, signals, and what a process may ask about itself.
    "clone", "set_robust_list", "rseq", "set_tid_address", "arch_prctl", "exit", "exit_group",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigpending",
    "sigaltstack", "tgkill", "gettid", "getpid", "getppid", "getuid", "geteuid", "getgid",
    "getegid", "getrlimit", "prlimit64", "getrusage", "sched_yield", "sched_getaffinity", "getcpu",
    "sysinfo", "uname", "clock_gettime", "clock_getres", "gettimeofday", "time", "times",
    "getrandom", "capget",
    // Clients of the endpoint.
    "accept4", "accept", "recvfrom", "recvmsg", "sendto", "sendmsg", "sendfile", "shutdown",
    "setsockopt", "getsockopt", "getsockname", "getpeername",
    // The second filter (ForbidPrograms()), and until then tgtadm.
    "seccomp", "execve", "wait4", "waitid", "kill", "connect", "vfork"};

// Returns 0, or the error as a negative number, as libseccomp does.
int Load(const Filter& filter) { return filter ? seccomp_load(filter.get()) : -ENOMEM; }

Filter Begin(uint32_t otherwise) { return {seccomp_init(otherwise), &seccomp_release}; }

}  // namespace

int AllowCallsOfAWatcher(const std::vector<std::string>& more) {
  const Filter filter = Begin(SCMP_ACT_ERRNO(ENOSYS));
  if (!filter) return ENOMEM;
  const auto allow = [&](const char* name) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call != __NR_SCMP_ERROR) seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  };
  for (const char* name : kAllowed) allow(name);
  for (const std::string& name : more) allow(name.c_str());
  // tgtadm asks tgtd, and glibc its name service daemon: both on Unix sockets.
  seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                   SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
  for (const int what : {PR_SET_NAME, PR_SET_NO_NEW_PRIVS})
    seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                     SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(what)));
  return -Load(filter);
}

int ForbidPrograms() {
  const Filter filter = Begin(SCMP_ACT_ALLOW);
  if (!filter) return ENOMEM;
  const auto forbid = [&](int call, const std::vector<scmp_arg_cmp>& when) {
    seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(EPERM), call,
                           static_cast<unsigned>(when.size()), when.data());
  };
  for (const int call :
       {SCMP_SYS(execve), SCMP_SYS(vfork), SCMP_SYS(kill), SCMP_SYS(connect), SCMP_SYS(socket)})
    forbid(call, {});
  forbid(SCMP_SYS(clone), {SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)});
  for (const scmp_datum_t flag : {O_WRONLY, O_RDWR})
    forbid(SCMP_SYS(openat), {SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, flag)});
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)})
    forbid(call, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)});
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  return -Load(filter);
}

}  // namespace lunscope
