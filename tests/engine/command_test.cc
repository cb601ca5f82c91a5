// SPDX-License-Identifier: Apache-2.0
// Commands: paired by their Initiator Task Tag, completed by a status, with their bytes and sense.
#include <gtest/gtest.h>

#include <functional>

#include "collector/base/record.h"
#include "tests/engine/command_fixture.h"

namespace lunscope {
namespace {

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

}  // namespace
}  // namespace lunscope
