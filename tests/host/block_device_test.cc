// SPDX-License-Identifier: Apache-2.0
//
// A disk and what is built of it, read from a tree of files laid out like sysfs.
#include "collector/host/block_device.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tests/base/tree.h"

namespace lunscope {
namespace {

class BlockDevice : public Tree {
 protected:
  void PutDisk(const std::string& name, const std::string& number) {
    Put("class/block/" + name + "/dev", number + "\n");
    PutFolder("class/block/" + name + "/queue");
    PutFolder("class/block/" + name + "/holders");
  }
  void PutPartition(const std::string& disk, const std::string& name, const std::string& number) {
    Put("class/block/" + disk + "/" + name + "/partition", "1\n");
    PutDisk(name, number);
  }
  // A device of the device mapper above that one.
  void PutMap(const std::string& below, const std::string& name, const std::string& number,
              const std::string& map, const std::string& uuid) {
    PutFolder("class/block/" + below + "/holders/" + name);
    PutDisk(name, number);
    Put("class/block/" + name + "/dm/name", map + "\n");
    Put("class/block/" + name + "/dm/uuid", uuid + "\n");
  }
  // "device multipath mount,mount +more"
  [[nodiscard]] std::string Read(const std::string& name) const {
    const LocalLun lun = ReadBlockDevice(root_, mounts_, name);
    return fmt::format("{} {} {} +{}", lun.device, lun.multipath, fmt::join(lun.mounts, ","),
                       lun.more_mounts);
  }

  std::vector<Mount> mounts_ = {{"8:16", "/dev/sdb", "/disk"},
                                {"8:17", "/dev/sdb1", "/partition"},
                                {"8:33", "/dev/sdc1", "/other"},
                                {"253:0", "/dev/mapper/mpatha", "/map"},
                                {"253:1", "/dev/mapper/vg-data", "/volume\n"},
                                {"0:40", "/dev/mapper/vg-data", "/btrfs"},
                                {"0:41", "/dev/sdb1", "/btrfs1"},
                                {"0:42", "tmpfs", "/tmp"}};
};

TEST_F(BlockDevice, HasItsOwnMountsAndThoseOfItsPartitions) {
  PutDisk("sdb", "8:16");
  PutPartition("sdb", "sdb1", "8:17");
  PutDisk("sdb2", "8:33");  // the name alone makes no partition
  EXPECT_EQ(Read("sdb"), "sdb  /disk,/partition,/btrfs1 +0");
}

TEST_F(BlockDevice, HasAMultipathMapAndTheMountsAboveIt) {
  PutDisk("sdb", "8:18");
  PutMap("sdb", "dm-0", "253:0", "mpatha", "mpath-3600140");
  PutMap("dm-0", "dm-1", "253:1", "vg-data", "LVM-abc");
  EXPECT_EQ(Read("sdb"), "sdb mpatha /map,/volume\n,/btrfs +0");
}

TEST_F(BlockDevice, ThatIsInAVolumeIsNoPath) {
  PutDisk("sdb", "8:18");
  PutPartition("sdb", "sdb1", "8:17");
  PutMap("sdb1", "dm-1", "253:1", "vg-data", "LVM-abc");
  EXPECT_EQ(Read("sdb"), "sdb  /partition,/volume\n,/btrfs,/btrfs1 +0");
}

TEST_F(BlockDevice, ThatIsHalfThereHasNoMore) {
  EXPECT_EQ(Read("sdb"), "sdb   +0");
  PutFolder("class/block/sdb/holders/dm-7");
  mounts_.push_back({"", "", "/nowhere"});
  EXPECT_EQ(Read("sdb"), "sdb   +0");
}

// Sysfs has no such loop. The walk would not end.
TEST_F(BlockDevice, MayBeItsOwnHolder) {
  PutDisk("sdb", "8:16");
  PutMap("sdb", "dm-0", "253:0", "loop", "");
  PutFolder("class/block/dm-0/holders/sdb");
  EXPECT_EQ(Read("sdb"), "sdb  /disk,/map +0");
}

TEST_F(BlockDevice, ListsTheOldestMountsAndCountsTheOthers) {
  PutDisk("sdb", "8:16");
  for (int i = 1; i <= 10; i++) mounts_.push_back({"8:16", "/dev/sdb", fmt::format("/{}", i)});
  EXPECT_EQ(Read("sdb"), "sdb  /disk,/1,/2,/3,/4,/5,/6,/7 +3");
}

}  // namespace
}  // namespace lunscope
