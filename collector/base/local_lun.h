// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace lunscope {

// A LUN on this host: at the initiator it is a disk of the kernel, at the target it has storage
// behind it.
struct LocalLun {
  static constexpr size_t kMaxMounts = 8;

  std::string device;     // "sdb"; at the target a path: "/dev/vg/disk", "/srv/disk.img"
  std::string multipath;  // the multipath map that has the disk as a path; "": none
  // Where file systems of the disk are mounted, also those of its partitions and of what is built
  // of it. The oldest come first.
  std::vector<std::string> mounts;
  size_t more_mounts = 0;  // beyond kMaxMounts

  auto operator<=>(const LocalLun&) const = default;
};

using LocalLuns = std::map<uint64_t, LocalLun>;  // by the eight bytes of the LUN

}  // namespace lunscope
