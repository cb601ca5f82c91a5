// SPDX-License-Identifier: Apache-2.0
#include "collector/host/block_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <set>

#include "collector/base/files.h"

namespace lunscope {
namespace {

// A disk, its partitions, and the devices above these.
constexpr size_t kMaxDevices = 64;

std::string FolderOf(const std::string& sys, const std::string& name) {
  return fmt::format("{}/class/block/{}", sys, name);
}

void AddOnce(std::vector<std::string>& names, const std::string& name) {
  if (names.size() < kMaxDevices && std::ranges::find(names, name) == names.end())
    names.push_back(name);
}

// The disk first, then all that is built of it, directly or through others.
std::vector<std::string> AllAbove(const std::string& sys, const std::string& disk) {
  std::vector<std::string> names = {disk};
  for (size_t i = 0; i < names.size(); i++) {
    const std::string name = names[i];
    const std::string folder = FolderOf(sys, name);
    for (const std::string& entry : ListFolder(folder)) {
      const std::string partition = fmt::format("{}/{}/partition", folder, entry);
      if (entry.starts_with(name) && !ReadLine(partition).empty()) AddOnce(names, entry);
    }
    for (const std::string& holder : ListFolder(folder + "/holders")) AddOnce(names, holder);
  }
  return names;
}

}  // namespace

LocalLun ReadBlockDevice(const std::string& sys, const std::vector<Mount>& mounts,
                         const std::string& name) {
  LocalLun found;
  found.device = name;
  std::set<std::string> numbers;
  std::set<std::string> paths;
  for (const std::string& each : AllAbove(sys, name)) {
    const std::string folder = FolderOf(sys, each);
    numbers.insert(ReadLine(folder + "/dev"));
    paths.insert("/dev/" + each);
    const std::string map = ReadLine(folder + "/dm/name");
    if (map.empty()) continue;
    paths.insert("/dev/mapper/" + map);
    if (found.multipath.empty() && ReadLine(folder + "/dm/uuid").starts_with("mpath-"))
      found.multipath = map;
  }
  numbers.erase("");
  for (const Mount& mount : mounts) {
    // Btrfs has a number of its own, and the device as its source.
    const bool is_ours = mount.device.starts_with("0:") ? paths.contains(mount.source)
                                                        : numbers.contains(mount.device);
    if (!is_ours) continue;
    if (found.mounts.size() < LocalLun::kMaxMounts) {
      found.mounts.push_back(mount.point);
    } else {
      found.more_mounts++;
    }
  }
  return found;
}

}  // namespace lunscope
