// SPDX-License-Identifier: Apache-2.0
//
// The sessions of the kernel's initiator, read from a tree of files laid out like sysfs.
#include "collector/host/kernel_initiator.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/tree.h"
#include "tests/host/written.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST_F(Tree, AScsiHostHasTheTargetOfItsSession) {
  Put("class/iscsi_host/host3/device/session5/iscsi_session/session5/targetname", "iqn.disk\n");
  Put("class/iscsi_host/host3/device/power/state", "on\n");
  PutFolder("class/iscsi_host/host4/device");
  EXPECT_EQ(ReadScsiHostTarget(root_, 3), "iqn.disk");
  EXPECT_EQ(ReadScsiHostTarget(root_, 4), "");
  EXPECT_EQ(ReadScsiHostTarget(root_, 5), "");
}

class KernelInitiator : public Tree {
 protected:
  // The attributes of scsi_transport_iscsi.c. Each is one line.
  void PutSession(int number, const std::string& target, const std::string& address,
                  const std::string& local_port) {
    const std::string session = fmt::format("class/iscsi_session/session{}/", number);
    const std::string connection = fmt::format("class/iscsi_connection/connection{}:0/", number);
    Put(session + "targetname", target + "\n");
    Put(session + "initiatorname", "iqn.host\n");
    Put(session + "state", "LOGGED_IN\n");
    if (!address.empty()) Put(connection + "address", address + "\n");
    Put(connection + "port", "3260\n");
    Put(connection + "persistent_address", "192.0.2.99\n");
    if (!local_port.empty()) Put(connection + "local_port", local_port + "\n");
  }
};

TEST_F(KernelInitiator, ListsBothEndsOfEachConnection) {
  PutSession(1, "iqn.disk", "192.0.2.1", "40001");
  PutSession(12, "iqn.tape", "2001:0db8:0000:0000:0000:0000:0000:0001", "40002");
  EXPECT_THAT(Written(ReadKernelInitiator(root_)),
              UnorderedElementsAre("iqn.disk iqn.host 192.0.2.1:3260 from :40001 sysfs",
                                   "iqn.tape iqn.host 2001:db8::1:3260 from :40002 sysfs"));
}

TEST_F(KernelInitiator, MayLackTheLocalPort) {
  PutSession(1, "iqn.disk", "192.0.2.1", "");
  EXPECT_THAT(Written(ReadKernelInitiator(root_)),
              ElementsAre("iqn.disk iqn.host 192.0.2.1:3260 from :0 sysfs"));
}

TEST_F(KernelInitiator, WithoutAConnectionListsNothing) {
  EXPECT_THAT(ReadKernelInitiator(root_), IsEmpty());
  PutSession(1, "iqn.disk", "", "");
  EXPECT_THAT(ReadKernelInitiator(root_), IsEmpty());
  PutFolder("class/iscsi_connection/connection2:0");
  PutFolder("class/iscsi_connection/nonsense");
  EXPECT_THAT(ReadKernelInitiator(root_), IsEmpty());
}

TEST_F(KernelInitiator, ListsTheDisksOfItsLuns) {
  PutSession(1, "iqn.disk", "192.0.2.1", "40001");
  const std::string device = "class/iscsi_session/session1/device/target0:0:0/0:0:0:";
  Put(device + "2/type", "0\n");
  PutFolder(device + "2/block/sdb");
  Put(device + "3/type", "1\n");
  PutFolder(device + "3/scsi_tape/st0");
  Put("class/block/sdb/dev", "8:16\n");
  EXPECT_THAT(ReadKernelInitiator(root_, {{"8:16", "/dev/sdb", "/mnt"}})[0].luns,
              ElementsAre(Pair(Lun(0x0002), LocalLun{.device = "sdb", .mounts = {"/mnt"}})));
}

TEST_F(KernelInitiator, ListsTheTypesOfItsDevices) {
  PutSession(1, "iqn.tapes", "192.0.2.1", "40001");
  const std::string device = "class/iscsi_session/session1/device/target0:0:0/0:0:0:";
  Put(device + "2/type", "1\n");
  Put(device + "16684/type", "8\n");  // 412ch: LUN 300 in flat space
  PutFolder(device + "7");
  PutFolder("class/iscsi_session/session1/device/connection1:0");
  EXPECT_THAT(ReadKernelInitiator(root_)[0].device_types,
              ElementsAre(Pair(Lun(0x0002), 1), Pair(Lun(0x412c), 8)));
}

}  // namespace
}  // namespace lunscope
