// SPDX-License-Identifier: Apache-2.0
//
// The parts of the model, each without those above it: the table of connections, commands, logins
// and layers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "collector/model/commands.h"
#include "collector/model/connections.h"
#include "collector/model/layers.h"
#include "collector/model/logins.h"
#include "collector/model/traffic.h"
#include "tests/model/layers.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kMaxLabelSets = 100;

lunscope_record Header(uint64_t connection, lunscope_record_kind kind,
                       uint8_t role = LUNSCOPE_ROLE_INITIATOR) {
  lunscope_record header{};
  header.connection = connection;
  header.kind = static_cast<uint8_t>(kind);
  header.role = role;
  return header;
}

class ConnectionsTest : public ::testing::Test {
 protected:
  Connection& Meet(uint64_t id) { return connections_.Of(Header(id, LUNSCOPE_RECORD_COMMAND)); }
  // Walks that find these connections.
  void Walk(const std::vector<uint64_t>& found) {
    connections_.BeginWalk();
    for (const uint64_t id : found) {
      lunscope_connection_record read{};
      read.header = Header(id, LUNSCOPE_RECORD_CONNECTION);
      connections_.Describe(connections_.Of(read.header), read);
    }
    connections_.EndWalk(true, {}, [this](Connection& gone) {
      closed_.push_back(gone.id);
      connections_.Forget(gone);
    });
  }

  Series series_{kMaxLabelSets};
  Connections connections_{series_};
  std::vector<uint64_t> closed_;
};

TEST_F(ConnectionsTest, AConnectionStaysWhereItIs) {
  const Connection* first = &Meet(1);
  // The same place among those that are found without a search.
  Meet(1 + (1 << 14));
  for (uint64_t id = 2; id < 100; id++) Meet(id);
  EXPECT_EQ(&Meet(1), first);
  EXPECT_EQ(connections_.Find(1), first);
}

TEST_F(ConnectionsTest, OneThatIsForgottenIsMetAnew) {
  Meet(1).initiator = "iqn.host";
  connections_.Forget(Meet(1));
  EXPECT_EQ(connections_.Find(1), nullptr);
  EXPECT_EQ(Meet(1).initiator, "");
}

TEST_F(ConnectionsTest, TwoWalksThatMissItEndIt) {
  Meet(1);
  Meet(2);
  Walk({1, 2});
  Walk({2});
  EXPECT_THAT(closed_, IsEmpty());
  Walk({2});
  EXPECT_THAT(closed_, ElementsAre(1));
}

TEST_F(ConnectionsTest, ARecordOfAWalkIsStaleOnceItsConnectionIsForgotten) {
  Meet(1);
  connections_.BeginWalk();
  connections_.Forget(Meet(1));
  EXPECT_TRUE(connections_.IsStale(Header(1, LUNSCOPE_RECORD_INFLIGHT)));
  EXPECT_FALSE(connections_.IsStale(Header(1, LUNSCOPE_RECORD_COMMAND)));
  EXPECT_FALSE(connections_.IsStale(Header(2, LUNSCOPE_RECORD_INFLIGHT)));
  connections_.EndWalk(true, {}, [](Connection&) {});
  EXPECT_FALSE(connections_.IsStale(Header(1, LUNSCOPE_RECORD_INFLIGHT)));
}

TEST(CommandCounter, SaysWhatItCounted) {
  Series series(kMaxLabelSets);
  Connection connection;
  series.Assign(connection, {LUNSCOPE_ROLE_INITIATOR, kDisk});
  CommandCounter commands(series);
  const Command read = Read16(0, 8).OnLun(Lun(3)).Taking(5);
  const Applied applied = commands.Apply(connection, read.record.command);
  EXPECT_EQ(applied.connection, &connection);
  EXPECT_EQ(applied.nexus, nullptr);
  EXPECT_EQ(applied.lun, &connection.target->second.luns.at(Lun(3)));
  EXPECT_EQ(applied.operation, SCSI_OPERATION_READ);
  EXPECT_EQ(applied.device_type, kUnknownDeviceType);
  EXPECT_EQ(applied.lun->operations[SCSI_OPERATION_READ]->duration_ns.sum(), 5u);
}

TEST(Traffic, IsCountedByWhatItHasGrown) {
  Series series(kMaxLabelSets);
  Connection connection;
  series.Assign(connection, {LUNSCOPE_ROLE_INITIATOR, kDisk});
  lunscope_connection_record read{};
  for (const uint64_t bytes : {100, 150, 120, 160}) {  // the third is an old record
    read.traffic[LUNSCOPE_SENT].bytes = bytes;
    CountTraffic(connection, read);
  }
  EXPECT_EQ(connection.target->second.bytes[LUNSCOPE_SENT], 160u);
}

TEST(Logins, AFailedOneOpensNoSession) {
  Series series(kMaxLabelSets);
  Logins logins(series, 1);
  Connection connection;
  series.Assign(connection, {LUNSCOPE_ROLE_INITIATOR, kUnknownName});
  lunscope_pdu_record pdu{};
  pdu.last = 1;
  pdu.bhs[0] = ISCSI_LOGIN_RESPONSE;
  pdu.bhs[36] = 2;  // status class: initiator error (RFC 7143 section 11.13.5)
  logins.Apply(connection, pdu);
  EXPECT_THAT(logins.sessions().all(), IsEmpty());
  EXPECT_EQ(connection.target->second.login_failures[LoginFailureOf(0x0200)], 1u);
}

// Records of commands alone could fill the table: that of the nexus may be lost.
TEST(Layers, TheNexusThatWasNotUsedForLongestMakesRoom) {
  Series series(kMaxLabelSets);
  CommandCounter commands(series);
  Layers layers(series, commands, {});
  for (uint64_t number = 1; number <= Layers::kMaxNexuses; number++)
    layers.Apply(Dispatched(number, Read16(0, 8)).record);
  layers.Apply(Dispatched(1, Read16(0, 8)).record);
  layers.Apply(Dispatched(Layers::kMaxNexuses + 1, Read16(0, 8)).record);
  EXPECT_NE(layers.Find(LUNSCOPE_NEXUS_BIT | 1), nullptr);
  EXPECT_EQ(layers.Find(LUNSCOPE_NEXUS_BIT | 2), nullptr);
  EXPECT_NE(layers.Find(LUNSCOPE_NEXUS_BIT | (Layers::kMaxNexuses + 1)), nullptr);
}

TEST(Layers, ATimeoutIsNoEnd) {
  Series series(kMaxLabelSets);
  CommandCounter commands(series);
  Layers layers(series, commands, {});
  const Applied applied = layers.Apply(Dispatched(1, Read16(0, 8)).TimingOut().record);
  EXPECT_NE(applied.nexus, nullptr);
  EXPECT_EQ(applied.connection, nullptr);
  EXPECT_EQ(applied.lun->timeouts, 1u);
  EXPECT_EQ(applied.lun->operations[SCSI_OPERATION_READ], nullptr);
}

}  // namespace
}  // namespace lunscope
