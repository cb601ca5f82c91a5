// SPDX-License-Identifier: Apache-2.0
// The command window: which commands the target ignores, and for how long the initiator could send
// none.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "tests/engine/command_fixture.h"

namespace lunscope {
namespace {

// The command window (RFC 7143 section 4.2.2.1): the target ignores a command above MaxCmdSN, so it
// does not wait for the target. Each row ends with a command of CmdSN 10, and the connection
// closes.
struct WindowRow {
  const char* what;
  std::function<void(Follower&)> say;  // before the command
  bool is_immediate;
  bool is_beyond;
};

Pdu WithWindow(Pdu pdu, uint32_t expcmdsn, uint32_t maxcmdsn) {
  return pdu.Set32(28, expcmdsn).Set32(32, maxcmdsn);
}

const WindowRow kWindowRows[] = {
    {"within", [](Follower& is) { is.Target(WithWindow(NopIn(), 1, 10)); }, false, false},
    {"above", [](Follower& is) { is.Target(WithWindow(NopIn(), 1, 9)); }, false, true},
    {"a closed window", [](Follower& is) { is.Target(WithWindow(NopIn(), 10, 9)); }, false, true},
    {"above, and immediate", [](Follower& is) { is.Target(WithWindow(NopIn(), 1, 9)); }, true,
     false},
    {"opened by data without a status",
     [](Follower& is) {
       is.Target(WithWindow(NopIn(), 1, 9));
       is.Target(WithWindow(DataIn(5, 0, Bytes(512)), 1, 10));
     },
     false, false},
    {"opened by an R2T",
     [](Follower& is) {
       is.Target(WithWindow(NopIn(), 1, 9));
       is.Target(WithWindow(R2t(5, 0, 512), 1, 10));
     },
     false, false},
    {"numbers that are no window",
     [](Follower& is) {
       is.Target(WithWindow(NopIn(), 1, 10));
       is.Target(WithWindow(NopIn(), 9, 3));
     },
     false, false},
    {"behind a gap, in which it may have opened",
     [](Follower& is) {
       is.Target(WithWindow(NopIn(), 1, 9));
       is.TargetUnseen(48);
       is.Target(Bytes(4));
     },
     false, false},
    {"above, and the numbers wrap", [](Follower& is) { is.Target(WithWindow(NopIn(), -9, -1)); },
     false, true},
};

TEST(Window, TellsTheCommandsThatTheTargetIgnores) {
  for (const WindowRow& row : kWindowRows) {
    Follower session;
    LogIn(&session);
    row.say(session);
    Pdu command = ScsiCommand(1, TestUnitReady()).Set32(24, 10);
    if (row.is_immediate) command.Set(0, 0x41);
    session.Initiator(command);
    const lunscope_command* open = session.Find(1);
    ASSERT_NE(open, nullptr) << row.what;
    lunscope_inflight_record list = {};
    lunscope_inflight_list(&list, open);
    ASSERT_EQ(list.count, 1u) << row.what;
    EXPECT_EQ(list.waiting[0].start_ns == 0, row.is_beyond) << row.what;
    EXPECT_EQ(session.connection->record.commands_beyond, row.is_beyond ? 1u : 0u) << row.what;
    session.Close();
    EXPECT_EQ(session.unreported(row.is_beyond ? LUNSCOPE_UNREPORTED_BEYOND_WINDOW
                                               : LUNSCOPE_UNREPORTED_CONNECTION_CLOSED),
              1u)
        << row.what;
  }
}

// In a session of several connections another one may have had a higher MaxCmdSN.
TEST(Window, DoesNotMatterToACommandThatIsAnswered) {
  Follower session;
  LogIn(&session);
  session.Target(WithWindow(NopIn(), 1, 9));
  session.Initiator(ScsiCommand(1, TestUnitReady()).Set32(24, 10));
  session.Target(ScsiResponse(1));
  EXPECT_EQ(session.reported(), 1u);
}

// The target that rejects a command has looked at it.
TEST(Window, IsNotWhyACommandIsRejected) {
  Follower session;
  LogIn(&session);
  session.Target(WithWindow(NopIn(), 1, 9));
  const Pdu command = ScsiCommand(1, TestUnitReady()).Set32(24, 10);
  session.Initiator(command);
  session.Target(Reject(4, Slice(command, 0, 48)));
  EXPECT_EQ(session.unreported(LUNSCOPE_UNREPORTED_REJECTED), 1u);
}

TEST(Window, IsWhyATaskDoesNotExist) {
  Follower session;
  LogIn(&session);
  session.Target(WithWindow(NopIn(), 1, 9));
  session.Initiator(ScsiCommand(1, TestUnitReady()).Set32(24, 10));
  session.Initiator(TaskRequest(ISCSI_TASK_ABORT_TASK, 1));
  session.Target(TaskResponse(ISCSI_TASK_DOES_NOT_EXIST));
  EXPECT_EQ(session.unreported(LUNSCOPE_UNREPORTED_BEYOND_WINDOW), 1u);
}

// One end sends this, so many milliseconds after the first one.
struct WindowStep {
  uint64_t at_ms;
  bool from_initiator;
  Pdu pdu;
};

struct ClosedRow {
  const char* what;
  std::vector<WindowStep> steps;
  uint64_t closed_ms;   // in the records of the connection
  uint64_t waiting_ms;  // on top, in a walk after the last step
};

Pdu Numbered(uint32_t cmdsn) { return ScsiCommand(cmdsn, TestUnitReady()).Set32(24, cmdsn); }
Pdu Answered(uint32_t cmdsn, uint32_t maxcmdsn) {
  return WithWindow(ScsiResponse(cmdsn), cmdsn + 1, maxcmdsn);
}

const ClosedRow kClosedRows[] = {
    {"never used up",
     {{0, false, WithWindow(NopIn(), 1, 4)}, {1, true, Numbered(3)}, {9, false, Answered(3, 9)}},
     0,
     0},
    {"used up until the answer",
     {{0, false, WithWindow(NopIn(), 1, 3)}, {1, true, Numbered(3)}, {9, false, Answered(3, 4)}},
     8,
     0},
    {"twice",
     {{0, false, WithWindow(NopIn(), 3, 3)},
      {1, true, Numbered(3)},
      {4, false, Answered(3, 4)},
      {5, true, Numbered(4)},
      {9, false, Answered(4, 5)}},
     7,
     0},
    {"an answer that leaves it closed",
     {{0, false, WithWindow(NopIn(), 2, 3)},
      {1, true, Numbered(3)},
      {4, false, Answered(3, 3)},
      {9, false, WithWindow(NopIn(), 4, 4)}},
     8,
     0},
    {"closed without a command",
     {{0, true, Numbered(3)},
      {1, false, WithWindow(NopIn(), 4, 3)},
      {9, false, WithWindow(NopIn(), 4, 4)}},
     8,
     0},
    {"opened by an R2T",
     {{0, false, WithWindow(NopIn(), 1, 3)},
      {1, true, Numbered(3)},
      {9, false, WithWindow(R2t(3, 0, 512), 4, 4)}},
     8,
     0},
    {"closed still",
     {{0, false, WithWindow(NopIn(), 1, 3)}, {1, true, Numbered(3)}, {9, false, Answered(3, 3)}},
     0,
     8},
    {"an immediate command takes no place",
     {{0, false, WithWindow(NopIn(), 3, 3)}, {1, true, Numbered(3).Set(0, 0x41)}},
     0,
     0},
};

TEST(Window, CountsTheTimeInWhichItIsClosed) {
  for (const ClosedRow& row : kClosedRows) {
    for (const lunscope_role side : {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_ROLE_TARGET}) {
      Follower session(side);
      LogIn(&session);
      constexpr uint64_t kMs = 1'000'000;
      const uint64_t begin_ns = session.now_ns + kMs;
      for (const WindowStep& step : row.steps) {
        session.now_ns = begin_ns + step.at_ms * kMs;
        step.from_initiator ? session.Initiator(step.pdu) : session.Target(step.pdu);
      }
      const lunscope_connection_record& record = session.connection->record;
      EXPECT_EQ(record.window_closed_ns, row.closed_ms * kMs) << row.what;
      session.Walk([](const lunscope_record&) {});
      EXPECT_EQ(record.window_waiting_ns, row.waiting_ms * kMs) << row.what;
    }
  }
}

// The smallest window of the last one to two minutes, in a walk after the last step.
struct SmallestRow {
  const char* what;
  std::vector<WindowStep> steps;
  uint64_t walk_ms;
  uint32_t smallest;
};

constexpr uint64_t kMinute = 60'000;

// A window of so many commands.
Pdu Offering(uint32_t commands) { return WithWindow(NopIn(), 1, commands); }

const SmallestRow kSmallestRows[] = {
    {"the login's are not of the session", {}, 1, 8},
    {"only one", {{0, false, Offering(8)}}, 1, 8},
    {"between two walks",
     {{0, false, Offering(8)}, {1, false, Offering(2)}, {2, false, Offering(8)}},
     3,
     2},
    {"of data without a status",
     {{0, false, Offering(8)},
      {1, false, WithWindow(DataIn(5, 0, Bytes(512)), 1, 2)},
      {2, false, Offering(8)}},
     3,
     2},
    {"closed", {{0, false, WithWindow(NopIn(), 10, 9)}, {2, false, Offering(8)}}, 3, 0},
    {"numbers that are no window",
     {{0, false, Offering(8)}, {1, false, WithWindow(NopIn(), 9, 3)}, {2, false, Offering(7)}},
     3,
     7},
    {"the period ends, and its window counts for one more",
     {{0, false, Offering(2)}, {kMinute, false, Offering(8)}, {kMinute + 1, false, Offering(9)}},
     2 * kMinute - 1,
     2},
    {"and no longer",
     {{0, false, Offering(2)}, {kMinute, false, Offering(8)}, {kMinute + 1, false, Offering(9)}},
     2 * kMinute,
     8},
    {"nothing came for a period",
     {{0, false, Offering(2)}, {1, false, Offering(9)}},
     2 * kMinute - 1,
     2},
    {"nothing came for two", {{0, false, Offering(2)}, {1, false, Offering(9)}}, 2 * kMinute, 9},
    {"a period that passed without a PDU",
     {{0, false, Offering(2)}, {2 * kMinute, false, Offering(9)}},
     2 * kMinute + 1,
     9},
    {"a clock of another CPU that is behind",
     {{5, false, Offering(8)}, {4, false, Offering(3)}, {6, false, Offering(8)}},
     7,
     3},
};

TEST(Window, IsTheSmallestOfLate) {
  for (const SmallestRow& row : kSmallestRows) {
    for (const lunscope_role side : {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_ROLE_TARGET}) {
      Follower session(side);
      LogIn(&session);
      constexpr uint64_t kMs = 1'000'000;
      const uint64_t begin_ns = session.now_ns + 3 * kMinute * kMs;
      const auto say = [&](uint64_t at_ms, bool from_initiator, const Pdu& pdu) {
        session.now_ns = begin_ns + at_ms * kMs;
        from_initiator ? session.Initiator(pdu) : session.Target(pdu);
      };
      for (const WindowStep& step : row.steps) say(step.at_ms, step.from_initiator, step.pdu);
      if (row.steps.empty()) say(0, false, Offering(8));
      say(row.walk_ms, true, Numbered(3));  // a walk is at the time of the last PDU
      const lunscope_connection_record& record = session.connection->record;
      for (int walk = 0; walk < 2; walk++) {  // the first one takes nothing from the second
        session.Walk([](const lunscope_record&) {});
        EXPECT_EQ(record.smallest_window, row.smallest) << row.what;
      }
    }
  }
}

// The window may have opened in the gap.
TEST(Window, IsNotKnownToBeClosedBehindAGap) {
  Follower session;
  LogIn(&session);
  session.Target(WithWindow(NopIn(), 1, 3));
  session.Initiator(Numbered(3));
  EXPECT_NE(session.connection->record.window_closed_since_ns, 0u);
  session.TargetUnseen(48);
  session.Target(Bytes(4));
  EXPECT_EQ(session.connection->record.window_closed_since_ns, 0u);
  EXPECT_EQ(session.connection->record.window_closed_ns, 0u);
}

}  // namespace
}  // namespace lunscope
