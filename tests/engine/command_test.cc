// SPDX-License-Identifier: Apache-2.0
// Commands: paired by their Initiator Task Tag, and completed by a status. Those without one are
// counted.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <set>
#include <span>

#include "collector/base/record.h"
#include "tests/engine/follower.h"

namespace lunscope {
namespace {

class Command : public testing::Test {
 protected:
  void SetUp() override { LogIn(&session_); }

  // The one command that is reported.
  const EndedCommand& Only() {
    EXPECT_EQ(session_.commands.size(), 1u);
    static const EndedCommand kNone = {};
    return session_.commands.empty() ? kNone : session_.commands[0];
  }

  Follower session_;
};

// ------------------------------------------------------------------ pairing

TEST_F(Command, IsPairedByItsTag) {
  for (const uint32_t itt : {3, 1, 2}) session_.Initiator(ScsiCommand(itt, Read10()).Lun(itt));
  for (const uint32_t itt : {2, 3, 1})
    session_.Target(ScsiResponse(itt, static_cast<uint8_t>(itt)));
  ASSERT_EQ(session_.commands.size(), 3u);
  for (const auto& [record, sense] : session_.commands) {
    EXPECT_EQ(record.lun, record.itt);
    EXPECT_EQ(record.status, record.itt);
    EXPECT_EQ(record.cmdsn, record.itt);
  }
  EXPECT_EQ(lunscope_inflight_count(&session_.inflight()), 0u);
  EXPECT_EQ(lunscope_inflight_count(&session_.inflight()), 0u);
}

TEST_F(Command, CarriesWhatItsHeaderSaid) {
  session_.Initiator(ScsiCommand(0xcafe, Read10(), 4096, kReadFlags).Lun(0xc101000000000000));
  session_.Target(ScsiResponse(0xcafe));
  const lunscope_command_record& record = Only().record;
  EXPECT_EQ(record.itt, 0xcafeu);
  EXPECT_EQ(record.lun, 0xc101000000000000u);
  EXPECT_EQ(record.expected_bytes, 4096u);
  EXPECT_EQ(record.command_flags, kReadFlags);
  EXPECT_EQ(ToHex(record.cdb, 16), "28000000080000000800000000000000");
  EXPECT_EQ(record.header.flags, 0);
}

TEST_F(Command, IsTimedFromItsHeaderToItsStatus) {
  session_.Initiator(ScsiCommand(1, TestUnitReady()));
  const uint64_t begun = session_.now_ns;
  session_.now_ns += 5'000'000'000;
  session_.Target(ScsiResponse(1));
  EXPECT_EQ(Only().record.duration_ns, session_.now_ns - begun);
  EXPECT_EQ(Only().record.header.time_ns, session_.now_ns);
}

TEST_F(Command, HasNoNegativeDuration) {
  session_.Initiator(ScsiCommand(1, TestUnitReady()));
  session_.now_ns -= 100'000;  // the other CPU's clock
  session_.Target(ScsiResponse(1));
  EXPECT_EQ(Only().record.duration_ns, 0u);
}

// RFC 7143 section 11.4: all fields of a SCSI Response about the end of a command.
TEST_F(Command, EndsWithAScsiResponse) {
  const struct {
    const char* name;
    uint8_t flags, response, status;
    uint32_t bidi_residual, residual;
  } kRows[] = {
      {"GOOD", 0x80, 0, 0x00, 0, 0},
      {"CHECK CONDITION", 0x80, 0, 0x02, 0, 0},
      {"BUSY", 0x80, 0, 0x08, 0, 0},
      {"RESERVATION CONFLICT", 0x80, 0, 0x18, 0, 0},
      {"TASK SET FULL", 0x80, 0, 0x28, 0, 0},
      {"TASK ABORTED", 0x80, 0, 0x40, 0, 0},
      {"underflow", 0x82, 0, 0x00, 0, 512},
      {"overflow", 0x84, 0, 0x00, 0, 0xffffffff},
      {"bidirectional underflow", 0x88, 0, 0x00, 7, 0},
      {"bidirectional overflow", 0x90, 0, 0x00, 7, 0},
      {"target failure", 0x80, 0x01, 0x00, 0, 0},
      {"vendor response", 0x80, 0xff, 0x00, 0, 0},
  };
  uint32_t itt = 0;
  for (const auto& row : kRows) {
    session_.Initiator(ScsiCommand(++itt, TestUnitReady()));
    session_.Target(ScsiResponse(itt, row.status)
                        .Flags(row.flags)
                        .Response(row.response)
                        .BidiResidual(row.bidi_residual)
                        .Residual(row.residual));
    ASSERT_EQ(session_.commands.size(), itt) << row.name;
    const lunscope_command_record& record = session_.commands.back().record;
    EXPECT_EQ(record.response_flags, row.flags & 0x1e) << row.name;
    EXPECT_EQ(record.response, row.response) << row.name;
    EXPECT_EQ(record.status, row.status) << row.name;
    EXPECT_EQ(record.bidi_residual_bytes, row.bidi_residual) << row.name;
    EXPECT_EQ(record.residual_bytes, row.residual) << row.name;
  }
}

// RFC 7143 section 11.7.3. In a Data-In, byte 2 is not a response and byte 40 is not a residual.
TEST_F(Command, EndsWithADataInThatCarriesStatus) {
  session_.Initiator(ScsiCommand(1, Read10(), 4096, kReadFlags));
  session_.Target(DataIn(1, 0, Bytes(2048), 0x00).Status(0x99));
  EXPECT_EQ(session_.reported(), 0u);
  session_.Target(DataIn(1, 2048, Bytes(1536), 0x83).Response(0x77).Residual(512));
  const lunscope_command_record& record = Only().record;
  EXPECT_EQ(record.status, 0);
  EXPECT_EQ(record.response, 0);
  EXPECT_EQ(record.response_flags, ISCSI_RESIDUAL_UNDERFLOW);
  EXPECT_EQ(record.residual_bytes, 512u);
  EXPECT_EQ(record.bidi_residual_bytes, 0u);
  EXPECT_EQ(TransferredBytes(record), 2048u + 1536u);
}

TEST_F(Command, EndsWithAnEmptyDataIn) {
  session_.Initiator(ScsiCommand(1, Read10(), 4096, kReadFlags));
  session_.Target(DataIn(1, 0, {}, 0x83).Residual(4096));
  EXPECT_EQ(TransferredBytes(Only().record), 0u);
}

TEST_F(Command, EndsOnce) {
  session_.Initiator(ScsiCommand(1, Read10(), 512, kReadFlags));
  session_.Target(DataIn(1, 0, Bytes(512), kDataInStatus));
  session_.Target(ScsiResponse(1));
  session_.Target(DataIn(1, 0, Bytes(512)));
  EXPECT_EQ(session_.reported(), 1u);
  EXPECT_EQ(session_.unmatched(), 1u);
}

TEST_F(Command, AnAnswerToAnUnknownTagIsUnmatched) {
  session_.Target(ScsiResponse(77));
  session_.Target(DataIn(78, 0, Bytes(4), kDataInStatus));
  session_.Target(DataIn(79, 0, Bytes(4)));
  session_.Target(ScsiResponse(kReservedTag));
  EXPECT_EQ(session_.unmatched(), 3u);
  EXPECT_EQ(session_.reported(), 0u);
}

TEST_F(Command, HasNoReservedTag) {
  session_.Initiator(ScsiCommand(kReservedTag, TestUnitReady()));
  EXPECT_EQ(session_.seen(), 1u);
  EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_TABLE_FULL), 1u);
  EXPECT_EQ(lunscope_inflight_count(&session_.inflight()), 0u);
}

TEST_F(Command, WithTagZeroIsACommand) {
  session_.Initiator(ScsiCommand(0, TestUnitReady()));
  session_.Target(ScsiResponse(0));
  EXPECT_EQ(Only().record.itt, 0u);
}

TEST_F(Command, WhoseTagIsTakenAnewWasNeverAnswered) {
  session_.Initiator(ScsiCommand(1, TestUnitReady()));
  session_.Initiator(ScsiCommand(1, Read10(), 512, kReadFlags));
  EXPECT_EQ(lunscope_inflight_count(&session_.inflight()), 1u);
  session_.Target(ScsiResponse(1));
  EXPECT_EQ(session_.seen(), 2u);
  EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_ITT_REUSED), 1u);
  EXPECT_EQ(Only().record.cdb[0], SCSI_READ_10);
}

TEST_F(Command, InFlightAtTheEndIsCounted) {
  session_.Initiator(ScsiCommand(1, TestUnitReady()));
  session_.Close();
  EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_CONNECTION_CLOSED), 1u);
}

// However a command ends, it has one record, which says of the command what is known of it.
TEST_F(Command, WithoutAStatusHasARecordThatSaysWhy) {
  const Pdu command =
      ScsiCommand(1, Write10(), 512, kWriteFlags).Lun(3).Set32(24, 7).Data(Bytes(9));
  const struct {
    const char* what;
    std::function<void()> end;
    lunscope_unreported reason;
    uint8_t cause;
  } kRows[] = {
      {"rejected", [&] { session_.Target(Reject(4, Slice(command, 0, 48))); },
       LUNSCOPE_UNREPORTED_REJECTED, 4},
      {"aborted",
       [&] {
         session_.Initiator(TaskRequest(ISCSI_TASK_LUN_RESET, 0).Lun(3).Set32(24, 8));
         session_.Target(TaskResponse(0));
       },
       LUNSCOPE_UNREPORTED_ABORTED, ISCSI_TASK_LUN_RESET},
      {"not known",
       [&] {
         session_.Initiator(TaskRequest(ISCSI_TASK_ABORT_TASK, 1).Lun(3).Set32(24, 8));
         session_.Target(TaskResponse(ISCSI_TASK_DOES_NOT_EXIST));
       },
       LUNSCOPE_UNREPORTED_NO_SUCH_TASK, ISCSI_TASK_ABORT_TASK},
      {"its tag is taken", [&] { session_.Initiator(ScsiCommand(1, TestUnitReady())); },
       LUNSCOPE_UNREPORTED_ITT_REUSED, 0},
      {"closed", [&] { session_.Close(); }, LUNSCOPE_UNREPORTED_CONNECTION_CLOSED, 0},
  };
  for (const auto& row : kRows) {
    session_.Target(ScsiResponse(1));
    session_.unanswered.clear();
    session_.Initiator(command);
    const uint64_t begun = session_.now_ns;
    row.end();
    ASSERT_EQ(session_.unanswered.size(), 1u) << row.what;
    const lunscope_command_record& is = session_.unanswered[0].record;
    EXPECT_EQ(is.no_status, 1 + row.reason) << row.what;
    EXPECT_EQ(is.cause, row.cause) << row.what;
    EXPECT_EQ(is.itt, 1u) << row.what;
    EXPECT_EQ(is.lun, 3u) << row.what;
    EXPECT_EQ(is.cmdsn, 7u) << row.what;
    EXPECT_EQ(is.expected_bytes, 512u) << row.what;
    EXPECT_EQ(is.written_bytes, 9u) << row.what;
    EXPECT_EQ(is.cdb[0], SCSI_WRITE_10) << row.what;
    EXPECT_EQ(is.duration_ns, session_.now_ns - begun) << row.what;
    EXPECT_EQ(session_.unreported(row.reason), 1u) << row.what;
  }
}

// A command begins with its first byte, however its header comes in pieces.
TEST_F(Command, BeginsWithItsFirstByte) {
  for (const bool has_digest : {false, true}) {
    for (size_t first = 1; first <= 48; first++) {
      Follower session;
      LogIn(&session, {}, has_digest ? Keys({"HeaderDigest=CRC32C"}) : Bytes{});
      const Digests digests{has_digest, false};
      const Bytes command = Pdu(ScsiCommand(1, TestUnitReady())).Wire(digests);
      session.Initiator(Slice(command, 0, first));
      const uint64_t begun = session.now_ns;
      session.now_ns += 44'000'000;
      session.InitiatorIn(7, Slice(command, first, command.size()));
      session.Target(Pdu(ScsiResponse(1)).Wire(digests));
      ASSERT_EQ(session.commands.size(), 1u) << first;
      EXPECT_EQ(session.commands[0].record.duration_ns, session.now_ns - begun) << first;
    }
  }
}

// ------------------------------------------------------------------ no status

TEST_F(Command, ThatIsRejectedIsNotInFlight) {
  session_.Initiator(ScsiCommand(1, TestUnitReady()));
  session_.Initiator(ScsiCommand(2, TestUnitReady()));
  session_.Target(Reject(5, Slice(ScsiCommand(1, TestUnitReady()), 0, 48)));
  EXPECT_EQ(lunscope_inflight_count(&session_.inflight()), 1u);
  EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_REJECTED), 1u);
  session_.Target(ScsiResponse(2));
  EXPECT_EQ(Only().record.itt, 2u);
}

// A Reject of another PDU leaves the command alone. Its response is still to come.
TEST_F(Command, WhoseDataIsRejectedStaysInFlight) {
  session_.Initiator(ScsiCommand(1, Write10(), 512, kWriteFlags));
  session_.Target(Reject(2, Slice(DataOut(1, 0, Bytes(512)), 0, 48)));
  session_.Target(Reject(4, FromHex("01")));                                  // less than a header
  session_.Target(Reject(4, Slice(ScsiCommand(9, TestUnitReady()), 0, 48)));  // not in flight
  EXPECT_EQ(lunscope_inflight_count(&session_.inflight()), 1u);
  EXPECT_EQ(session_.unreported(), 0u);
}

struct Abort {
  const char* name;
  uint8_t function;
  uint8_t response;
  std::set<uint32_t> ended;  // of the commands below
};

class Aborts : public testing::TestWithParam<Abort> {};

// Commands 1 and 2 on LUN 1, 3 on LUN 2; the request is for LUN 1 and tag 2, and 4 comes later.
INSTANTIATE_TEST_SUITE_P(
    TaskManagement, Aborts,
    testing::Values(Abort{"AbortTask", ISCSI_TASK_ABORT_TASK, 0, {2}},
                    Abort{"AbortTaskSet", ISCSI_TASK_ABORT_TASK_SET, 0, {1, 2}},
                    Abort{"ClearTaskSet", ISCSI_TASK_CLEAR_TASK_SET, 0, {1, 2}},
                    Abort{"ClearAca", 3, 0, {}},
                    Abort{"LogicalUnitReset", ISCSI_TASK_LUN_RESET, 0, {1, 2}},
                    Abort{"TargetWarmReset", ISCSI_TASK_TARGET_WARM_RESET, 0, {1, 2, 3}},
                    Abort{"TargetColdReset", ISCSI_TASK_TARGET_COLD_RESET, 0, {1, 2, 3}},
                    Abort{"TaskReassign", 8, 0, {}}, Abort{"QueryTask", 9, 0, {}},
                    Abort{"NexusReset", ISCSI_TASK_NEXUS_RESET, 0, {1, 2, 3}},
                    Abort{"NoSuchTask", ISCSI_TASK_ABORT_TASK, 1, {2}},
                    Abort{"NoSuchTaskOfASet", ISCSI_TASK_ABORT_TASK_SET, 1, {}},
                    Abort{"NotSupported", ISCSI_TASK_LUN_RESET, 5, {}},
                    Abort{"Rejected", ISCSI_TASK_TARGET_WARM_RESET, 255, {}}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(Aborts, EndWhatTheyName) {
  Follower session;
  LogIn(&session);
  const auto command = [](uint32_t number, uint64_t lun) {
    return ScsiCommand(number, TestUnitReady()).Lun(lun).Set32(24, number);
  };
  for (const auto& [number, lun] : {std::pair{1, 1}, {2, 1}, {3, 2}})
    session.Initiator(command(static_cast<uint32_t>(number), static_cast<uint64_t>(lun)));
  session.Initiator(TaskRequest(GetParam().function, 2).Lun(1).Set32(24, 4));
  session.Initiator(command(4, 1));
  session.Target(TaskResponse(GetParam().response));
  const bool is_known = GetParam().response != ISCSI_TASK_DOES_NOT_EXIST;
  EXPECT_EQ(
      session.unreported(is_known ? LUNSCOPE_UNREPORTED_ABORTED : LUNSCOPE_UNREPORTED_NO_SUCH_TASK),
      GetParam().ended.size());
  for (uint32_t number = 1; number <= 4; number++) {
    EXPECT_EQ(session.Find(number) == nullptr, GetParam().ended.contains(number)) << number;
  }
  // A second response changes nothing.
  session.Target(TaskResponse(0));
  EXPECT_EQ(session.unreported(), GetParam().ended.size());
}

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

TEST(InflightList, TakesNoMoreThanItHasRoomFor) {
  const auto list = std::make_unique<lunscope_inflight_record>();
  list->count = LUNSCOPE_TRACKED_COMMANDS;
  lunscope_command command = {};
  command.tag = 1;
  lunscope_inflight_list(list.get(), &command);
  EXPECT_EQ(list->count, uint32_t{LUNSCOPE_TRACKED_COMMANDS});
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

// A request that is sent again takes no place of another one.
TEST_F(Command, IsEndedByARequestAmongOthersThatAreSentAgain) {
  session_.Initiator(ScsiCommand(1, TestUnitReady()).Lun(3));
  session_.Initiator(TaskRequest(ISCSI_TASK_LUN_RESET, 0).Itt(0x70).Lun(3).Set32(24, 9));
  for (uint32_t i = 0; i < 2 * LUNSCOPE_TASK_REQUESTS; i++)
    session_.Initiator(TaskRequest(ISCSI_TASK_ABORT_TASK, 5));
  session_.Target(TaskResponse(0).Itt(0x70));
  EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_ABORTED), 1u);
}

// A response belongs to the request with its tag. The engine remembers the four latest requests.
TEST_F(Command, IsEndedByTheRequestThatIsAnswered) {
  constexpr uint32_t kRequests = LUNSCOPE_TASK_REQUESTS + 1;
  for (uint32_t itt = 0; itt < kRequests; itt++) session_.Initiator(ScsiCommand(itt, Read10()));
  for (uint32_t itt = 0; itt < kRequests; itt++)
    session_.Initiator(TaskRequest(ISCSI_TASK_ABORT_TASK, itt).Itt(100 + itt));
  session_.Target(TaskResponse(0).Itt(7));    // to nobody
  session_.Target(TaskResponse(0).Itt(100));  // to the oldest, which gave way
  EXPECT_EQ(session_.unreported(), 0u);
  for (uint32_t itt = kRequests - 1; itt > 0; itt--) {
    session_.Target(TaskResponse(0).Itt(100 + itt));
    EXPECT_EQ(session_.Find(itt), nullptr);
    EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_ABORTED), kRequests - itt);
  }
}

// ------------------------------------------------------------------ bytes

// The four combinations of InitialR2T and ImmediateData (RFC 7143 sections 13.10, 13.11).
TEST_F(Command, CountsImmediateUnsolicitedAndSolicitedData) {
  const struct {
    const char* name;
    size_t immediate, unsolicited, solicited;
  } kRows[] = {
      {"solicited", 0, 0, 8192}, {"immediate", 512, 0, 0}, {"unsolicited", 0, 4096, 4096},
      {"all", 512, 3584, 4096},  {"unpadded", 1, 2, 3},    {"none", 0, 0, 0},
  };
  uint32_t itt = 0;
  for (const auto& row : kRows) {
    itt++;
    const size_t bytes = row.immediate + row.unsolicited + row.solicited;
    session_.Initiator(ScsiCommand(itt, Write10(), static_cast<uint32_t>(bytes), kWriteFlags)
                           .Data(Bytes(row.immediate)));
    if (row.unsolicited) session_.Initiator(DataOut(itt, 0, Bytes(row.unsolicited)));
    if (row.solicited) {
      session_.Target(R2t(itt, 0, static_cast<uint32_t>(row.solicited)));
      session_.Initiator(DataOut(itt, 0, Bytes(row.solicited / 2), 0x00));
      session_.Initiator(DataOut(itt, 0, Bytes(row.solicited - row.solicited / 2)));
    }
    session_.Target(ScsiResponse(itt));
    ASSERT_EQ(session_.commands.size(), itt) << row.name;
    EXPECT_EQ(TransferredBytes(session_.commands.back().record), bytes) << row.name;
  }
}

TEST_F(Command, CountsBothWaysOfABidirectionalCommand) {
  session_.Initiator(ScsiCommand(1, FromHex("53"), 512, 0xe1).Ahs(FromHex("00050200 00000200")));
  session_.Initiator(DataOut(1, 0, Bytes(512)));
  session_.Target(DataIn(1, 0, Bytes(100)));
  session_.Target(ScsiResponse(1));
  EXPECT_EQ(Only().record.read_bytes, 100u);
  EXPECT_EQ(Only().record.written_bytes, 512u);
}

TEST_F(Command, DoesNotGetTheBytesOfAnother) {
  session_.Initiator(ScsiCommand(1, Read10(), 512, kReadFlags));
  session_.Initiator(ScsiCommand(2, Read10(), 512, kReadFlags));
  session_.Target(DataIn(2, 0, Bytes(512), kDataInStatus));
  session_.Target(DataIn(3, 0, Bytes(512)));
  session_.Target(ScsiResponse(1));
  ASSERT_EQ(session_.commands.size(), 2u);
  EXPECT_EQ(TransferredBytes(session_.commands[0].record), 512u);
  EXPECT_EQ(TransferredBytes(session_.commands[1].record), 0u);
}

// ------------------------------------------------------------------ sense

TEST_F(Command, BringsItsSense) {
  const Bytes fixed = FromHex("70 00 05 00000000 0a 00000000 20 00 00 000000");
  const Bytes descriptor = FromHex("72 06 29 01 00000000");
  Bytes longest = FromHex("72 0b 47 05 000000 f4");
  longest.resize(252);
  const struct {
    const char* name;
    Bytes data;   // of the SCSI Response
    Bytes sense;  // that is reported
  } kRows[] = {
      {"fixed", Join({{0, 18}, fixed}), fixed},
      {"descriptor", Join({{0, 8}, descriptor}), descriptor},
      {"longer than what is kept", Join({{0, 252}, longest}), Slice(longest, 0, 96)},
      {"exactly what is kept", Join({{0, 96}, Slice(longest, 0, 96)}), Slice(longest, 0, 96)},
      {"truncated", Join({{0, 18}, Slice(fixed, 0, 5)}), Slice(fixed, 0, 5)},
      {"followed by response data", Join({{0, 8}, descriptor, Bytes(32, 0xee)}), descriptor},
      {"SenseLength 0", {0, 0}, {}},
      {"SenseLength 0 and response data", {0, 0, 0xee, 0xee}, {}},
      {"SenseLength without sense", {0xff, 0xff}, {}},
      {"SenseLength too large", {0xff, 0xff, 0x70}, {0x70}},
      {"half a SenseLength", {0}, {}},
      {"no data", {}, {}},
  };
  uint32_t itt = 0;
  for (const auto& row : kRows) {
    for (const size_t segment : {1, 50, 10000}) {
      session_.Initiator(ScsiCommand(++itt, TestUnitReady()));
      session_.TargetIn(segment, ScsiResponse(itt, 2).Data(row.data));
      ASSERT_EQ(session_.commands.size(), itt) << row.name;
      EXPECT_EQ(session_.commands.back().sense, row.sense) << row.name;
      EXPECT_EQ(session_.commands.back().record.sense_bytes, row.sense.size()) << row.name;
    }
  }
}

// ------------------------------------------------------------------ data that explains a LUN

TEST_F(Command, InquiryDataIsDeliveredWithItsLun) {
  session_.Initiator(ScsiCommand(1, Inquiry(), 96, kReadFlags).Lun(0x0005000000000000));
  session_.Target(DataIn(1, 0, Bytes(96, 0x41), kDataInStatus));
  const lunscope_pdu_record& record = session_.delivered.back();
  EXPECT_EQ(record.lun, 0x0005000000000000u);
  EXPECT_EQ(record.cdb[0], SCSI_INQUIRY);
  EXPECT_EQ(ChunkText(record), std::string(96, 'A'));
  EXPECT_EQ(record.chunk_offset, 0u);
  EXPECT_EQ(session_.reported(), 1u);
}

TEST_F(Command, InquiryDataMayComeBeforeItsStatus) {
  session_.Initiator(ScsiCommand(1, Inquiry(), 300, kReadFlags));
  session_.Target(DataIn(1, 0, Bytes(250, 0x41), 0x00));
  session_.Target(DataIn(1, 250, Bytes(50, 0x42)));
  session_.Target(ScsiResponse(1));
  EXPECT_EQ(ChunkText(session_.delivered.back()), std::string(LUNSCOPE_CHUNK_BYTES, 'A'));
  EXPECT_EQ(TransferredBytes(Only().record), 300u);
}

TEST_F(Command, PayloadOfAReadStaysInTheKernel) {
  const size_t before = session_.delivered.size();
  session_.Initiator(ScsiCommand(1, Read10(), 512, kReadFlags));
  session_.Target(DataIn(1, 0, Bytes(512, 0x41), kDataInStatus));
  session_.Initiator(ScsiCommand(2, Write10(), 512, kWriteFlags).Data(Bytes(512, 0x41)));
  session_.Target(ScsiResponse(2));
  EXPECT_EQ(session_.delivered.size(), before);
}

// ------------------------------------------------------------------ the table

TEST_F(Command, OverTheLimitIsRefusedAndCounted) {
  session_.inflight().limit = 4;
  for (uint32_t itt = 1; itt <= 6; itt++) session_.Initiator(ScsiCommand(itt, TestUnitReady()));
  EXPECT_EQ(lunscope_inflight_count(&session_.inflight()), 4u);
  EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_TABLE_FULL), 2u);
  session_.Initiator(ScsiCommand(4, TestUnitReady()));  // a tag in flight needs no place
  EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_ITT_REUSED), 1u);
  for (uint32_t itt = 1; itt <= 6; itt++) session_.Target(ScsiResponse(itt));
  EXPECT_EQ(session_.reported(), 4u);
  EXPECT_EQ(session_.unmatched(), 2u);
}

struct Numbering {
  const char* name;
  uint32_t (*tag)(uint32_t i);
};

class Tags : public testing::TestWithParam<Numbering> {
 protected:
  static uint32_t Tag(uint32_t i) {
    const uint32_t tag = GetParam().tag(i);
    return tag == kReservedTag ? 0x12345678 : tag;
  }
};

// The tags of initiators: libiscsi counts up, and the Linux initiator has a byte-swapped index.
INSTANTIATE_TEST_SUITE_P(
    Command, Tags,
    testing::Values(Numbering{"Counted", [](uint32_t i) { return i; }},
                    Numbering{"AcrossTheWrap", [](uint32_t i) { return 0xffffff80 + i; }},
                    Numbering{"Swapped", [](uint32_t i) { return __builtin_bswap32(i); }},
                    Numbering{"UpperHalf", [](uint32_t i) { return i << 16; }},
                    Numbering{"Strided", [](uint32_t i) { return i * 16; }},
                    Numbering{"Scattered", [](uint32_t i) { return i * 0x01000193; }},
                    Numbering{"SwappedPastAByte",
                              [](uint32_t i) { return __builtin_bswap32(1000 + i); }}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(Tags, AreAllTakenUpToAThousand) {
  Follower session;
  LogIn(&session);
  for (uint32_t i = 0; i < 1000; i++) session.Initiator(ScsiCommand(Tag(i), TestUnitReady()));
  EXPECT_EQ(lunscope_inflight_count(&session.inflight()), 1000u);
  for (uint32_t i = 0; i < 1000; i++) session.Target(ScsiResponse(Tag(i)));
  EXPECT_EQ(session.reported(), 1000u);
  EXPECT_EQ(session.inflight().spilled, 0u);
}

// A full table may have no place for a tag within LUNSCOPE_PROBES. Each tag that it took is found
// again.
TEST_P(Tags, InFullTablesAreNotLost) {
  constexpr uint32_t kMany = LUNSCOPE_TRACKED_COMMANDS;
  Follower session;
  LogIn(&session);
  for (uint32_t i = 0; i < kMany; i++) session.Initiator(ScsiCommand(Tag(i), TestUnitReady()));
  const uint64_t refused = session.unreported(LUNSCOPE_UNREPORTED_TABLE_FULL);
  EXPECT_EQ(lunscope_inflight_count(&session.inflight()) + refused, uint64_t{kMany});
  EXPECT_LE(refused, uint64_t{kMany / 8});
  for (uint32_t i = 0; i < kMany; i++) session.Target(ScsiResponse(Tag(i)));
  EXPECT_EQ(session.reported(), kMany - refused);
  EXPECT_EQ(session.unmatched(), refused);
  EXPECT_EQ(lunscope_inflight_count(&session.inflight()), 0u);
  EXPECT_EQ(session.inflight().spilled, 0u);
}

// Tags with one home in either table are found, whatever is removed around them. They are refused
// once their places are taken.
TEST_F(Command, CollidingTagsAreToldApart) {
  constexpr size_t kPlaces = 2 * LUNSCOPE_PROBES;
  std::vector<uint32_t> tags;
  for (uint32_t tag = 0; tags.size() < kPlaces + 2; tag++)  // up to the last place
    if (lunscope_command_home(tag, LUNSCOPE_SPILL_HOMES) == LUNSCOPE_SPILL_HOMES - 1)
      tags.push_back(tag);
  for (uint32_t gone = 0; gone < kPlaces; gone++) {
    SCOPED_TRACE(gone);
    const uint64_t refused = session_.unreported(LUNSCOPE_UNREPORTED_TABLE_FULL);
    for (const uint32_t tag : tags) session_.Initiator(ScsiCommand(tag, TestUnitReady()));
    EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_TABLE_FULL), refused + 2);
    EXPECT_EQ(session_.inflight().spilled, uint32_t{LUNSCOPE_PROBES});
    session_.Target(ScsiResponse(tags[gone]));
    for (uint32_t i = 0; i < kPlaces; i++) {
      const lunscope_command* command = session_.Find(tags[i]);
      ASSERT_EQ(command == nullptr, i == gone);
      if (command != nullptr) {
        EXPECT_EQ(command->cmdsn, tags[i]);
      }
    }
    // A tag in flight is found behind a place that became free: it is not stored twice.
    session_.Initiator(ScsiCommand(tags[kPlaces - 1], TestUnitReady()));
    for (const uint32_t tag : tags) session_.Target(ScsiResponse(tag));
    EXPECT_EQ(lunscope_inflight_count(&session_.inflight()), 0u);
  }
}

// A report lists what is in flight, in either table.
TEST_F(Command, IsListedWithItsLunAndItsBeginning) {
  for (uint32_t i = 1; i <= 400; i++)
    session_.Initiator(ScsiCommand(i, TestUnitReady()).Lun(uint64_t{i} << 48));
  std::set<uint64_t> luns;
  session_.Walk([&](const lunscope_record& record) {
    const auto* list = RecordAs<lunscope_inflight_record>(record);
    if (list == nullptr) return;
    for (const lunscope_waiting& waiting : std::span(list->waiting, list->count)) {
      luns.insert(waiting.lun >> 48);
      EXPECT_EQ(waiting.start_ns,
                session_.Find(static_cast<uint32_t>(waiting.lun >> 48))->start_ns);
    }
  });
  EXPECT_EQ(luns.size(), 400u);
  EXPECT_EQ(*luns.begin(), 1u);
  EXPECT_EQ(*luns.rbegin(), 400u);
}

TEST_F(Command, IsAbortedOnlyIfItIsThere) {
  session_.Initiator(ScsiCommand(1, TestUnitReady()));
  session_.Initiator(TaskRequest(ISCSI_TASK_ABORT_TASK, 2));
  session_.Target(TaskResponse(0));
  EXPECT_EQ(session_.unreported(), 0u);
  EXPECT_NE(session_.Find(1), nullptr);
}

// Commands in the spill end like others: by an abort, by a reset, and with their data counted.
TEST_F(Command, IsTheSameCommandInTheSpill) {
  for (uint32_t i = 1; i <= 400; i++)
    session_.Initiator(ScsiCommand(i, Read10(), 4096, kReadFlags).Lun(i % 2).Set32(24, i));
  ASSERT_GT(session_.inflight().spilled, 0u);
  uint32_t spilled = 400;
  while (!session_.Find(spilled)->is_spilled) spilled--;
  session_.Target(DataIn(spilled, 0, Bytes(4096)));
  EXPECT_EQ(session_.Find(spilled)->read_bytes, 4096u);
  session_.Initiator(TaskRequest(ISCSI_TASK_ABORT_TASK, spilled).Lun(spilled % 2).Set32(24, 401));
  session_.Target(TaskResponse(0));
  EXPECT_EQ(session_.Find(spilled), nullptr);
  EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_ABORTED), 1u);
  session_.Initiator(TaskRequest(ISCSI_TASK_LUN_RESET, 0).Lun(1).Set32(24, 401));
  session_.Target(TaskResponse(0));
  EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_ABORTED), 200u + (spilled % 2 == 0));
  session_.Initiator(TaskRequest(ISCSI_TASK_TARGET_WARM_RESET, 0).Set32(24, 401));
  session_.Target(TaskResponse(0));
  EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_ABORTED), 400u);
  EXPECT_EQ(session_.inflight().spilled, 0u);
}

// Compared with std::set: a long random series of begins and ends.
TEST_F(Command, TableAgreesWithASet) {
  std::mt19937 random(20260101);
  std::set<uint32_t> model;
  for (int i = 0; i < 20000; i++) {
    const uint32_t tag = random() % 500 << (random() % 3 * 8);
    if (random() % 2) {
      const uint64_t refused = session_.unreported(LUNSCOPE_UNREPORTED_TABLE_FULL);
      session_.Initiator(ScsiCommand(tag, TestUnitReady()));
      if (session_.unreported(LUNSCOPE_UNREPORTED_TABLE_FULL) == refused) model.insert(tag);
    } else {
      const uint64_t unmatched = session_.unmatched();
      session_.Target(ScsiResponse(tag));
      EXPECT_EQ(session_.unmatched() == unmatched, model.erase(tag) == 1);
    }
    ASSERT_EQ(lunscope_inflight_count(&session_.inflight()), model.size());
  }
  for (const uint32_t tag : model) EXPECT_NE(session_.Find(tag), nullptr);
}

}  // namespace
}  // namespace lunscope
