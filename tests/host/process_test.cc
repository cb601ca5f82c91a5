// SPDX-License-Identifier: Apache-2.0
//
// Names for the process at the local end of a connection.
#include "collector/host/process.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <vector>

#include "tests/host/tree.h"

namespace lunscope {
namespace {

class Process : public Tree {
 protected:
  uint64_t InodeOf(const std::string& path) const {
    struct stat status {};
    EXPECT_EQ(stat((root_ + "/" + path).c_str(), &status), 0) << path;
    return status.st_ino;
  }
};

struct GuestCase {
  std::vector<std::string> arguments;
  const char* guest;
};

// What qemu(1) says of -name, and command lines as libvirt and Proxmox write them.
const GuestCase kGuests[] = {
    {{"qemu-system-x86_64", "-name", "mail"}, "mail"},
    {{"/usr/bin/qemu-system-x86_64", "-name", "guest=mail,debug-threads=on", "-S"}, "mail"},
    {{"/usr/bin/kvm", "-id", "100", "-name", "mail,debug-threads=on"}, "mail"},
    {{"/usr/libexec/qemu-kvm", "-name", "debug-threads=on,guest=mail"}, "mail"},
    {{"qemu-system-aarch64", "--name", "mail"}, "mail"},
    {{"qemu-system-x86_64", "-name", "process=one"}, ""},
    {{"qemu-system-x86_64", "-name", "guest=a,,b,process=one"}, "a,b"},
    {{"qemu-system-x86_64", "-name", "one", "-name", "two"}, "two"},
    {{"qemu-system-x86_64", "-name", ""}, ""},
    {{"qemu-system-x86_64", "-name"}, ""},
    {{"qemu-system-x86_64", "-nameless", "mail"}, ""},
    {{"qemu-system-x86_64"}, ""},
    {{"qemu-system-x86_64", "-name", "a\x1b[2J\\"}, "a\\x1b[2J\\x5c"},
    {{"qemu-img", "-name", "mail"}, ""},
    {{"/usr/bin/vi", "-name", "mail"}, ""},
    {{""}, ""},
    {{}, ""},
};

TEST_F(Process, IsAGuestOfTheNameOnItsCommandLine) {
  for (const GuestCase& row : kGuests) {
    std::string line;
    for (const std::string& argument : row.arguments) line += argument + '\0';
    Put("7/cmdline", line);
    EXPECT_EQ(QemuGuestName(root_, 7), row.guest) << line;
  }
  EXPECT_EQ(QemuGuestName(root_, 8), "");
}

TEST_F(Process, IsInAControlGroup) {
  Put("1/cgroup", "0::/init.scope\n");
  Put("2/cgroup", "12:pids:/user.slice\n1:name=systemd:/user.slice\n0::/user.slice/a:b\n");
  Put("3/cgroup", "12:pids:/user.slice\n");
  const char* expected[] = {"", "/init.scope", "/user.slice/a:b", "", ""};
  for (uint32_t pid = 0; pid < std::size(expected); pid++)
    EXPECT_EQ(CgroupOfProcess(root_, pid), expected[pid]) << pid;
}

TEST_F(Process, IsInAControlGroupWithAnId) {
  Put("fs/cgroup/cgroup.controllers", "cpu io\n");
  Put("fs/cgroup/system.slice/tgt.service/cgroup.procs", "7\n");
  PutFolder("fs/cgroup/user.slice");
  const std::string root = CgroupRoot(root_);
  EXPECT_EQ(root, root_ + "/fs/cgroup");
  for (const std::string path : {"/system.slice/tgt.service", "/system.slice", "/user.slice"})
    EXPECT_EQ(CgroupOfId(root, InodeOf("fs/cgroup" + path)), path);
  EXPECT_EQ(CgroupOfId(root, InodeOf("fs/cgroup")), "/");
  // A file is no control group, and the parent of the root is none of its own.
  EXPECT_EQ(CgroupOfId(root, InodeOf("fs/cgroup/cgroup.controllers")), "");
  EXPECT_EQ(CgroupOfId(root, InodeOf("fs")), "");
  EXPECT_EQ(CgroupOfId(root, 0), "");
  EXPECT_EQ(CgroupOfId(root_ + "/nowhere", 1), "");
}

TEST_F(Process, OfAHostWithBothHierarchiesIsInTheSecond) {
  PutFolder("fs/cgroup/pids/user.slice");
  PutFolder("fs/cgroup/unified/user.slice");
  const std::string root = CgroupRoot(root_);
  EXPECT_EQ(CgroupOfId(root, InodeOf("fs/cgroup/unified/user.slice")), "/user.slice");
  EXPECT_EQ(CgroupOfId(root, InodeOf("fs/cgroup/pids/user.slice")), "");
}

TEST_F(Process, IsInANetworkNamespaceWithAName) {
  Put("netns/blue", "");
  Put("netns/red", "");
  Put("proc/12/ns/net", "");
  Put("proc/irq/ns/net", "");
  std::filesystem::create_directories(root_ + "/proc/9/ns");
  std::filesystem::create_hard_link(root_ + "/proc/12/ns/net", root_ + "/proc/9/ns/net");
  const auto name = [&](const std::string& path) {
    return NetworkNamespaceName(root_ + "/netns", root_ + "/proc", InodeOf(path));
  };
  EXPECT_EQ(name("netns/red"), "red");
  EXPECT_EQ(name("netns/blue"), "blue");
  EXPECT_EQ(name("proc/12/ns/net"), "pid 9");
  EXPECT_EQ(name("proc/irq/ns/net"), "");
  EXPECT_EQ(NetworkNamespaceName(root_ + "/netns", root_ + "/proc", 0), "");
  EXPECT_EQ(NetworkNamespaceName(root_ + "/nowhere", root_ + "/nowhere", 1), "");
}

}  // namespace
}  // namespace lunscope
