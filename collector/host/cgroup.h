// SPDX-License-Identifier: Apache-2.0
//
// Control groups of the v2 hierarchy, by their path: "/system.slice/tgt.service". Paths are
// printable.
#pragma once

#include <cstdint>
#include <string>

namespace lunscope {

// The control group in the text of /proc/PID/cgroup; "" if that names no group of the v2 hierarchy.
std::string ParseProcessCgroup(const std::string& text);

// The folder at which the v2 hierarchy is mounted. sys: "/sys".
std::string CgroupRoot(const std::string& sys);

// The control group with this id (bpf_get_current_cgroup_id()), which is the inode of its folder.
// Returns "" if there is no such group. May read every folder below the root, up to a limit.
std::string CgroupOfId(const std::string& root, uint64_t id);

}  // namespace lunscope
