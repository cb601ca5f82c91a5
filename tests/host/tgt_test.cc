// SPDX-License-Identifier: Apache-2.0
//
// tgt's sessions, from the output of tgtadm.
#include "collector/host/tgt.h"

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

TEST(Tgt, ListsItsSessions) {
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

TEST(Tgt, ListsTheTypesOfItsDevices) {
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
  const auto types_of_one = ElementsAre(Pair(Lun(0), 0x0c), Pair(Lun(1), 5), Pair(Lun(0x412c), 1));
  EXPECT_THAT(sessions[0].device_types, types_of_one);
  EXPECT_THAT(sessions[1].device_types, types_of_one);
  EXPECT_THAT(sessions[2].device_types,
              ElementsAre(Pair(Lun(1), 8), Pair(Lun(2), 0x11), Pair(Lun(3), 0)));
}

// The folder of a LUN is a name that tgt's administrator chose: it may look like another line.
TEST(Tgt, ListsWhatIsBehindItsLuns) {
  const auto lun = [](int number, const std::string& path) {
    return fmt::format("        LUN: {}\n            Backing store path: {}\n", number, path);
  };
  const std::string nexus =
      "            Initiator: iqn.a alias: none\n                IP Address: ::1\n";
  const std::vector<HostSession> sessions = ParseTgt(
      "Portal: [::1]:3260,1\n", "Target 1: iqn.one\n" + nexus + lun(0, "None") +
                                    lun(1, "/srv/LUN: 7") + lun(300, "/dev/vg/disk") +
                                    "Target 2: iqn.idle\n" + lun(0, "None") + lun(2, "/srv/b"));
  ASSERT_EQ(sessions.size(), 2);
  const LocalLuns of_one = {{Lun(1), {.device = "/srv/LUN: 7"}},
                            {Lun(0x412c), {.device = "/dev/vg/disk"}}};
  EXPECT_EQ(sessions[0].luns, of_one);
  EXPECT_TRUE(sessions[0].has_connection);
  // Nobody has logged in to the other target, but somebody may.
  EXPECT_EQ(sessions[1].target, "iqn.idle");
  EXPECT_EQ(sessions[1].initiator, "");
  EXPECT_FALSE(sessions[1].has_connection);
  EXPECT_EQ(sessions[1].luns, (LocalLuns{{Lun(2), {.device = "/srv/b"}}}));
}

TEST(Tgt, OfEmptyOrCutOutputListsNothing) {
  EXPECT_THAT(ParseTgt("", ""), IsEmpty());
  EXPECT_THAT(ParseTgt("Portal: \n", "Target 1\nTarget \n        IP Address: 127.0.0.1\n"),
              IsEmpty());
}

using TgtFolder = Tree;

// Files that are not control sockets, and the socket of a daemon that has ended.
TEST_F(TgtFolder, WithoutADaemonListsNothing) {
  using std::chrono::milliseconds;
  EXPECT_THAT(ReadTgtSessions(root_ + "/nowhere", milliseconds(1000)), IsEmpty());
  Put("socket.65000", "");
  Put("socket.65000.lock", "");
  Put("socket.", "");
  Put("socket.1;reboot", "");
  EXPECT_THAT(ReadTgtSessions(root_, milliseconds(1000)), IsEmpty());
  EXPECT_THAT(ReadTgtPortals(root_, milliseconds(1000)), IsEmpty());
}

}  // namespace
}  // namespace lunscope
