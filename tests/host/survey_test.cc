// SPDX-License-Identifier: Apache-2.0
//
// What `lunscope check` says of the host.
#include "collector/host/survey.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lunscope/types.h>

#include "collector/host/unseen.h"
#include "tests/host/tree.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;

// "warning name: detail"
std::vector<std::string> Written(const std::vector<Finding>& findings) {
  constexpr const char* kStates[] = {"ok", "note", "warning", "failure"};
  std::vector<std::string> lines;
  for (const Finding& finding : findings)
    lines.push_back(fmt::format("{} {}: {}", kStates[static_cast<int>(finding.state)], finding.name,
                                finding.detail));
  return lines;
}

TEST(Portals, AreThoseOfThePortsThatAreWatched) {
  const std::vector<Portal> listeners = {{"127.0.0.1:3260", 3260, "socket"},
                                         {"0.0.0.0:22", 22, "socket"},
                                         {"[::1]:3260", 3260, "socket"}};
  EXPECT_THAT(Written(DescribePortals(listeners, {}, {3260, 3261})),
              ElementsAre("note port 3260: listens on 127.0.0.1:3260, [::1]:3260",
                          "note port 3261: nobody listens in this network namespace"));
}

TEST(Portals, OnOtherPortsAreAWarning) {
  const std::vector<Portal> portals = {{"127.0.0.1:3260", 3260, "tgtadm"},
                                       {"127.0.0.1:3261", 3261, "tgtadm"},
                                       {"[::1]:3262", 3262, "configfs"},
                                       {"192.0.2.1:3263", 3263, "configfs", true}};
  EXPECT_THAT(
      Written(DescribePortals({}, portals, {3260})),
      ElementsAre("note port 3260: nobody listens in this network namespace",
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
  EXPECT_THAT(Written(DescribeSessions({used, served}, {3260})),
              ElementsAre("note sysfs: uses iqn.disk",
                          "warning tgtadm: serves iqn.\\x1b[2J: not watched, add --port 3261 "
                          "--port 3262"));
  EXPECT_THAT(Written(DescribeSessions({used, served}, {3260, 3262})),
              ElementsAre("note sysfs: uses iqn.disk", "note tgtadm: serves iqn.\\x1b[2J"));
  EXPECT_THAT(Written(DescribeSessions({}, {3260})),
              ElementsAre("note sessions: none that sysfs, LIO or tgt tell of"));
}

class UnseenTraffic : public Tree {
 protected:
  void PutHost(int number, const std::string& driver) {
    PutFolder(fmt::format("sys/class/iscsi_host/host{}", number));
    Put(fmt::format("sys/class/scsi_host/host{}/proc_name", number), driver + "\n");
  }
  [[nodiscard]] std::vector<std::string> Found() const {
    return Written(FindUnseen(root_ + "/sys", root_ + "/proc", root_ + "/target"));
  }
};

constexpr const char* kNothing = "ok traffic: no iSER, offload adapter or kernel TLS found";

TEST_F(UnseenTraffic, IsNotThere) {
  EXPECT_THAT(Found(), ElementsAre(kNothing));
  PutHost(1, "iscsi_tcp");
  PutFolder("sys/class/iscsi_transport/tcp");
  PutFolder("target/iscsi/iqn.disk/tpgt_1/np/192.0.2.1:3260");
  Put("proc/self/net/tls_stat", "TlsCurrTxSw                     \t0\n");
  EXPECT_THAT(Found(), ElementsAre(kNothing));
}

TEST_F(UnseenTraffic, IsOfAdaptersAndRdma) {
  PutHost(1, "iscsi_tcp");
  PutHost(2, "cxgb4i");
  PutHost(3, "cxgb4i");
  PutHost(4, "iscsi_iser");
  PutHost(5, "");  // it went while it was looked at
  for (const char* transport : {"tcp", "iser", "cxgb4i", "qla4xxx"})
    PutFolder(fmt::format("sys/class/iscsi_transport/{}", transport));
  Put("target/iscsi/iqn.disk/tpgt_1/np/192.0.2.1:3260/iser", "1\n");
  EXPECT_THAT(
      Found(),
      ElementsAre("warning offload cxgb4i: 2 adapters that speak iSCSI themselves, beside the "
                  "kernel's TCP",
                  "warning iSER initiator: 1 SCSI hosts over RDMA, not TCP",
                  "note offload qla4xxx: driver loaded, no adapter",
                  "warning iSER target: 1 portals of LIO over RDMA, not TCP"));
}

TEST_F(UnseenTraffic, MayComeOfDriversThatAreLoaded) {
  PutFolder("sys/class/iscsi_transport/iser");
  PutFolder("sys/module/ib_isert/holders");
  EXPECT_THAT(Found(), ElementsAre("note iSER initiator: driver loaded, no session",
                                   "note iSER target: driver loaded, no portal uses it"));
}

// Lines of tls_statistics_seq_show(): now sending, now receiving, and what was once.
TEST_F(UnseenTraffic, IsOfKernelTls) {
  Put("proc/self/net/tls_stat",
      "TlsCurrTxSw                     \t2\n"
      "TlsCurrRxSw                     \t1\n"
      "TlsCurrTxDevice                 \t1\n"
      "TlsCurrRxDevice                 \t0\n"
      "TlsTxSw                         \t900\n");
  EXPECT_THAT(Found(),
              ElementsAre("note kernel TLS: 3 sockets; iSCSI in one of them is encrypted"));
}

}  // namespace
}  // namespace lunscope
