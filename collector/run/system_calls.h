// SPDX-License-Identifier: Apache-2.0
//
// The system calls that lunscope makes while it watches, as filters of the kernel (seccomp(2)), and
// the few arguments that tell a harmless call from another. The filters add up: a call must pass
// each of them. They need no_new_privs or CAP_SYS_ADMIN.
#pragma once

#include <string>
#include <vector>

namespace lunscope {

// From now on, every other system call of this thread, and of those that it starts, fails with
// ENOSYS, so that the C library falls back to an older call where it has one. more: further calls
// to allow, by name. Returns 0, or the error of the kernel.
int AllowCallsOfAWatcher(const std::vector<std::string>& more);

// From now on no thread of this process starts a program, opens a file for writing, connects a
// socket, or makes memory executable: these calls fail with EPERM. Returns 0, or the error of the
// kernel.
int ForbidPrograms();

}  // namespace lunscope
