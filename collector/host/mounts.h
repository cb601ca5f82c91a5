// SPDX-License-Identifier: Apache-2.0
//
// The mounts of this host (proc_pid_mountinfo(5)).
#pragma once

#include <string>
#include <vector>

namespace lunscope {

struct Mount {
  std::string device;  // "8:16": major and minor number; "0:40" of a file system with its own
  std::string source;  // mostly "/dev/sdb1"
  std::string point;   // as mount(2) was given it: any bytes but NUL
};

// Process 1 has the mounts of the host. lunscope may lack the right to read them: then its own
// mounts stand in, which are the same unless a mount namespace hides some. proc: "/proc".
std::vector<Mount> ReadMounts(const std::string& proc);

// A line that is not whole is left out.
std::vector<Mount> ParseMounts(const std::string& mountinfo);

}  // namespace lunscope
