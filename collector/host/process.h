// SPDX-License-Identifier: Apache-2.0
//
// Names for the process at the local end of a connection, from the numbers that the kernel has for
// it. "" is: there is no such name, or the process is gone. All names are printable.
#pragma once

#include <cstdint>
#include <string>

namespace lunscope {

// The guest that a QEMU process runs, where its command line says so: -name NAME or
// -name guest=NAME,... (qemu(1)). Nothing else of a command line is looked at: an iSCSI URL may
// hold a password. proc: "/proc".
std::string QemuGuestName(const std::string& proc, uint32_t pid);

// The process's control group in the v2 hierarchy: "/system.slice/tgt.service".
std::string CgroupOfProcess(const std::string& proc, uint32_t pid);

// Where the v2 hierarchy is mounted. sys: "/sys".
std::string CgroupRoot(const std::string& sys);

// The control group with this id (bpf_get_current_cgroup_id()), which is the inode of its folder.
std::string CgroupOfId(const std::string& root, uint64_t id);

// The network namespace with this inode: its name by ip-netns(8), else "pid 123", the first process
// in it. netns: "/run/netns".
std::string NetworkNamespaceName(const std::string& netns, const std::string& proc, uint64_t inode);

}  // namespace lunscope
