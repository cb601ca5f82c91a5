// SPDX-License-Identifier: Apache-2.0
//
// The rights that a process gives up once its programs are attached. From then on it reads what
// peers on the wire and clients of its endpoint send. A fault there must not give them the host.
//
// Rejected: libpsx, which changes the capabilities of threads that run already. Rights are given up
// before there are other threads than the one that loads bpf/heal.bpf.h, which ends by itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collector/base/result.h"
#include "collector/run/option.h"

namespace lunscope {

struct PrivilegeOptions {
  // To keep, beside CAP_BPF and CAP_PERFMON. nullopt: what the sources need.
  std::optional<std::vector<int>> capabilities;
  std::string user;  // to become; "": none
  bool filters_system_calls = true;

  OptionList Options();

  // To be called before programs are loaded. With a user, a thread that loads programs keeps its
  // capabilities although the user of the process changes. The error (kUsage) says that there is
  // no such user, or (kPermission) that this process may not become another one.
  [[nodiscard]] Status Prepare() const;

  // This thread and those that it starts keep these capabilities only, and may only call what
  // lunscope calls (system_calls.h). A capability that the process lacks it does not get.
  // admin_use: the use that the sources have for CAP_SYS_ADMIN, "" for no use. removes_files: it
  // will remove the file of a Unix socket. The error (kFailure) says what could not be given up. A
  // kernel without filters of system calls is no error: a warning says so.
  [[nodiscard]] Status GiveUp(const std::string& admin_use, bool removes_files) const;

  // For all threads: see ForbidPrograms(). To be called when no program has to be started any more.
  void GiveUpPrograms() const;
};

}  // namespace lunscope
