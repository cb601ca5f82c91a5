// SPDX-License-Identifier: Apache-2.0
// The counters of connections and their tables of commands in flight. Records and walks repeat
// them, and each byte is counted once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using std::string_literals::operator""s;
using ::testing::IsEmpty;

constexpr lunscope_direction kSent = LUNSCOPE_SENT;
constexpr lunscope_direction kReceived = LUNSCOPE_RECEIVED;

TargetStatistics TargetOf(const Host& host, const char* name) {
  return host.See().targets.at({LUNSCOPE_ROLE_INITIATOR, name});
}

// A connection of the target kUnknownName alone, so that its sums are easy to read.
Conversation& Meet(Host& host) {
  return host.Opens(1)
      .Counts(kSent, ISCSI_SCSI_COMMAND, 10, 480)
      .Counts(kReceived, ISCSI_SCSI_RESPONSE, 9, 432)
      .LosesRecords(kSent, LUNSCOPE_LOSS_RATE, 5)
      .LosesRecords(kReceived, LUNSCOPE_LOSS_RATE, 2)
      .LosesRecords(kReceived, LUNSCOPE_LOSS_FULL, 1)
      .Retransmits(2);
}

void ExpectCountedOnce(const Host& host) {
  const TargetStatistics target = TargetOf(host, kUnknownName);
  EXPECT_EQ(target.pdus[kSent][ISCSI_SCSI_COMMAND], 10u);
  EXPECT_EQ(target.pdus[kReceived][ISCSI_SCSI_RESPONSE & 0x1f], 9u);
  EXPECT_EQ(target.bytes[kSent], 480u);
  EXPECT_EQ(target.bytes[kReceived], 432u);
  EXPECT_EQ(target.retransmits, 2u);
  EXPECT_EQ(target.records_lost[LUNSCOPE_LOSS_RATE], 7u);
  EXPECT_EQ(target.records_lost[LUNSCOPE_LOSS_FULL], 1u);
}

TEST(UnreadBytes, AreThoseOfTheLastWalk) {
  Host host;
  host.Opens(1).Leaves(100);
  host.Opens(2).Leaves(20);
  host.Walks();
  EXPECT_EQ(TargetOf(host, kUnknownName).walked.unread_bytes, 120u);
  host.Walks();
  EXPECT_EQ(TargetOf(host, kUnknownName).walked.unread_bytes, 120u);
}

// Bytes add up, and of times and windows the worst counts.
TEST(Walked, IsTheWorstOfTheLastWalk) {
  Host host;
  host.Opens(1)
      .Waits({.unacknowledged_ns = 5000,
              .unacknowledged_bytes = 100,
              .unsent_bytes = 7,
              .smoothed_rtt_us = 20})
      .Takes(0);
  host.Opens(2)
      .Waits({.unacknowledged_ns = 9000,
              .unacknowledged_bytes = 11,
              .smoothed_rtt_us = 3,
              .send_window_bytes = 1})
      .Takes(64, 5)
      .OwesAcknowledgements(7);
  host.Opens(3);  // nothing is known of it
  for (int walks = 0; walks < 2; walks++) {
    host.Walks();
    const WalkedConnections walked = TargetOf(host, kUnknownName).walked;
    EXPECT_EQ(walked.unacknowledged_bytes, 111u);
    EXPECT_EQ(walked.unacknowledged_ns, 9000u);
    EXPECT_EQ(walked.unsent_bytes, 7u);
    EXPECT_EQ(walked.smoothed_rtt_ns, 20'000u);
    EXPECT_EQ(walked.closed_send_windows, 1u);
    EXPECT_EQ(walked.command_window, 0u);
    EXPECT_EQ(walked.smallest_command_window, 0u);
    EXPECT_EQ(walked.unacknowledged_statuses, 7u);
    EXPECT_EQ(walked.closed_command_windows, 1u);
  }
  host.On(1).Drops();
  host.Walks();
  EXPECT_EQ(TargetOf(host, kUnknownName).walked.smallest_command_window, 5u);
  host.On(2).Drops();
  host.Walks();
  EXPECT_FALSE(TargetOf(host, kUnknownName).walked.unacknowledged_statuses);
  EXPECT_FALSE(TargetOf(host, kUnknownName).walked.command_window) << "no window is known";
}

TEST(Ends, AreCountedByHowAndDuring) {
  Host host;
  host.Opens(1).LogsIn().Ends(LUNSCOPE_END_TIMED_OUT);
  host.Opens(2).LogsIn().LogsOut().Ends(LUNSCOPE_END_CLOSED_HERE);
  host.Opens(3).RequestsLogin("TargetName=iqn.disk\0"s).Ends(LUNSCOPE_END_RESET_BY_PEER);
  host.Opens(4)
      .RequestsLogin("TargetName=iqn.disk\0"s)
      .AnswersLogin(2)
      .Ends(LUNSCOPE_END_CLOSED_BY_PEER);
  const auto& ends = TargetOf(host, kDisk).ends;
  const auto count = [&](lunscope_end end, During during) {
    return ends[end][static_cast<size_t>(during)];
  };
  EXPECT_EQ(count(LUNSCOPE_END_TIMED_OUT, During::kSession), 1u);
  EXPECT_EQ(count(LUNSCOPE_END_CLOSED_HERE, During::kAfterLogout), 1u);
  EXPECT_EQ(count(LUNSCOPE_END_RESET_BY_PEER, During::kUnansweredLogin), 1u);
  EXPECT_EQ(count(LUNSCOPE_END_CLOSED_BY_PEER, During::kTurnedAway), 1u);
}

TEST(Ends, OfAConnectHaveTheNamesOfTheOnlySessionOfThatPortal) {
  Host host;
  const auto refused = [&](const char* target) {
    return TargetOf(host, target).ends[LUNSCOPE_END_REFUSED][static_cast<size_t>(During::kConnect)];
  };
  host.Meets(1).FailsToConnect(LUNSCOPE_END_REFUSED);
  EXPECT_EQ(refused(kUnknownName), 1u) << "no session was seen there";
  host.Opens(2).LogsIn().Drops();
  host.Meets(3).FailsToConnect(LUNSCOPE_END_REFUSED);
  EXPECT_EQ(refused(kDisk), 1u);
  host.Opens(4).LogsIn({.target = "iqn.other", .isid = kIsid + 1});
  host.Meets(5).FailsToConnect(LUNSCOPE_END_REFUSED);
  EXPECT_EQ(refused(kUnknownName), 2u) << "two targets are there";
}

TEST(Troubles, AreToldOnce) {
  Host host;
  host.Opens(1).LogsIn();
  const Applied told = host.On(1).Tells(2, 1);
  EXPECT_EQ(told.troubles.gaps, 2u);
  EXPECT_EQ(told.troubles.header_digest_errors, 1u);
  EXPECT_FALSE(host.On(1).Tells(0, 0).troubles.any());
}

TEST(Counters, AreCountedByAWalk) {
  Host host;
  Meet(host);
  host.Walks();
  ExpectCountedOnce(host);
}

TEST(Counters, AreCountedByTheClosing) {
  Host host;
  Meet(host).Closes();
  ExpectCountedOnce(host);
}

TEST(Counters, AreCountedOnceByManyWalks) {
  Host host;
  Meet(host);
  for (int i = 0; i < 5; i++) host.Walks();
  ExpectCountedOnce(host);
}

TEST(Counters, AreCountedOnceByAWalkAndTheClosing) {
  Host host;
  Meet(host);
  host.Walks();
  host.On(1).Closes();
  ExpectCountedOnce(host);
}

TEST(Counters, GrowByTheDifference) {
  Host host;
  Meet(host);
  host.Walks();
  host.On(1).Counts(kSent, ISCSI_SCSI_COMMAND, 1, 48);
  host.Walks();
  EXPECT_EQ(TargetOf(host, kUnknownName).pdus[kSent][ISCSI_SCSI_COMMAND], 11u);
  EXPECT_EQ(TargetOf(host, kUnknownName).bytes[kSent], 528u);
}

// A walk reads the kernel's state; records that were made before may still be in the ring.
TEST(Counters, AreNotReducedByAStaleRecord) {
  Host host;
  const lunscope_connection_record opened = host.Meets(1).Record(LUNSCOPE_FLAG_OPENED);
  host.On(1).Counts(kSent, ISCSI_SCSI_COMMAND, 10, 480);
  host.Walks();
  host.Apply(opened);
  EXPECT_EQ(TargetOf(host, kUnknownName).bytes[kSent], 480u);
  host.Walks();
  EXPECT_EQ(TargetOf(host, kUnknownName).pdus[kSent][ISCSI_SCSI_COMMAND], 10u);
  EXPECT_EQ(TargetOf(host, kUnknownName).bytes[kSent], 480u);
}

TEST(Counters, OfAnUnknownConnectionThatClosesAreCounted) {
  Host host;
  host.Meets(1).Counts(kSent, ISCSI_SCSI_COMMAND, 3, 144).Closes();
  EXPECT_EQ(TargetOf(host, kUnknownName).bytes[kSent], 144u);
  EXPECT_EQ(host.model().FindConnection(1), nullptr);
}

// Counts from before the login stay where they are. Those that grow after it belong to the target.
TEST(Counters, GoToTheTargetOnceItIsKnown) {
  Host host;
  host.Opens(1).LogsIn();
  host.Walks();
  const uint64_t login_bytes = TargetOf(host, kDisk).bytes[kSent];
  EXPECT_EQ(login_bytes, ISCSI_BHS_BYTES + LoginText({}).size());
  EXPECT_EQ(TargetOf(host, kDisk).pdus[kSent][ISCSI_LOGIN_REQUEST], 1u);
  host.On(1).Completes(Read16(0, 1)).Closes();
  EXPECT_EQ(TargetOf(host, kDisk).bytes[kSent], login_bytes + ISCSI_BHS_BYTES);
}

TEST(Counters, OfTwoConnectionsAreSummed) {
  Host host;
  for (uint64_t id : {1, 2}) host.Opens(id).Counts(kSent, ISCSI_SCSI_COMMAND, 1, 48).Closes();
  EXPECT_EQ(TargetOf(host, kUnknownName).bytes[kSent], 96u);
}

TEST(Connection, IsGoneWhenItCloses) {
  Host host;
  host.Opens(1);
  EXPECT_NE(host.model().FindConnection(1), nullptr);
  host.On(1).Closes();
  EXPECT_EQ(host.model().FindConnection(1), nullptr);
}

// The record of the connection's end was lost. Two walks without the connection prove the end; one
// does not.
TEST(Connection, IsGoneWhenTwoWalksDoNotFindIt) {
  Host host;
  host.Opens(1).LogsIn();
  host.Walks();
  host.On(1).Vanishes();
  host.Walks();
  EXPECT_NE(host.model().FindConnection(1), nullptr);
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
  host.Walks();
  EXPECT_EQ(host.model().FindConnection(1), nullptr);
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0"));
}

TEST(Connection, ThatWalksFindStays) {
  Host host;
  host.Opens(1).LogsIn();
  for (int i = 0; i < 10; i++) host.Walks();
  EXPECT_NE(host.model().FindConnection(1), nullptr);
}

TEST(Connection, IsWrittenWithItsAddresses) {
  Host host;
  host.Meets(1).IsIpv6().Opens();
  EXPECT_EQ(host.model().FindConnection(1)->local, "[2001:db8::1]:40001");
  EXPECT_EQ(host.model().FindConnection(1)->remote, "[2001:db8::2]:3260");
}

// The first record of an accepted socket comes before any PDU shows the role.
TEST(Connection, LearnsItsRole) {
  Host host;
  host.Apply(Conversation(host, 1, LUNSCOPE_ROLE_UNKNOWN).Record(LUNSCOPE_FLAG_OPENED));
  host.Meets(1, LUNSCOPE_ROLE_TARGET).LogsIn().Completes(Read16(0, 1));
  EXPECT_EQ(host.model().FindConnection(1)->role, LUNSCOPE_ROLE_TARGET);
  EXPECT_EQ(host.See().targets.at({LUNSCOPE_ROLE_TARGET, kDisk}).luns.at(0).read_bytes, 512u);
}

// A record can be older than what the model knows by now. A table of commands in flight, for
// example, has the role of its own time. If the role was unknown then, the model keeps the role
// that it has.
TEST(Connection, KeepsTheRoleThatItLearned) {
  Host host;
  host.Opens(1).LogsIn();
  lunscope_connection_record old = host.On(1).Record();
  old.header.role = LUNSCOPE_ROLE_UNKNOWN;
  host.Apply(old);
  EXPECT_EQ(host.model().FindConnection(1)->role, LUNSCOPE_ROLE_INITIATOR);
  EXPECT_EQ(host.model().FindConnection(1)->target->first.name, kDisk);
}

struct InflightRow {
  const char* what;
  std::vector<Task> tasks;
  uint64_t outstanding;  // of LUN 1
  uint64_t oldest_start_ns;
};

const InflightRow kInflight[] = {
    {"none", {}, 0, 0},
    {"one", {{Lun(1), 500}}, 1, 500},
    {"the oldest comes first", {{Lun(1), 500}, {Lun(1), 700}}, 2, 500},
    {"the oldest comes last", {{Lun(1), 700}, {Lun(1), 600}, {Lun(1), 500}}, 3, 500},
    {"another LUN's is older", {{Lun(2), 100}, {Lun(1), 500}}, 1, 500},
};

TEST(Inflight, IsOutstandingAndHasAnOldest) {
  for (const InflightRow& row : kInflight) {
    Host host;
    host.Opens(1).LogsIn().Completes(Command(TestUnitReady()).OnLun(Lun(1))).Holds(row.tasks);
    host.Walks();
    const TargetStatistics target = TargetOf(host, kDisk);
    EXPECT_EQ(target.luns.at(Lun(1)).outstanding, row.outstanding) << row.what;
    EXPECT_EQ(target.luns.at(Lun(1)).oldest_start_ns, row.oldest_start_ns) << row.what;
  }
}

TEST(Inflight, IsThatOfTheLastWalk) {
  Host host;
  host.Opens(1).LogsIn().Holds({{Lun(1), 500}, {Lun(1), 600}});
  host.Walks();
  host.Walks();
  EXPECT_EQ(TargetOf(host, kDisk).luns.at(Lun(1)).outstanding, 2u);
  host.On(1).Holds({});
  host.Walks();
  EXPECT_EQ(TargetOf(host, kDisk).luns.at(Lun(1)).outstanding, 0u);
  EXPECT_EQ(TargetOf(host, kDisk).luns.at(Lun(1)).oldest_start_ns, 0u);
}

TEST(Inflight, OfTwoConnectionsIsSummed) {
  Host host;
  host.Opens(1).LogsIn({.isid = 1}).Holds({{Lun(1), 500}});
  host.Opens(2).LogsIn({.isid = 2}).Holds({{Lun(1), 400}, {Lun(1), 600}});
  host.Walks();
  EXPECT_EQ(TargetOf(host, kDisk).luns.at(Lun(1)).outstanding, 3u);
  EXPECT_EQ(TargetOf(host, kDisk).luns.at(Lun(1)).oldest_start_ns, 400u);
}

TEST(Inflight, OfAFullTableIsWhole) {
  Host host;
  host.Opens(1).LogsIn().Holds(std::vector<Task>(LUNSCOPE_TRACKED_COMMANDS, Task{Lun(1), 500}));
  host.Walks();
  EXPECT_EQ(TargetOf(host, kDisk).luns.at(Lun(1)).outstanding, uint64_t{LUNSCOPE_TRACKED_COMMANDS});
}

// The rings are drained during a walk. Counters that the walk read before a connection ended must
// neither bring the connection back nor count its PDUs again.
TEST(Connections, ThatEndInTheMidstOfAWalkStayGone) {
  Model model;
  Host host;
  host.HandOn([&](const lunscope_record& record) { model.Apply(record); });
  host.Opens(1).LogsIn().Counts(LUNSCOPE_SENT, ISCSI_NOP_OUT, 5, 240);
  const lunscope_connection_record walked = host.On(1).Record();
  model.BeginWalk(0);
  host.On(1).Closes();
  model.Apply(walked.header);
  model.EndWalk();
  EXPECT_EQ(model.FindConnection(1), nullptr);
  EXPECT_EQ(model.TakeSnapshot()
                .targets.at({LUNSCOPE_ROLE_INITIATOR, kDisk})
                .pdus[LUNSCOPE_SENT][ISCSI_NOP_OUT],
            5u);
  // After the walk, the number may belong to another connection.
  model.Apply(walked.header);
  EXPECT_NE(model.FindConnection(1), nullptr);
}

// While a snapshot is taken, records come in, and sessions and connections end.
TEST(Connections, AndSessionsMayEndInTheMidstOfASnapshot) {
  Model model;
  Host host;
  host.HandOn([&](const lunscope_record& record) { model.Apply(record); });
  for (uint64_t id = 1; id <= 100; id++) {
    host.Opens(id)
        .LogsIn({.target = "iqn." + std::to_string(id), .isid = id})
        .Completes(Read16(0, 8));
  }
  uint64_t pauses = 0;
  const Snapshot snapshot = model.TakeSnapshot([&] {
    pauses++;
    if (pauses <= 100) host.On(101 - pauses).Completes(Write16(0, 8)).LogsOut().Closes();
    host.Opens(1000 + pauses).LogsIn({.isid = 1000 + pauses});
  });
  EXPECT_GT(pauses, 100u);
  EXPECT_GE(snapshot.targets.size(), 100u);
  for (const auto& [key, target] : snapshot.targets) {
    if (key.name == kUnknownName) continue;
    for (const auto& [number, lun] : target.luns) EXPECT_EQ(lun.read_bytes, 4096u) << key.name;
  }
}

}  // namespace
}  // namespace lunscope
