// SPDX-License-Identifier: Apache-2.0
#include "collector/host/network_namespace.h"

#include <fmt/format.h>

#include <charconv>

#include "collector/base/files.h"
#include "collector/base/printable.h"

namespace lunscope {

std::string NetworkNamespaceName(const std::string& netns, const std::string& proc,
                                 uint64_t inode) {
  if (inode == 0) return {};
  for (const std::string& name : ListFolder(netns)) {
    if (InodeOf(fmt::format("{}/{}", netns, name)) == inode) return Printable(name);
  }
  uint32_t first = 0;
  for (const std::string& name : ListFolder(proc)) {
    uint32_t pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid == 0 || (first != 0 && pid > first)) continue;
    if (InodeOf(fmt::format("{}/{}/ns/net", proc, name)) == inode) first = pid;
  }
  return first == 0 ? std::string() : fmt::format("pid {}", first);
}

}  // namespace lunscope
