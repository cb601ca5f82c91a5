// SPDX-License-Identifier: Apache-2.0
//
// Names of network namespaces, which the kernel identifies by an inode.
#pragma once

#include <cstdint>
#include <string>

namespace lunscope {

// The name that ip-netns(8) gave the namespace, else "pid 123", its process with the lowest number.
// Returns "" if neither is found. The name is printable. netns: "/run/netns"; proc: "/proc".
std::string NetworkNamespaceName(const std::string& netns, const std::string& proc, uint64_t inode);

}  // namespace lunscope
