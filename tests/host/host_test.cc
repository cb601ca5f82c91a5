// SPDX-License-Identifier: Apache-2.0
//
// What the kernel's initiator, LIO and tgt say of their sessions, read from trees of files as these
// lay them out.
#include "collector/host/host.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collector/host/portals.h"
#include "tests/host/tree.h"

namespace lunscope {
namespace {

using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

uint64_t Lun(uint64_t first_two_bytes) { return first_two_bytes << 48; }

// "target initiator portal[,portal] from initiator:port source"
std::vector<std::string> Written(const std::vector<HostSession>& sessions) {
  std::vector<std::string> lines;
  for (const HostSession& session : sessions) {
    std::string portals;
    for (const SocketAddress& portal : session.portals)
      portals += fmt::format("{}{}:{}", portals.empty() ? "" : ",", portal.host, portal.port);
    lines.push_back(fmt::format("{} {} {} from {}:{} {}", session.target, session.initiator,
                                portals, session.initiator_address.host,
                                session.initiator_address.port, session.source));
  }
  return lines;
}

// "address port source [iser]"
std::vector<std::string> Written(const std::vector<Portal>& portals) {
  std::vector<std::string> lines;
  for (const Portal& portal : portals)
    lines.push_back(fmt::format("{} {} {}{}", portal.address, portal.port, portal.source,
                                portal.is_iser ? " iser" : ""));
  return lines;
}

TEST_F(Tree, TheTargetBelowAScsiHostIsThatOfItsSession) {
  Put("class/iscsi_host/host3/device/session5/iscsi_session/session5/targetname", "iqn.disk\n");
  Put("class/iscsi_host/host3/device/power/state", "on\n");
  PutFolder("class/iscsi_host/host4/device");
  EXPECT_EQ(ReadScsiHostTarget(root_, 3), "iqn.disk");
  EXPECT_EQ(ReadScsiHostTarget(root_, 4), "");
  EXPECT_EQ(ReadScsiHostTarget(root_, 5), "");
}

class KernelInitiator : public Tree {
 protected:
  // Attributes of scsi_transport_iscsi.c, each of which ends its line.
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

TEST_F(KernelInitiator, TellsTheEndsOfItsConnections) {
  PutSession(1, "iqn.disk", "192.0.2.1", "40001");
  PutSession(12, "iqn.tape", "2001:0db8:0000:0000:0000:0000:0000:0001", "40002");
  EXPECT_THAT(Written(ReadKernelInitiator(root_)),
              UnorderedElementsAre("iqn.disk iqn.host 192.0.2.1:3260 from :40001 sysfs",
                                   "iqn.tape iqn.host 2001:db8::1:3260 from :40002 sysfs"));
}

TEST_F(KernelInitiator, OfOldDoesNotTellItsPort) {
  PutSession(1, "iqn.disk", "192.0.2.1", "");
  EXPECT_THAT(Written(ReadKernelInitiator(root_)),
              ElementsAre("iqn.disk iqn.host 192.0.2.1:3260 from :0 sysfs"));
}

TEST_F(KernelInitiator, WithoutAConnectionTellsNothing) {
  EXPECT_THAT(ReadKernelInitiator(root_), IsEmpty());
  PutSession(1, "iqn.disk", "", "");
  EXPECT_THAT(ReadKernelInitiator(root_), IsEmpty());
  PutFolder("class/iscsi_connection/connection2:0");
  PutFolder("class/iscsi_connection/nonsense");
  EXPECT_THAT(ReadKernelInitiator(root_), IsEmpty());
}

TEST_F(KernelInitiator, TellsTheTypesOfItsDevices) {
  PutSession(1, "iqn.tapes", "192.0.2.1", "40001");
  const std::string device = "class/iscsi_session/session1/device/target0:0:0/0:0:0:";
  Put(device + "2/type", "1\n");
  Put(device + "16684/type", "8\n");  // 412ch: LUN 300 in flat space
  PutFolder(device + "7");
  PutFolder("class/iscsi_session/session1/device/connection1:0");
  EXPECT_THAT(ReadKernelInitiator(root_)[0].device_types,
              ElementsAre(Pair(Lun(0x0002), 1), Pair(Lun(0x412c), 8)));
}

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

TEST_F(Lio, TellsItsSessionsByPortalGroup) {
  PutFolder("iscsi/discovery_auth");
  PutFolder("iscsi/iqn.disk/fabric_statistics");
  PutFolder("iscsi/iqn.disk/tpgt_1/np/0.0.0.0:3260");
  PutFolder("iscsi/iqn.disk/tpgt_1/np/[2001:db8::1]:3261");
  Put("iscsi/iqn.disk/tpgt_1/acls/iqn.one/info", Info("iqn.one", {"192.0.2.7"}));
  Put("iscsi/iqn.disk/tpgt_1/acls/iqn.two/info", Info("iqn.two", {"2001:db8::7", "192.0.2.8"}));
  Put("iscsi/iqn.disk/tpgt_1/acls/iqn.idle/info",
      "No active iSCSI Session for Initiator Endpoint: iqn.idle\n");
  EXPECT_THAT(Written(ReadLio(root_)),
              ElementsAre("iqn.disk iqn.one :3260,2001:db8::1:3261 from 192.0.2.7:0 configfs",
                          "iqn.disk iqn.two :3260,2001:db8::1:3261 from 2001:db8::7:0 configfs",
                          "iqn.disk iqn.two :3260,2001:db8::1:3261 from 192.0.2.8:0 configfs"));
}

TEST_F(Lio, TellsTheTypesOfWhatItEmulates) {
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
  const std::vector<HostSession> sessions = ReadLio(root_);
  ASSERT_EQ(sessions.size(), 2);
  EXPECT_THAT(sessions[0].device_types, ElementsAre(Pair(Lun(5), 0)));
  EXPECT_THAT(sessions[1].device_types, ElementsAre(Pair(Lun(0), 0), Pair(Lun(300), 0)));
}

// Demo mode: no entry for the initiator, and so no address of it.
TEST_F(Lio, TellsTheNamesOfDynamicSessions) {
  PutFolder("iscsi/iqn.disk/tpgt_1/np/192.0.2.1:3260");
  Put("iscsi/iqn.disk/tpgt_1/dynamic_sessions", "iqn.one\niqn.two\n\0"s);
  EXPECT_THAT(Written(ReadLio(root_)),
              ElementsAre("iqn.disk iqn.one 192.0.2.1:3260 from :0 configfs",
                          "iqn.disk iqn.two 192.0.2.1:3260 from :0 configfs"));
}

TEST_F(Lio, TellsItsPortals) {
  Put("iscsi/iqn.disk/tpgt_1/np/0.0.0.0:3260/iser", "0\n");
  Put("iscsi/iqn.disk/tpgt_2/np/[2001:db8::1]:3261/iser", "1\n");
  PutFolder("iscsi/iqn.old/tpgt_1/np/192.0.2.1:3262");
  EXPECT_THAT(Written(ReadLioPortals(root_)),
              ElementsAre("0.0.0.0:3260 3260 configfs", "[2001:db8::1]:3261 3261 configfs iser",
                          "192.0.2.1:3262 3262 configfs"));
}

TEST_F(Lio, ThatIsNotThereTellsNothing) {
  EXPECT_THAT(ReadLio(root_ + "/nowhere"), IsEmpty());
  EXPECT_THAT(ReadLioPortals(root_ + "/nowhere"), IsEmpty());
}

TEST(Tgt, TellsItsSessions) {
  const std::string portals = "Portal: 127.0.0.1:3260,1\nPortal: [::1]:3260,1\n";
  const std::string targets =
      "Target 1: iqn.disk\n"
      "    System information:\n"
      "        Driver: iscsi\n"
      "        State: ready\n"
      "    I_T nexus information:\n"
      "        I_T nexus: 1\n"
      "            Initiator: iqn.one alias: none\n"
      "            Connection: 0\n"
      "                IP Address: 127.0.0.1\n"
      "        I_T nexus: 4\n"
      "            Initiator: iqn.two alias: a alias: b\n"
      "            Connection: 0\n"
      "                IP Address: ::1\n"
      "    LUN information:\n"
      "        LUN: 0\n"
      "            Type: controller\n"
      "Target 2: iqn.idle\n"
      "    I_T nexus information:\n"
      "    LUN information:\n"
      "Target 3: iqn.tape\n"
      "    I_T nexus information:\n"
      "        I_T nexus: 2\n"
      "            Initiator: iqn.one alias: none\n"
      "            Connection: 0\n"
      "                IP Address: 127.0.0.1\n";
  EXPECT_THAT(Written(ParseTgt(portals, targets)),
              ElementsAre("iqn.disk iqn.one 127.0.0.1:3260,::1:3260 from 127.0.0.1:0 tgtadm",
                          "iqn.disk iqn.two alias: a 127.0.0.1:3260,::1:3260 from ::1:0 tgtadm",
                          "iqn.tape iqn.one 127.0.0.1:3260,::1:3260 from 127.0.0.1:0 tgtadm"));
}

TEST(Tgt, TellsTheTypesOfItsDevices) {
  const auto nexus = [](const char* name) {
    return fmt::format("            Initiator: {} alias: none\n                IP Address: ::1\n",
                       name);
  };
  const auto lun = [](int number, const char* type) {
    return fmt::format("        LUN: {}\n            Type: {}\n", number, type);
  };
  const std::vector<HostSession> sessions = ParseTgt(
      "Portal: [::1]:3260,1\n",
      "Target 1: iqn.one\n" + nexus("iqn.a") + nexus("iqn.b") + lun(0, "controller") +
          lun(1, "cd/dvd") + lun(300, "tape") + lun(301, "passthrough") + "Target 2: iqn.two\n" +
          nexus("iqn.a") + lun(1, "changer") + lun(2, "osd") + lun(3, "disk"));
  ASSERT_EQ(sessions.size(), 3);
  const auto of_one = ElementsAre(Pair(Lun(0), 0x0c), Pair(Lun(1), 5), Pair(Lun(0x412c), 1));
  EXPECT_THAT(sessions[0].device_types, of_one);
  EXPECT_THAT(sessions[1].device_types, of_one);
  EXPECT_THAT(sessions[2].device_types,
              ElementsAre(Pair(Lun(1), 8), Pair(Lun(2), 0x11), Pair(Lun(3), 0)));
}

TEST(Tgt, ThatSaysNothingTellsNothing) {
  EXPECT_THAT(ParseTgt("", ""), IsEmpty());
  EXPECT_THAT(ParseTgt("Portal: \n", "Target 1\nTarget \n        IP Address: 127.0.0.1\n"),
              IsEmpty());
}

using TgtFolder = Tree;

// Files that are no control sockets, and one of a daemon that is no more.
TEST_F(TgtFolder, OfNoDaemonTellsNothing) {
  using std::chrono::milliseconds;
  EXPECT_THAT(ReadTgt(root_ + "/nowhere", milliseconds(1000)), IsEmpty());
  Put("socket.65000", "");
  Put("socket.65000.lock", "");
  Put("socket.", "");
  Put("socket.1;reboot", "");
  EXPECT_THAT(ReadTgt(root_, milliseconds(1000)), IsEmpty());
  EXPECT_THAT(ReadTgtPortals(root_, milliseconds(1000)), IsEmpty());
}

using Listeners = Tree;

// Lines of get_tcp4_sock() and get_tcp6_sock(), on a little-endian machine.
TEST_F(Listeners, AreThoseThatListen) {
  const std::string rest = " 00000000:00000000 00:00000000 00000000     0        0 121 1 0 100\n";
  Put("tcp",
      "  sl  local_address rem_address   st tx_queue\n"
      "   0: 0100007F:0CBC 00000000:0000 0A" +
          rest + "   1: 00000000:0CBD 00000000:0000 0A" + rest +
          "   2: 0100007F:0CBE 0100007F:D260 01" + rest);
  Put("tcp6",
      "  sl  local_address                         remote_address\n"
      "   0: 00000000000000000000000001000000:0CBC 00000000000000000000000000000000:0000 0A" +
          rest +
          "   1: 0000000000000000FFFF00000100007F:0CBF 00000000000000000000000000000000:0000 0A" +
          rest);
  EXPECT_THAT(Written(ReadListeners(root_)),
              ElementsAre("127.0.0.1:3260 3260 socket", "0.0.0.0:3261 3261 socket",
                          "[::1]:3260 3260 socket", "127.0.0.1:3263 3263 socket"));
}

TEST_F(Listeners, OfALineThatIsNoneAreNone) {
  EXPECT_THAT(ReadListeners(root_ + "/nowhere"), IsEmpty());
  Put("tcp", "");
  Put("tcp6", "headings\n   0: 00:0CBC 00:0000 0A\n   1: 0100007F 00:0000 0A\n   2:\n");
  EXPECT_THAT(ReadListeners(root_), IsEmpty());
}

}  // namespace
}  // namespace lunscope
