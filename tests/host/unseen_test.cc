// SPDX-License-Identifier: Apache-2.0
//
// The findings of `lunscope check` about traffic that lunscope cannot see.
#include "collector/host/unseen.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/tree.h"
#include "tests/host/written.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;

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

TEST_F(UnseenTraffic, MayBeAbsent) {
  EXPECT_THAT(Found(), ElementsAre(kNothing));
  PutHost(1, "iscsi_tcp");
  PutFolder("sys/class/iscsi_transport/tcp");
  PutFolder("target/iscsi/iqn.disk/tpgt_1/np/192.0.2.1:3260");
  Put("proc/self/net/tls_stat", "TlsCurrTxSw                     \t0\n");
  EXPECT_THAT(Found(), ElementsAre(kNothing));
}

TEST_F(UnseenTraffic, UsesAdaptersAndRdma) {
  PutHost(1, "iscsi_tcp");
  PutHost(2, "cxgb4i");
  PutHost(3, "cxgb4i");
  PutHost(4, "iscsi_iser");
  PutHost(5, "");  // its driver was unloaded in between
  for (const char* transport : {"tcp", "iser", "cxgb4i", "qla4xxx"})
    PutFolder(fmt::format("sys/class/iscsi_transport/{}", transport));
  Put("target/iscsi/iqn.disk/tpgt_1/np/192.0.2.1:3260/iser", "1\n");
  EXPECT_THAT(
      Found(),
      ElementsAre(
          "warning offload cxgb4i: 2 adapters with an iSCSI stack outside the kernel's "
          "TCP: watch with --source scsi",
          "warning iSER initiator: 1 session over RDMA, not TCP: watch with --source scsi",
          "note offload qla4xxx: driver loaded, no adapter",
          "warning iSER target: 1 portal of LIO over RDMA, not TCP: watch with --source target"));
}

TEST_F(UnseenTraffic, MayComeFromDriversThatAreLoaded) {
  PutFolder("sys/class/iscsi_transport/iser");
  PutFolder("sys/module/ib_isert/holders");
  EXPECT_THAT(Found(), ElementsAre("note iSER initiator: driver loaded, no session",
                                   "note iSER target: driver loaded, no portal uses it"));
}

// Lines of tls_statistics_seq_show(). "Curr" counts open sockets; the others count all so far.
TEST_F(UnseenTraffic, UsesKernelTls) {
  Put("proc/self/net/tls_stat",
      "TlsCurrTxSw                     \t2\n"
      "TlsCurrRxSw                     \t1\n"
      "TlsCurrTxDevice                 \t1\n"
      "TlsCurrRxDevice                 \t0\n"
      "TlsTxSw                         \t900\n");
  EXPECT_THAT(
      Found(),
      ElementsAre("note kernel TLS: 3 sockets: iSCSI over TLS is encrypted and cannot be read"));
}

}  // namespace
}  // namespace lunscope
