// SPDX-License-Identifier: Apache-2.0
// Phases: whose time a command took. Each row is a conversation at known times, and the phases that
// each of the two ends must see in it.
#include <lunscope/phases.h>

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tests/engine/follower.h"

namespace lunscope {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kBeginNs = 1000 * kMs;

// Bytes that pass, so long after the command's first byte.
struct Step {
  uint64_t at_ms;
  bool from_initiator;
  Bytes bytes;
};

Step From(uint64_t at_ms, const Bytes& bytes) { return {at_ms, true, bytes}; }
Step To(uint64_t at_ms, const Bytes& bytes) { return {at_ms, false, bytes}; }
Bytes Head(const Bytes& bytes, size_t count) { return Slice(bytes, 0, count); }
Bytes Rest(const Bytes& bytes, size_t from) { return Slice(bytes, from, bytes.size()); }

// In milliseconds, by slot; none: not known.
using Phases = std::array<std::optional<uint64_t>, LUNSCOPE_PHASE_SLOTS>;
constexpr Phases kNone = {};
constexpr std::nullopt_t kNot = std::nullopt;

struct PhaseRow {
  std::string what;
  std::vector<Step> steps;
  Phases of_initiator;  // send, data_out, transfer, pickup, wait
  Phases of_target;     // arrival, queue, transfer_in, transfer_out, service
};

Bytes Write(const Bytes& data = {}, uint8_t flags = kWriteFlags) {
  return ScsiCommand(1, Write10(), 4096, flags).Data(data);
}
Bytes Read() { return ScsiCommand(1, Read10(), 4096, kReadFlags); }
constexpr uint8_t kMoreDataOut = 0x00;
constexpr uint8_t kUnsolicited = kWriteFlags & ~kFinal;
constexpr uint8_t kBothWays = kReadFlags | kWriteFlags;

std::vector<PhaseRow> Rows() {
  const Bytes block(512, 0x5a);
  const Bytes data_out = DataOut(1, 0, block);
  const Bytes last_data = DataIn(1, 0, block, kDataInStatus);
  return {
      {"no data",
       {From(0, ScsiCommand(1, TestUnitReady())), To(7, ScsiResponse(1))},
       {0, kNot, 0, kNot, 7},
       {0, kNot, kNot, 0, 7}},
      {"a read",
       {From(0, Read()), To(5, DataIn(1, 0, block)), To(9, ScsiResponse(1))},
       {0, kNot, 4, kNot, 5},
       {0, kNot, kNot, 4, 5}},
      {"a read in several Data-Ins",
       {From(0, Read()), To(5, DataIn(1, 0, block)), To(6, DataIn(1, 512, block)),
        To(8, DataIn(1, 1024, block, kDataInStatus))},
       {0, kNot, 3, kNot, 5},
       {0, kNot, kNot, 3, 5}},
      {"a Data-In with the status, and its data late",
       {From(0, Read()), To(5, Head(last_data, 48)), To(9, Rest(last_data, 48))},
       {0, kNot, 4, kNot, 5},
       {0, kNot, kNot, 4, 5}},
      {"a Data-In with the status, whose last byte comes with the next PDU",
       {From(0, Read()), To(5, Head(last_data, 559)),
        To(9, Join({Rest(last_data, 559), Bytes(NopIn())}))},
       {0, kNot, 4, kNot, 5},
       {0, kNot, kNot, 4, 5}},
      {"a Data-In with the status, in three segments",
       {From(0, Read()), To(5, Head(last_data, 20)), To(6, Slice(last_data, 20, 300)),
        To(9, Rest(last_data, 300))},
       {0, kNot, 4, kNot, 5},
       {0, kNot, kNot, 4, 5}},
      {"a status in a header that comes in pieces",
       {From(0, Read()), To(5, Head(ScsiResponse(1), 20)), To(9, Rest(ScsiResponse(1), 20))},
       {0, kNot, 4, kNot, 5},
       {0, kNot, kNot, 4, 5}},
      {"a command's header in pieces",
       {From(0, Head(Read(), 20)), From(40, Rest(Read(), 20)), To(60, ScsiResponse(1))},
       {40, kNot, 0, kNot, 20},
       {40, kNot, kNot, 0, 20}},
      {"an R2T and its data",
       {From(0, Write()), To(10, R2t(1, 0, 512)), From(30, data_out), To(100, ScsiResponse(1))},
       {0, 20, 0, kNot, 80},
       {0, kNot, 20, 0, 80}},
      {"data whose end comes late",
       {From(0, Write()), To(10, R2t(1, 0, 512)), From(30, Head(data_out, 100)),
        From(70, Rest(data_out, 100)), To(100, ScsiResponse(1))},
       {0, 60, 0, kNot, 40},
       {0, kNot, 60, 0, 40}},
      {"an R2T that several Data-Outs answer",
       {From(0, Write()), To(10, R2t(1, 0, 1024)), From(30, DataOut(1, 0, block, kMoreDataOut)),
        From(50, DataOut(1, 512, block)), To(100, ScsiResponse(1))},
       {0, 40, 0, kNot, 60},
       {0, kNot, 40, 0, 60}},
      {"two R2Ts, one after the other",
       {From(0, Write()), To(10, R2t(1, 0, 512)), From(15, data_out), To(40, R2t(1, 512, 512)),
        From(60, DataOut(1, 512, block)), To(100, ScsiResponse(1))},
       {0, 25, 0, kNot, 75},
       {0, kNot, 25, 0, 75}},
      {"two R2Ts at once, answered in the other order: the time counts once",
       {From(0, Write()), To(10, R2t(1, 0, 512)), To(20, R2t(1, 512, 512)),
        From(50, DataOut(1, 512, block)), From(90, data_out), To(100, ScsiResponse(1))},
       {0, 80, 0, kNot, 20},
       {0, kNot, 80, 0, 20}},
      {"immediate data in one piece with its command",
       {From(0, Write(block)), To(9, ScsiResponse(1))},
       {0, 0, 0, kNot, 9},
       {0, kNot, 0, 0, 9}},
      {"immediate data whose end comes late",
       {From(0, Head(Write(block), 60)), From(6, Rest(Write(block), 60)), To(9, ScsiResponse(1))},
       {0, 6, 0, kNot, 3},
       {0, kNot, 6, 0, 3}},
      {"immediate data whose end comes with the next command",
       {From(0, Head(Write(block), 60)),
        From(6, Join({Rest(Write(block), 60), Bytes(ScsiCommand(2, TestUnitReady()))})),
        To(9, ScsiResponse(1))},
       {0, 6, 0, kNot, 3},
       {0, kNot, 6, 0, 3}},
      {"unsolicited data",
       {From(0, Write(block, kUnsolicited)), From(20, DataOut(1, 512, block)),
        To(30, ScsiResponse(1))},
       {0, 20, 0, kNot, 10},
       {0, kNot, 20, 0, 10}},
      {"an answer before the data that was asked for",
       {From(0, Write()), To(10, R2t(1, 0, 512)), To(30, ScsiResponse(1, 2))},
       {0, 20, 0, kNot, 10},
       {0, kNot, 20, 0, 10}},
      {"sense that comes behind the status",
       {From(0, Read()), To(5, Head(ScsiResponse(1, 2).Sense(block), 48)),
        To(9, Rest(ScsiResponse(1, 2).Sense(block), 48))},
       {0, kNot, 4, kNot, 5},
       {0, kNot, kNot, 4, 5}},
      {"a bidirectional command",
       {From(0, ScsiCommand(1, Write10(), 512, kBothWays).Data(block)), To(5, DataIn(1, 0, block)),
        To(9, ScsiResponse(1))},
       kNone,
       kNone},
      {"data in the wrong direction",
       {From(0, Read()), From(3, data_out), To(9, ScsiResponse(1))},
       kNone,
       kNone},
      {"a command of 274 seconds",
       {From(0, Read()), To(274'000, ScsiResponse(1))},
       {0, kNot, 0, kNot, 274'000},
       {0, kNot, kNot, 0, 274'000}},
      {"a command of 275 seconds", {From(0, Read()), To(275'000, ScsiResponse(1))}, kNone, kNone},
  };
}

class PhasesTest : public testing::Test {
 protected:
  // The record of the first command, as this end of the connection sees it.
  static lunscope_command_record Follow(lunscope_role side, const PhaseRow& row,
                                        bool skips_phases = false) {
    Follower session(side);
    session.connection->skips_phases = skips_phases ? 1 : 0;
    LogIn(&session);
    for (const Step& step : row.steps) {
      session.now_ns = kBeginNs + step.at_ms * kMs - 1000;
      step.from_initiator ? session.Initiator(step.bytes) : session.Target(step.bytes);
    }
    EXPECT_EQ(session.commands.size(), 1u) << row.what;
    return session.commands.empty() ? lunscope_command_record{} : session.commands[0].record;
  }

  static void Expect(lunscope_role side, const PhaseRow& row, const Phases& expected) {
    const lunscope_command_record record = Follow(side, row);
    uint64_t inside_ns = 0;
    for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_SLOTS; slot++) {
      const bool is_known = (record.known_phases >> slot & 1) != 0;
      const std::string where =
          row.what + ", slot " + std::to_string(slot) + " of role " + std::to_string(side);
      ASSERT_EQ(is_known, expected[slot].has_value()) << where;
      if (!is_known) continue;
      const uint64_t ns = lunscope_phase_ns(&record, slot);
      inside_ns += ns;
      // A short number and units of 64 ns move a little of the time to the rest.
      EXPECT_NEAR(static_cast<double>(ns), static_cast<double>(*expected[slot] * kMs),
                  0.001 * static_cast<double>(record.duration_ns) + 256)
          << where;
    }
    if (record.known_phases != 0) EXPECT_EQ(inside_ns, record.duration_ns) << row.what;
  }
};

TEST_F(PhasesTest, AreOfTheTimesAtWhichPdusPass) {
  for (const PhaseRow& row : Rows()) {
    Expect(LUNSCOPE_ROLE_INITIATOR, row, row.of_initiator);
    Expect(LUNSCOPE_ROLE_TARGET, row, row.of_target);
  }
}

TEST_F(PhasesTest, AreNotKnownAcrossAGap) {
  Follower session;
  LogIn(&session);
  session.Initiator(Read());
  session.TargetUnseen(100);
  for (uint32_t i = 0; i < 4; i++) session.Target(NopIn());
  session.Target(ScsiResponse(1));
  ASSERT_EQ(session.commands.size(), 1u);
  EXPECT_EQ(session.commands[0].record.known_phases, 0);
}

// Durations and counts are as ever.
TEST_F(PhasesTest, AreNotMeasuredIfNobodyWantsThem) {
  for (const PhaseRow& row : Rows()) {
    const lunscope_command_record record = Follow(LUNSCOPE_ROLE_INITIATOR, row, true);
    const lunscope_command_record measured = Follow(LUNSCOPE_ROLE_INITIATOR, row);
    EXPECT_EQ(record.known_phases, 0) << row.what;
    EXPECT_EQ(record.duration_ns, measured.duration_ns) << row.what;
    EXPECT_EQ(record.r2ts, measured.r2ts) << row.what;
    EXPECT_EQ(record.read_bytes, measured.read_bytes) << row.what;
    EXPECT_EQ(record.written_bytes, measured.written_bytes) << row.what;
  }
}

// A command that is never answered has the phases that it came to.
TEST_F(PhasesTest, OfACommandWithoutAnAnswer) {
  Follower session(LUNSCOPE_ROLE_TARGET);
  LogIn(&session);
  session.now_ns = kBeginNs - 1000;
  session.Initiator(Write());
  session.now_ns = kBeginNs + 10 * kMs - 1000;
  session.Target(R2t(1, 0, 512));
  session.now_ns = kBeginNs + 50 * kMs;
  session.Close();
  ASSERT_EQ(session.unanswered.size(), 1u);
  const lunscope_command_record& record = session.unanswered[0].record;
  EXPECT_EQ(record.known_phases, 1u << 0 | 1u << 2 | 1u << LUNSCOPE_PHASE_REST);
  EXPECT_NEAR(static_cast<double>(lunscope_phase_ns(&record, 2)), 40.0 * kMs, 256);
}

TEST_F(PhasesTest, CountsR2tsAndRetransmits) {
  Follower session;
  LogIn(&session);
  session.connection->record.retransmits = 250;
  session.Initiator(Write());
  for (uint32_t i = 0; i < 300; i++) {
    session.Target(R2t(1, 0, 512));
    session.Initiator(DataOut(1, 0, Bytes(512, 0)));
  }
  session.connection->record.retransmits = 260;
  session.Target(ScsiResponse(1));
  ASSERT_EQ(session.commands.size(), 1u);
  EXPECT_EQ(session.commands[0].record.r2ts, 255) << "or more";
  EXPECT_EQ(session.commands[0].record.retransmits, 10);
}

TEST_F(PhasesTest, MorePiecesAtOnceThanFit) {
  for (const uint32_t pieces : {15u, 16u}) {
    Follower session;
    LogIn(&session);
    session.Initiator(Write());
    for (uint32_t i = 0; i < pieces; i++) session.Target(R2t(1, i * 512, 512));
    for (uint32_t i = 0; i < pieces; i++) session.Initiator(DataOut(1, i * 512, Bytes(512, 0)));
    session.Target(ScsiResponse(1));
    ASSERT_EQ(session.commands.size(), 1u);
    EXPECT_EQ(session.commands[0].record.known_phases != 0, pieces == 15) << pieces;
    EXPECT_EQ(session.commands[0].record.written_bytes, pieces * 512);
  }
}

// A short number has 11 bits, and the error of a longer one is below 0.1 %.
TEST(ShortNumber, IsNearlyTheNumber) {
  for (uint64_t number = 0; number < uint64_t{1} << 32; number += 1 + number / 97) {
    const auto back = static_cast<double>(lunscope_unpack_short(lunscope_pack_short(number)));
    const auto wanted = static_cast<double>(number);
    EXPECT_LE(back, wanted);
    EXPECT_GE(back, number < 2048 ? wanted : wanted * 0.999) << number;
  }
}

}  // namespace
}  // namespace lunscope
