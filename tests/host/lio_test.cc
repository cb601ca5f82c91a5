// SPDX-License-Identifier: Apache-2.0
//
// LIO's sessions and portals, read from a tree of files laid out like configfs.
#include "collector/host/lio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/tree.h"
#include "tests/host/written.h"

namespace lunscope {
namespace {

using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class Lio : public Tree {
 protected:
  // As lio_target_nacl_info_show() prints it.
  static std::string Info(const std::string& initiator, const std::vector<std::string>& addresses) {
    std::string text = "InitiatorName: " + initiator +
                       "\nInitiatorAlias: \n"
                       "LIO Session ID: 1   ISID: 0x00 02 3d 00 00 01  TSIH: 1  SessionType: "
                       "Normal\nSession State: TARG_SESS_STATE_LOGGED_IN\n"
                       "---------------------[iSCSI Session Values]-----------------------\n"
                       "  CmdSN/WR  :  CmdSN/WC  :  ExpCmdSN  :  MaxCmdSN  :     ITT    :     TTT\n"
                       " 0x00000040   0x00000040   0x0000001e   0x0000005d   0x1d000000   "
                       "0x0000014d\n"
                       "----------------------[iSCSI Connections]-------------------------\n";
    for (const std::string& address : addresses) {
      text += "CID: 0  Connection State: TARG_CONN_STATE_LOGGED_IN\n   Address " + address +
              " TCP  StatSN: 0x5a2e7b1c\n";
    }
    return text;
  }
};

TEST_F(Lio, ListsItsSessionsByPortalGroup) {
  PutFolder("iscsi/discovery_auth");
  PutFolder("iscsi/iqn.disk/fabric_statistics");
  PutFolder("iscsi/iqn.disk/tpgt_1/np/0.0.0.0:3260");
  PutFolder("iscsi/iqn.disk/tpgt_1/np/[2001:db8::1]:3261");
  Put("iscsi/iqn.disk/tpgt_1/acls/iqn.one/info", Info("iqn.one", {"192.0.2.7"}));
  Put("iscsi/iqn.disk/tpgt_1/acls/iqn.two/info", Info("iqn.two", {"2001:db8::7", "192.0.2.8"}));
  Put("iscsi/iqn.disk/tpgt_1/acls/iqn.idle/info",
      "No active iSCSI Session for Initiator Endpoint: iqn.idle\n");
  EXPECT_THAT(Written(ReadLioSessions(root_)),
              ElementsAre("iqn.disk iqn.one :3260,2001:db8::1:3261 from 192.0.2.7:0 configfs",
                          "iqn.disk iqn.two :3260,2001:db8::1:3261 from 2001:db8::7:0 configfs",
                          "iqn.disk iqn.two :3260,2001:db8::1:3261 from 192.0.2.8:0 configfs"));
}

TEST_F(Lio, ListsTheTypesOfDevicesThatItEmulates) {
  const std::string group = "iscsi/iqn.disk/tpgt_1/";
  PutFolder(group + "np/192.0.2.1:3260");
  PutLink(group + "lun/lun_0/a1b2", "../../../../../../target/core/fileio_0/disk");
  PutLink(group + "lun/lun_1/a1b3", "../../../../../../target/core/pscsi_0/tape");
  PutLink(group + "lun/lun_300/a1b4", "../../../../../../target/core/iblock_1/disk");
  Put(group + "acls/iqn.one/info", Info("iqn.one", {"192.0.2.7"}));
  for (const char* mapped : {"lun_5/b1 lun_300", "lun_6/b2 lun_1"}) {
    const std::string text = mapped;
    PutLink(
        group + "acls/iqn.one/" + text.substr(0, text.find(' ')),
        "../../../../../../target/iscsi/iqn.disk/tpgt_1/lun/" + text.substr(text.find(' ') + 1));
  }
  Put(group + "dynamic_sessions", "iqn.two\n");
  const std::vector<HostSession> sessions = ReadLioSessions(root_);
  ASSERT_EQ(sessions.size(), 2);
  EXPECT_THAT(sessions[0].device_types, ElementsAre(Pair(Lun(5), 0)));
  EXPECT_THAT(sessions[1].device_types, ElementsAre(Pair(Lun(0), 0), Pair(Lun(300), 0)));
}

// targetcli writes the attribute udev_path. Without it the path is in the file info. Memory is on
// no device.
TEST_F(Lio, ListsTheStorageBehindItsLuns) {
  const std::string group = "iscsi/iqn.disk/tpgt_1/";
  PutFolder(group + "np/192.0.2.1:3260");
  const auto put = [&](const std::string& lun, const std::string& backstore) {
    PutLink(group + "lun/" + lun + "/a1b2", "../../../../../../target/core/" + backstore);
    PutFolder("core/" + backstore);
  };
  put("lun_0", "iblock_0/disk");
  Put("core/iblock_0/disk/udev_path", "/dev/vg/disk\n");
  put("lun_1", "fileio_1/file");
  Put("core/fileio_1/file/udev_path", "");
  Put("core/fileio_1/file/info",
      "Status: ACTIVATED  Max Queue Depth: 0  SectorSize: 512  HwMaxSectors: 16384\n"
      "        TCM FILEIO ID: 0        File: /srv/a  Size: b  Size: 1048576  Mode: O_DSYNC\n");
  put("lun_2", "rd_mcp_2/memory");
  Put("core/rd_mcp_2/memory/info", "RamDisk ID: 0  RamDisk Makeup: rd_mcp\n");
  put("lun_3", "iblock_3/other");
  Put("core/iblock_3/other/info",
      "Status: ACTIVATED  Max Queue Depth: 0  SectorSize: 512  HwMaxSectors: 16384\n"
      "        iBlock device: sdb  UDEV PATH: /dev/sdb  readonly: 0\n");
  Put(group + "acls/iqn.one/info", Info("iqn.one", {"192.0.2.7"}));
  PutLink(group + "acls/iqn.one/lun_5/b1",
          "../../../../../../target/iscsi/iqn.disk/tpgt_1/lun/lun_1");
  Put(group + "dynamic_sessions", "iqn.two\n");
  const std::vector<HostSession> sessions = ReadLioSessions(root_);
  ASSERT_EQ(sessions.size(), 2);
  EXPECT_THAT(sessions[0].luns, ElementsAre(Pair(Lun(5), LocalLun{.device = "/srv/a  Size: b"})));
  EXPECT_THAT(sessions[1].luns, ElementsAre(Pair(Lun(0), LocalLun{.device = "/dev/vg/disk"}),
                                            Pair(Lun(1), LocalLun{.device = "/srv/a  Size: b"}),
                                            Pair(Lun(3), LocalLun{.device = "/dev/sdb"})));
}

// Demo mode has no entry for the initiator, and so not its address.
TEST_F(Lio, ListsTheNamesOfDynamicSessions) {
  PutFolder("iscsi/iqn.disk/tpgt_1/np/192.0.2.1:3260");
  Put("iscsi/iqn.disk/tpgt_1/dynamic_sessions", "iqn.one\niqn.two\n\0"s);
  EXPECT_THAT(Written(ReadLioSessions(root_)),
              ElementsAre("iqn.disk iqn.one 192.0.2.1:3260 from :0 configfs",
                          "iqn.disk iqn.two 192.0.2.1:3260 from :0 configfs"));
}

TEST_F(Lio, ListsItsPortals) {
  Put("iscsi/iqn.disk/tpgt_1/np/0.0.0.0:3260/iser", "0\n");
  Put("iscsi/iqn.disk/tpgt_2/np/[2001:db8::1]:3261/iser", "1\n");
  PutFolder("iscsi/iqn.old/tpgt_1/np/192.0.2.1:3262");
  EXPECT_THAT(Written(ReadLioPortals(root_)),
              ElementsAre("0.0.0.0:3260 3260 configfs", "[2001:db8::1]:3261 3261 configfs iser",
                          "192.0.2.1:3262 3262 configfs"));
}

TEST_F(Lio, ThatIsNotLoadedListsNothing) {
  EXPECT_THAT(ReadLioSessions(root_ + "/nowhere"), IsEmpty());
  EXPECT_THAT(ReadLioPortals(root_ + "/nowhere"), IsEmpty());
}

}  // namespace
}  // namespace lunscope
