// SPDX-License-Identifier: Apache-2.0
//
// The findings of `lunscope check` about portals and sessions.
#include "collector/host/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lunscope/types.h>

#include "tests/host/written.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;

TEST(Portals, OnWatchedPortsAreListed) {
  const std::vector<Portal> listeners = {{"127.0.0.1:3260", 3260, "socket"},
                                         {"0.0.0.0:22", 22, "socket"},
                                         {"[::1]:3260", 3260, "socket"}};
  EXPECT_THAT(Written(DescribePortals(listeners, {}, {3260, 3261})),
              ElementsAre("note port 3260: listening on 127.0.0.1:3260, [::1]:3260",
                          "note port 3261: no socket listens in this network namespace"));
}

TEST(Portals, OnOtherPortsAreAWarning) {
  const std::vector<Portal> portals = {{"127.0.0.1:3260", 3260, "tgtadm"},
                                       {"127.0.0.1:3261", 3261, "tgtadm"},
                                       {"[::1]:3262", 3262, "configfs"},
                                       {"192.0.2.1:3263", 3263, "configfs", true}};
  EXPECT_THAT(
      Written(DescribePortals({}, portals, {3260})),
      ElementsAre("note port 3260: no socket listens in this network namespace",
                  "warning other port: 127.0.0.1:3261 of tgt is not watched: add --port 3261",
                  "warning other port: [::1]:3262 of LIO is not watched: add --port 3262"));
}

TEST(Sessions, OnOtherPortsAreAWarning) {
  HostSession used;
  used.role = LUNSCOPE_ROLE_INITIATOR;
  used.target = "iqn.disk";
  used.portals = {{"192.0.2.1", 3260}};
  used.source = "sysfs";
  HostSession served;
  served.role = LUNSCOPE_ROLE_TARGET;
  served.target = "iqn.\x1b[2J";
  served.portals = {{"", 3261}, {"::1", 3262}};
  served.source = "tgtadm";
  EXPECT_THAT(
      Written(DescribeSessions({used, served}, {3260})),
      ElementsAre("note sysfs: this host uses iqn.disk",
                  "warning tgtadm: this host serves iqn.\\x1b[2J, which is not watched: add "
                  "--port 3261 --port 3262"));
  EXPECT_THAT(Written(DescribeSessions({used, served}, {3260, 3262})),
              ElementsAre("note sysfs: this host uses iqn.disk",
                          "note tgtadm: this host serves iqn.\\x1b[2J"));
  // A target that nobody has logged in to is no session.
  served.has_connection = false;
  EXPECT_THAT(Written(DescribeSessions({served}, {3260})),
              ElementsAre("note sessions: sysfs, LIO and tgt list no session"));
  EXPECT_THAT(Written(DescribeSessions({}, {3260})),
              ElementsAre("note sessions: sysfs, LIO and tgt list no session"));
}

}  // namespace
}  // namespace lunscope
