// SPDX-License-Identifier: Apache-2.0
#include "collector/host/mounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/tree.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "device source point" of each mount.
std::vector<std::string> Written(const std::vector<Mount>& mounts) {
  std::vector<std::string> lines;
  lines.reserve(mounts.size());
  for (const Mount& mount : mounts)
    lines.push_back(mount.device + " " + mount.source + " " + mount.point);
  return lines;
}

struct MountRow {
  const char* what;
  const char* mountinfo;
  std::vector<std::string> mounts;
};

const MountRow kMountRows[] = {
    {"no optional field", "36 35 8:16 / /mnt rw - ext4 /dev/sdb rw\n", {"8:16 /dev/sdb /mnt"}},
    {"two optional fields",
     "36 35 8:16 /sub /mnt rw,noatime shared:1 master:2 - ext4 /dev/sdb rw\n",
     {"8:16 /dev/sdb /mnt"}},
    {"escapes",
     "36 35 8:16 / /a\\040b\\012\\134\\033[2J rw - ext4 /dev/my\\040disk rw\n",
     {"8:16 /dev/my disk /a b\n\\\x1b[2J"}},
    {"what is no escape", "1 2 8:1 / /a\\04 rw - ext4 \\999 rw\n", {"8:1 \\999 /a\\04"}},
    {"a byte that is not ASCII", "1 2 8:1 / /\xff rw - ext4 x rw\n", {"8:1 x /\xff"}},
    {"a mount point like the separator", "1 2 8:1 / - rw - ext4 x rw\n", {"8:1 x -"}},
    {"no source", "1 2 8:1 / /mnt rw - ext4\n", {}},
    {"no separator", "1 2 8:1 / /mnt rw shared:1 ext4 x rw\n", {}},
    {"a line that is cut",
     "1 2 8:1 / /mnt rw - ext4 x rw\n1 2 8:1 / /else rw - ext4 x r",
     {"8:1 x /mnt"}},
    {"nonsense", "\n \n-\n- - - - - - - -\n", {}},
};

TEST(Mounts, AreReadFromEachWholeLine) {
  for (const MountRow& row : kMountRows)
    EXPECT_EQ(Written(ParseMounts(row.mountinfo)), row.mounts) << row.what;
}

TEST_F(Tree, MountsAreThoseOfTheHostIfTheyMayBeRead) {
  EXPECT_THAT(ReadMounts(root_), IsEmpty());
  Put("self/mountinfo", "1 2 8:1 / /own rw - ext4 x rw\n");
  EXPECT_THAT(Written(ReadMounts(root_)), ElementsAre("8:1 x /own"));
  Put("1/mountinfo", "1 2 8:1 / /host rw - ext4 x rw\n");
  EXPECT_THAT(Written(ReadMounts(root_)), ElementsAre("8:1 x /host"));
}

}  // namespace
}  // namespace lunscope
