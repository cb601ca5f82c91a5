// SPDX-License-Identifier: Apache-2.0
#include "collector/host/cgroup.h"

#include <fmt/format.h>

#include <vector>

#include "collector/base/files.h"
#include "collector/base/printable.h"

namespace lunscope {
namespace {

constexpr size_t kMaxCgroups = 65536;

}  // namespace

std::string ParseProcessCgroup(const std::string& text) {
  constexpr const char* kVersion2 = "0::";
  for (const std::string& line : Lines(text)) {
    if (line.starts_with(kVersion2)) return Printable(After(line, kVersion2));
  }
  return {};
}

std::string CgroupRoot(const std::string& sys) {
  const std::string root = sys + "/fs/cgroup";
  // A host that uses both hierarchies mounts v2 in a folder of v1's.
  return InodeOf(root + "/cgroup.controllers") != 0 ? root : root + "/unified";
}

std::string CgroupOfId(const std::string& root, uint64_t id) {
  std::vector<std::string> paths = {""};
  for (size_t i = 0; id != 0 && i < paths.size() && paths.size() < kMaxCgroups; i++) {
    const std::string path = paths[i];
    if (InodeOfFolder(root + path) == id) return path.empty() ? "/" : Printable(path);
    for (const std::string& name : ListFolder(root + path)) {
      const std::string below = fmt::format("{}/{}", path, name);
      if (InodeOfFolder(root + below) != 0) paths.push_back(below);
    }
  }
  return {};
}

}  // namespace lunscope
