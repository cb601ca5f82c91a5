// SPDX-License-Identifier: Apache-2.0
// The limit of label sets: series beyond it count for the overflow target, and all sums stay right.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using ::testing::Contains;

struct Sums {
  uint64_t commands = 0;
  uint64_t read_bytes = 0;
  uint64_t errors = 0;
  uint64_t label_sets = 0;  // without the overflow target's

  explicit Sums(const Snapshot& snapshot) {
    for (const auto& [key, target] : snapshot.targets) {
      const bool is_overflow = key.name == kOverflowName;
      label_sets += is_overflow ? 0 : 1;
      for (const auto& [number, lun] : target.luns) {
        label_sets += is_overflow ? 0 : 1;
        read_bytes += lun.read_bytes;
        for (const auto& [code, count] : lun.errors) errors += count;
        for (const auto& operation : lun.operations) {
          if (!operation) continue;
          commands += operation->duration_ns.count();
          label_sets += is_overflow ? 0 : 1;
        }
      }
    }
  }
};

TEST(LabelSets, AreAsManyAsTheCapAndSumsStayRight) {
  for (size_t cap : {0, 1, 2, 3, 4, 7, 20, 100, 10'000}) {
    Host host({.max_label_sets = cap});
    for (uint64_t id = 1; id <= 5; id++) {
      Conversation& conversation = host.Opens(id).LogsIn({.target = "iqn." + std::to_string(id)});
      for (uint8_t lun = 0; lun < 10; lun++) {
        conversation.Completes(Read16(0, 1).OnLun(Lun(lun)))
            .Completes(Write16(0, 1).OnLun(Lun(lun)))
            .Completes(Read16(0, 1).OnLun(Lun(lun)).Sensing(5, 0x21, 0));
      }
    }
    const Snapshot snapshot = host.See();
    const Sums sums(snapshot);
    EXPECT_EQ(sums.commands, 150u) << cap;
    EXPECT_EQ(sums.read_bytes, 100u * 512) << cap;
    EXPECT_EQ(sums.errors, 50u) << cap;
    EXPECT_LE(sums.label_sets, cap);
    // 6 targets (one unknown), 50 LUNs, 100 operations.
    EXPECT_EQ(snapshot.dropped_series != 0, cap < 156) << cap;
  }
}

TEST(LabelSets, BeyondTheCapGoToTheOverflowTargetOfTheRole) {
  Host host({.max_label_sets = 0});
  host.Opens(1, LUNSCOPE_ROLE_INITIATOR).LogsIn().Completes(Read16(0, 1));
  host.Opens(2, LUNSCOPE_ROLE_TARGET).LogsIn().Completes(Read16(0, 2));
  const Snapshot snapshot = host.See();
  const auto bytes_of = [&](uint8_t role) {
    return snapshot.targets.at({role, kOverflowName}).luns.at(kOverflowLun).read_bytes;
  };
  EXPECT_EQ(bytes_of(LUNSCOPE_ROLE_INITIATOR), 512u);
  EXPECT_EQ(bytes_of(LUNSCOPE_ROLE_TARGET), 1024u);
}

TEST(LabelSets, ThatWereGivenAreKept) {
  Host host({.max_label_sets = 4});  // unknown, iqn.disk, LUN 0, reads of LUN 0
  host.Opens(1).LogsIn().Completes(Read16(0, 1));
  host.Opens(2).LogsIn({.target = "iqn.late"}).Completes(Read16(0, 1));
  host.On(1).Completes(Read16(0, 1));
  const Snapshot snapshot = host.See();
  EXPECT_THAT(host.Targets(), Contains("initiator/iqn.disk"));
  EXPECT_EQ(snapshot.targets.at({LUNSCOPE_ROLE_INITIATOR, kDisk}).luns.at(0).read_bytes, 1024u);
  EXPECT_GT(snapshot.dropped_series, 0u);
}

// A new target gets its place, and the session that was there keeps its own, while names are made
// up as fast as can be.
TEST(LabelSets, MadeUpNamesShutNobodyOut) {
  Host host({.max_label_sets = 50});
  host.Opens(1).LogsIn({.target = "iqn.known"}).Completes(Read16(0, 1));
  for (uint64_t i = 0; i < 2000; i++) {
    const bool succeeds = i % 2 == 0;
    Conversation& conversation = host.Opens(100 + i);
    const Login made_up{.initiator = "iqn.i" + std::to_string(i),
                        .target = "iqn.t" + std::to_string(i)};
    if (succeeds) {
      conversation.LogsIn(made_up).Completes(Read16(0, 1)).LogsOut();
    } else {
      conversation.RequestsLogin(LoginText(made_up)).AnswersLogin(2);
    }
    conversation.Drops();
  }
  host.Opens(2).LogsIn({.target = "iqn.new"}).Completes(Read16(0, 4));
  host.On(1).Completes(Read16(0, 1));
  const Snapshot snapshot = host.See();
  const auto read_bytes = [&](const char* target) {
    return snapshot.targets.at({kInitiator, target}).luns.at(0).read_bytes;
  };
  EXPECT_EQ(read_bytes("iqn.new"), 4u * 512);
  EXPECT_EQ(read_bytes("iqn.known"), 2u * 512);
  const Sums sums(snapshot);
  EXPECT_LE(sums.label_sets, 50u);
  EXPECT_EQ(sums.read_bytes, (1000u + 2 + 4) * 512);
  uint64_t logins = 0;
  uint64_t failures = 0;
  for (const auto& [key, target] : snapshot.targets) {
    logins += target.logins;
    failures += target.login_failures[LoginFailureOf(0x0200)];
  }
  EXPECT_EQ(logins, 1002u);
  EXPECT_EQ(failures, 1000u);
}

// The first walk comes long after the host has started, and its clock may be another one than that
// of the records: a capture has the wall clock's.
TEST(LabelSets, AFailedLoginStaysForAWhile) {
  for (const uint64_t walk_ns : {uint64_t{1}, uint64_t{9'000'000'000'000}}) {
    Model model;
    Host host;
    host.now_ns = 5'000'000'000'000;
    host.HandOn([&](const lunscope_record& record) { model.Apply(record); });
    host.Opens(1).RequestsLogin(LoginText({})).AnswersLogin(2).Drops();
    model.BeginWalk(std::min(walk_ns, host.now_ns + 1));
    model.EndWalk();
    EXPECT_TRUE(model.TakeSnapshot().targets.contains({kInitiator, kDisk})) << walk_ns;
    host.now_ns += 700'000'000'000;
    host.Opens(2).LogsIn({.target = "iqn.other"});
    model.BeginWalk(1);
    EXPECT_FALSE(model.TakeSnapshot().targets.contains({kInitiator, kDisk})) << walk_ns;
  }
}

// Records come in while a scrape copies the table.
TEST(LabelSets, TargetsComeAndGoDuringAScrape) {
  Model model({.max_label_sets = 20});
  Host host;
  host.HandOn([&](const lunscope_record& record) { model.Apply(record); });
  uint64_t id = 0;
  const auto come_and_go = [&] {
    host.Opens(++id)
        .LogsIn({.target = "iqn." + std::to_string(id)})
        .Completes(Read16(0, 1))
        .Drops();
  };
  for (int i = 0; i < 50; i++) come_and_go();
  for (int scrape = 0; scrape < 5; scrape++) {
    const Snapshot snapshot = model.TakeSnapshot(come_and_go);
    uint64_t logins = 0;
    for (const auto& [key, target] : snapshot.targets) logins += target.logins;
    EXPECT_GT(logins, 20u);
    EXPECT_LE(Sums(model.TakeSnapshot()).label_sets, 20u);
  }
  uint64_t logins = 0;
  for (const auto& [key, target] : model.TakeSnapshot().targets) logins += target.logins;
  EXPECT_EQ(logins, id);
}

// The overflow target is lunscope's own, and so are the other stand-ins.
TEST(LabelSets, StandInsCannotBeClaimed) {
  Host host;
  uint64_t id = 0;
  for (const char* name : {kOverflowName, kUnknownName, kDiscoveryName, "\\x6fverflow"})
    host.Opens(++id).LogsIn({.initiator = name, .target = name}).Completes(Read16(0, 1));
  const Snapshot snapshot = host.See();
  for (const char* name : {"\\x6fverflow", "\\x75nknown", "\\x64iscovery", "\\x5cx6fverflow"})
    EXPECT_EQ(snapshot.targets.at({kInitiator, name}).logins, 1u) << name;
  EXPECT_FALSE(snapshot.targets.contains({kInitiator, kOverflowName}));
}

// Many LUNs share the overflow LUN: the type of one says nothing about another.
TEST(LabelSets, BeyondTheCapADeviceTypeIsThatOfItsLunAlone) {
  constexpr uint8_t kTape = 0x01;
  const Command write_same({SCSI_WRITE_SAME_16}, ISCSI_COMMAND_WRITE);  // a tape's ERASE(16)
  Host host({.max_label_sets = 2});
  host.Opens(1).LogsIn().Reads({SCSI_INQUIRY, 0, 0, 0, 36, 0}, {kTape}, Lun(1));
  for (const uint8_t lun : {1, 2}) host.On(1).Completes(Command(write_same).OnLun(Lun(lun)));
  const Snapshot snapshot = host.See();
  const LunStatistics& overflow =
      snapshot.targets.at({kInitiator, kOverflowName}).luns.at(kOverflowLun);
  EXPECT_EQ(overflow.operations[SCSI_OPERATION_OTHER]->duration_ns.count(), 1u);
  EXPECT_EQ(overflow.operations[SCSI_OPERATION_WRITE]->duration_ns.count(), 1u);
}

// A hostile target cannot make the model grow by announcing LUNs.
TEST(LabelSets, OfInflightTasksAreBounded) {
  Host host({.max_label_sets = 10});
  std::vector<Task> tasks;
  for (uint64_t i = 0; i < LUNSCOPE_TRACKED_COMMANDS; i++) tasks.push_back({i << 32, 500 + i});
  host.Opens(1).LogsIn().Holds(tasks);
  host.Walks();
  uint64_t outstanding = 0;
  size_t luns = 0;
  for (const auto& [key, target] : host.See().targets) {
    for (const auto& [number, lun] : target.luns) outstanding += lun.outstanding;
    luns += target.luns.size();
  }
  EXPECT_EQ(outstanding, uint64_t{LUNSCOPE_TRACKED_COMMANDS});
  EXPECT_LE(luns, 11u);
}

// One portal has many sessions, the other has one, which came last.
TEST(LabelSets, OfSessionsLeaveRoomForEachPortal) {
  constexpr size_t kLimit = 10;
  Host host({.max_label_sets = kLimit});
  for (uint64_t id = 1; id <= 100; id++) host.Opens(id).LogsIn({.isid = id});
  host.Meets(101).IsIpv6().Opens().LogsIn({.isid = 101});
  const Snapshot snapshot = host.See();
  std::map<std::string, size_t> sessions;
  for (const SessionState& session : snapshot.sessions) sessions[session.name]++;
  EXPECT_EQ(sessions.size(), kLimit + 1);
  EXPECT_EQ(sessions["overflow"], 101 - kLimit);
  EXPECT_EQ(sessions["000000000001:0001"], 1u) << "the oldest";
  EXPECT_EQ(sessions["000000000065:0001"], 1u) << "of the other portal";
}

// One target has the connections of many processes, the other those of one.
TEST(LabelSets, OfProcessesLeaveRoomForEachTarget) {
  constexpr size_t kLimit = 10;
  std::map<uint64_t, Connection> connections;
  Series series(kLimit);
  for (uint64_t id = 1; id <= 101; id++) {
    Connection& connection = connections[id];
    series.Assign(connection, {kInitiator, id == 101 ? "iqn.other" : "iqn.disk"});
    connection.process.comm = fmt::format("process-{:03}", id);
  }
  Snapshot snapshot;
  CountConnections(connections, kLimit, {}, snapshot);
  EXPECT_EQ(snapshot.connections.size(), kLimit + 1);
  uint64_t sum = 0;
  for (const auto& [key, count] : snapshot.connections) {
    sum += count;
    if (key.second.comm == "overflow") {
      EXPECT_EQ(count, 101 - kLimit);
    }
  }
  EXPECT_EQ(sum, 101u);
  LocalProcess other;
  other.comm = "process-101";
  EXPECT_TRUE(snapshot.connections.contains({{kInitiator, "iqn.other"}, other}));
}

}  // namespace
}  // namespace lunscope
