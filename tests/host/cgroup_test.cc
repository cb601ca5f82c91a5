// SPDX-License-Identifier: Apache-2.0
//
// Control groups, from /proc/PID/cgroup and from a tree of folders.
#include "collector/host/cgroup.h"

#include <gtest/gtest.h>

#include "collector/base/files.h"
#include "tests/base/tree.h"

namespace lunscope {
namespace {

struct CgroupCase {
  const char* text;
  const char* cgroup;
};

const CgroupCase kCgroups[] = {
    {"0::/init.scope\n", "/init.scope"},
    {"12:pids:/user.slice\n1:name=systemd:/user.slice\n0::/user.slice/a:b\n", "/user.slice/a:b"},
    {"0::/a\x1b[2J\n", "/a\\x1b[2J"},
    {"0::/\n", "/"},
    {"12:pids:/user.slice\n", ""},
    {"", ""},
};

TEST(ProcessCgroup, IsTheLineOfVersion2) {
  for (const CgroupCase& row : kCgroups) EXPECT_EQ(ParseProcessCgroup(row.text), row.cgroup);
}

class Cgroup : public Tree {
 protected:
  // The id of a control group is the inode of its folder.
  [[nodiscard]] uint64_t Id(const std::string& path) const {
    const uint64_t inode = InodeOf(root_ + "/" + path);
    EXPECT_NE(inode, 0u) << path;
    return inode;
  }
};

TEST_F(Cgroup, IsFoundByItsId) {
  Put("fs/cgroup/cgroup.controllers", "cpu io\n");
  Put("fs/cgroup/system.slice/tgt.service/cgroup.procs", "7\n");
  PutFolder("fs/cgroup/user.slice");
  const std::string root = CgroupRoot(root_);
  EXPECT_EQ(root, root_ + "/fs/cgroup");
  for (const std::string path : {"/system.slice/tgt.service", "/system.slice", "/user.slice"})
    EXPECT_EQ(CgroupOfId(root, Id("fs/cgroup" + path)), path);
  EXPECT_EQ(CgroupOfId(root, Id("fs/cgroup")), "/");
  // A file is not a control group, and neither is the parent of the root.
  EXPECT_EQ(CgroupOfId(root, Id("fs/cgroup/cgroup.controllers")), "");
  EXPECT_EQ(CgroupOfId(root, Id("fs")), "");
  EXPECT_EQ(CgroupOfId(root, 0), "");
  EXPECT_EQ(CgroupOfId(root_ + "/nowhere", 1), "");
}

TEST_F(Cgroup, IsOfVersion2WhereBothVersionsAreMounted) {
  PutFolder("fs/cgroup/pids/user.slice");
  PutFolder("fs/cgroup/unified/user.slice");
  const std::string root = CgroupRoot(root_);
  EXPECT_EQ(CgroupOfId(root, Id("fs/cgroup/unified/user.slice")), "/user.slice");
  EXPECT_EQ(CgroupOfId(root, Id("fs/cgroup/pids/user.slice")), "");
}

}  // namespace
}  // namespace lunscope
