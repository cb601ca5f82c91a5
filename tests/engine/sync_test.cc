// SPDX-License-Identifier: Apache-2.0
// Unknown boundaries: holes, bad headers, streams that are not iSCSI, and connections that are
// followed from the middle. No record is wrong, and bytes that were not parsed are counted.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "collector/base/record.h"
#include "tests/engine/follower.h"

namespace lunscope {
namespace {

uint64_t SumOf(const uint64_t (&counts)[LUNSCOPE_REASON_COUNT]) {
  return std::accumulate(std::begin(counts), std::end(counts), uint64_t{0});
}

// A boundary is believed after three headers of one direction, if their numbers agree with those of
// the other direction.
void Ping(Follower* session, int times) {
  for (int i = 0; i < times; i++) {
    session->Initiator(NopOut());
    session->Target(NopIn());
  }
}

// ------------------------------------------------------------------ holes

TEST(Hole, IsGivenUpIfTheWantedBytesAreMissing) {
  Follower session;
  LogIn(&session);
  const uint32_t direction = session.target_direction();
  EXPECT_EQ(session.Offer(direction, session.next_seq(direction) + 1, NopIn()), LUNSCOPE_OFFER_NEW);
  EXPECT_EQ(session.connection->record.gaps, 1u);
  EXPECT_EQ(session.totals.gaps[LUNSCOPE_REASON_MISSING_BYTES], 1u);
}

// On arrival a hole may still be filled. It is given up only once its bytes were read from the
// socket.
TEST(Hole, WaitsForAReorderedSegment) {
  Follower session;
  LogIn(&session);
  const uint32_t direction = session.target_direction();
  const uint32_t seq = session.next_seq(direction);
  const Bytes state = session.State();
  EXPECT_EQ(session.Offer(direction, seq + 48, NopIn(), seq), LUNSCOPE_OFFER_HOLE);
  EXPECT_TRUE(session.State() == state);
  EXPECT_EQ(session.Offer(direction, seq, NopIn(), seq), LUNSCOPE_OFFER_NEW);
  EXPECT_EQ(session.Offer(direction, seq + 48, NopIn(), seq), LUNSCOPE_OFFER_NEW);
  EXPECT_EQ(session.pdus(direction, ISCSI_NOP_IN), 2u);
  EXPECT_EQ(session.connection->record.gaps, 0u);
}

TEST(Hole, IsAGapOfMissingBytesThatIsClosedByThreeHeaders) {
  Follower session;
  LogIn(&session);
  session.TargetUnseen(480);
  session.Target(NopIn());
  EXPECT_EQ(session.totals.gaps[LUNSCOPE_REASON_MISSING_BYTES], 1u);
  EXPECT_EQ(session.totals.unparsed_bytes[LUNSCOPE_REASON_MISSING_BYTES], 480u);
  session.Target(NopIn());
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_MISSING_BYTES], 0u);
  session.Target(NopIn());
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_MISSING_BYTES], 1u);
  EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), 1u);
  EXPECT_EQ(session.connection->record.gaps, 1u);
  EXPECT_EQ(SumOf(session.totals.gaps), 1u);
}

TEST(Hole, InsideAHeaderLosesThatHeader) {
  for (size_t seen = 1; seen < 48; seen++) {
    Follower session;
    LogIn(&session);
    session.Target(Slice(NopIn(), 0, seen));
    session.TargetUnseen(48 - seen);
    for (int i = 0; i < 4; i++) session.Target(NopIn());
    EXPECT_EQ(session.totals.unparsed_bytes[LUNSCOPE_REASON_MISSING_BYTES], 48u + 2 * 48) << seen;
    EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), 2u) << seen;
  }
}

// A segment begins before a hole that was given up, and ends behind it. No byte is counted twice.
TEST(Hole, ThatIsRepeatedWithMoreCountsOnce) {
  Follower session;
  LogIn(&session);
  const uint32_t direction = session.target_direction();
  session.Target(Bytes(100, 0x07));
  const uint32_t seq = session.next_seq(direction) - 50;
  session.Offer(direction, seq, Bytes(100, 0x07));
  EXPECT_LE(SumOf(session.totals.unparsed_bytes), 150u);
  EXPECT_EQ(SumOf(session.totals.gaps), 1u);
  EXPECT_EQ(session.pdus(direction, ISCSI_NOP_IN), 0u);
}

TEST(Hole, LeavesTheOtherDirectionAlone) {
  Follower session;
  LogIn(&session);
  session.TargetUnseen(48);
  session.Target(NopIn());
  session.Initiator(ScsiCommand(1, TestUnitReady()));
  EXPECT_EQ(session.seen(), 1u);
  EXPECT_EQ(session.initiator_stream().sync, LUNSCOPE_SYNC_FOLLOWED);
}

// A text is gathered in chunks. A chunk that was delivered is not given up.
TEST(Hole, InsideGatheredTextGivesUpWhatWasNotDelivered) {
  Follower session;
  LogIn(&session);
  session.Target(Slice(TextResponse(Bytes(500, 'x')), 0, 48 + 300));  // a chunk of 208, and 92
  session.TargetUnseen(200);
  session.Target(NopIn());
  EXPECT_EQ(session.totals.unparsed_bytes[LUNSCOPE_REASON_MISSING_BYTES], 92u + 200u);
}

TEST(Hole, KeepsTheDigestsThatAreInEffect) {
  const Digests both{true, true};
  Follower session;
  LogIn(&session, {}, Keys({"HeaderDigest=CRC32C", "DataDigest=CRC32C"}));
  session.TargetUnseen(52);
  for (int i = 0; i < 4; i++) session.Target(NopIn(Bytes(5)).Wire(both));
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_MISSING_BYTES], 1u);
  EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), 2u);
}

// ------------------------------------------------------------------ the gap flag of a command

TEST(GapFlag, IsOnCommandsThatWereInFlight) {
  Follower session;
  LogIn(&session);
  session.Initiator(ScsiCommand(1, TestUnitReady()));
  session.TargetUnseen(48);
  for (int i = 0; i < 3; i++) session.Target(NopIn());
  session.Initiator(ScsiCommand(2, TestUnitReady()));
  session.Target(ScsiResponse(1));
  session.Target(ScsiResponse(2));
  ASSERT_EQ(session.commands.size(), 2u);
  EXPECT_EQ(session.commands[0].record.header.flags, LUNSCOPE_FLAG_GAP);
  EXPECT_EQ(session.commands[1].record.header.flags, 0);
}

// The command is sent while the boundaries of the other direction are unknown. Its first Data-In is
// missed, so its byte count is too low and it has the gap flag.
TEST(GapFlag, IsOnCommandsThatBeganInsideTheGap) {
  Follower session;
  LogIn(&session);
  session.TargetUnseen(48);
  session.Target(NopIn());  // boundaries lost; a candidate begins here
  session.Initiator(ScsiCommand(1, Read10(), 1024, kReadFlags));
  session.Target(DataIn(1, 0, Bytes(512)));
  session.Target(DataIn(1, 512, Bytes(512)));
  session.Target(ScsiResponse(1));
  ASSERT_EQ(session.commands.size(), 1u);
  EXPECT_LT(TransferredBytes(session.commands[0].record), 1024u);
  EXPECT_EQ(session.commands[0].record.header.flags, LUNSCOPE_FLAG_GAP);
}

// The same for a connection that is followed from the middle.
TEST(GapFlag, IsOnCommandsAnsweredBeforeTheAnswersWereFollowed) {
  Follower session;
  Ping(&session, 2);
  session.Initiator(NopOut());
  session.Initiator(ScsiCommand(1, Read10(), 1024, kReadFlags));
  session.Target(DataIn(1, 0, Bytes(512)));
  session.Target(DataIn(1, 512, Bytes(512)));
  session.Target(ScsiResponse(1));
  ASSERT_EQ(session.commands.size(), 1u);
  EXPECT_EQ(session.commands[0].record.header.flags, LUNSCOPE_FLAG_GAP);
}

// ------------------------------------------------------------------ bad headers

TEST(BadHeader, IsAGapThatIsClosedByThreeHeadersInTheSameSegment) {
  Follower session;
  LogIn(&session);
  session.Target(Join({NopIn(), Bytes(100, 0x07), NopIn(), NopIn(), NopIn(), NopIn()}));
  EXPECT_EQ(session.totals.gaps[LUNSCOPE_REASON_BAD_HEADER], 1u);
  EXPECT_EQ(session.totals.unparsed_bytes[LUNSCOPE_REASON_BAD_HEADER], 100u);
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_BAD_HEADER], 1u);
  EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), 1u + 4u);
  EXPECT_EQ(SumOf(session.totals.gaps), 1u);
}

TEST(BadHeader, ADirectionHasOnlyItsOwnOpcodes) {
  Follower session;
  LogIn(&session);
  session.Target(ScsiCommand(1, TestUnitReady()));
  EXPECT_EQ(session.seen(), 0u);
  EXPECT_EQ(session.totals.gaps[LUNSCOPE_REASON_BAD_HEADER], 1u);
}

TEST(BadHeader, OfEveryOpcodeThatIsNone) {
  for (uint8_t opcode = 0; opcode < 0x20; opcode++) {
    if (opcode <= 6 || opcode == 0x10 || (opcode >= 0x1c && opcode <= 0x1e)) continue;
    Follower session;
    LogIn(&session);
    session.Initiator(Pdu(opcode, 0x80));
    EXPECT_EQ(session.totals.gaps[LUNSCOPE_REASON_BAD_HEADER], 1u) << int{opcode};
  }
}

TEST(BadHeader, ACandidateThatFailsIsNoSecondGap) {
  Follower session;
  LogIn(&session);
  session.Target(Bytes(100, 0x07));
  session.Target(Join({NopIn(), Bytes(100, 0x07)}));
  session.Target(Join({NopIn(), NopIn(), Bytes(100, 0x07)}));
  EXPECT_EQ(session.totals.gaps[LUNSCOPE_REASON_BAD_HEADER], 1u);
  EXPECT_EQ(SumOf(session.totals.resyncs), 0u);
  Ping(&session, 3);
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_BAD_HEADER], 1u);
}

// Random bytes in full feature phase. One header in twenty is plausible, and its length skips the
// bytes behind it, so a gap is likely and not certain. No byte is read twice, and the table stays
// valid.
TEST(BadHeader, RandomBytesAfterTheLoginDoNoHarm) {
  uint64_t gaps = 0;
  for (unsigned seed = 0; seed < 200; seed++) {
    std::mt19937 random(seed);
    Follower session;
    LogIn(&session);
    session.Initiator(ScsiCommand(1, TestUnitReady()));
    for (int i = 0; i < 50; i++) {
      Bytes noise(random() % 3000 + 1);
      for (uint8_t& byte : noise) byte = static_cast<uint8_t>(random());
      random() % 2 ? session.Target(noise) : session.Initiator(noise);
    }
    EXPECT_LE(lunscope_inflight_count(&session.inflight()), session.inflight().limit);
    EXPECT_LE(session.reported(), 1u);
    gaps += session.connection->record.gaps;
  }
  EXPECT_GT(gaps, 200u);
}

// ------------------------------------------------------------------ not iSCSI from the start

class NotIscsi : public testing::TestWithParam<std::pair<const char*, Bytes>> {};

Bytes Random(unsigned seed, size_t bytes) {
  std::mt19937 random(seed);
  Bytes noise(bytes);
  for (uint8_t& byte : noise) byte = static_cast<uint8_t>(random());
  return noise;
}

INSTANTIATE_TEST_SUITE_P(
    Sync, NotIscsi,
    testing::Values(
        std::pair{"Http",
                  ToBytes("GET / HTTP/1.1\r\nHost: storage.example\r\nUser-Agent: curl/7\r\n\r\n")},
        std::pair{"Ssh", ToBytes("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7\r\n..........")},
        std::pair{"Tls", Join({FromHex("16030100f5010000f10303"), Random(4, 500)})},
        std::pair{"Zeros", Bytes(1448, 0x00)}, std::pair{"Ones", Bytes(1448, 0xff)},
        std::pair{"Random1", Random(1, 1448)}, std::pair{"Random2", Random(2, 65536)},
        std::pair{"Random3", Random(3, 100)},
        std::pair{"ACommandBeforeTheLogin", ScsiCommand(1, TestUnitReady()).Wire()},
        std::pair{"ANopBeforeTheLogin", NopOut().Wire()}),
    [](const auto& tested) { return std::string(tested.param.first); });

TEST_P(NotIscsi, IsCountedAndReportsNothing) {
  const Bytes& bytes = GetParam().second;
  for (const size_t segment : {size_t{1}, size_t{47}, size_t{1448}, size_t{65536}}) {
    Follower session;
    session.Open();
    session.InitiatorIn(segment, bytes);
    EXPECT_EQ(session.totals.gaps[LUNSCOPE_REASON_NOT_ISCSI], 1u);
    EXPECT_EQ(SumOf(session.totals.gaps), 1u);
    EXPECT_EQ(session.seen(), 0u);
    EXPECT_TRUE(session.delivered.empty());
    EXPECT_LE(session.totals.unparsed_bytes[LUNSCOPE_REASON_NOT_ISCSI], bytes.size());
    EXPECT_EQ(SumOf(session.totals.unparsed_bytes),
              session.totals.unparsed_bytes[LUNSCOPE_REASON_NOT_ISCSI]);
  }
}

TEST(NotIscsi, EveryByteOfItIsUnparsed) {
  Follower session;
  session.Open();
  session.InitiatorIn(100, Bytes(10000, 0x00));
  EXPECT_EQ(session.totals.unparsed_bytes[LUNSCOPE_REASON_NOT_ISCSI], 10000u);
}

TEST(NotIscsi, ARejectMayAnswerTheFirstLogin) {
  Follower session;
  session.Open();
  session.Initiator(LoginRequest());
  session.Target(Reject(4, Slice(LoginRequest(), 0, 48)));
  EXPECT_EQ(SumOf(session.totals.gaps), 0u);
  EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_REJECT), 1u);
}

TEST(NotIscsi, AConnectionThatSaysNothingIsNoGap) {
  Follower session;
  session.Open();
  session.Close();
  EXPECT_EQ(SumOf(session.totals.gaps), 0u);
}

// ------------------------------------------------------------------ met in the middle

// Command number i and its answer, in a session with 32 commands in flight.
Pdu Command(uint32_t i) { return ScsiCommand(i, TestUnitReady()).Set32(28, i); }
Pdu Numbered(Pdu pdu, uint32_t i) { return pdu.Set32(24, i).Set32(28, i + 1).Set32(32, i + 32); }
Pdu Answer(uint32_t i) { return Numbered(ScsiResponse(i), i); }
Pdu Read(uint32_t i) { return ScsiCommand(i, Read10(), 4096, kReadFlags).Set32(28, i); }
Pdu ReadAnswer(uint32_t i, const Bytes& data) {
  return Numbered(DataIn(i, 0, data, kDataInStatus), i);
}

TEST(Attach, BelievesTheThirdHeaderIfBothDirectionsAgree) {
  Follower session;
  for (uint32_t i = 1; i <= 10; i++) {
    session.Initiator(Command(i));
    session.Target(Answer(i));
  }
  // Each direction waits for a header of the other one, and the first waits for 4 bytes more.
  EXPECT_GE(session.reported(), 6u);
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_ATTACH], 2u);
  EXPECT_EQ(SumOf(session.totals.gaps), 0u);
}

// The header of the other direction is still in its room while a chunk behind it is read.
TEST(Attach, BelievesAHeaderWhoseDataIsOnTheWay) {
  Follower session;
  LogIn(&session);
  const Bytes sense = Numbered(ScsiResponse(1, 2).Sense(Bytes(18, 0x70)), 1);
  session.Target(Slice(sense, 0, 48 + 10));
  session.InitiatorUnseen(48);
  for (uint32_t i = 1; i <= 3; i++) session.Initiator(Command(i));
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_MISSING_BYTES], 1u);
  EXPECT_EQ(session.seen(), 1u);
}

TEST(Attach, BelievesNoNumbersThatDisagree) {
  for (const uint32_t offset : {200u, 100'000u, 0x80000000u}) {
    Follower session;
    for (uint32_t i = 1; i <= 100; i++) {
      session.Initiator(Command(i).Set32(24, i + offset));
      session.Target(Answer(i));
    }
    EXPECT_EQ(SumOf(session.totals.resyncs), 0u) << offset;
    EXPECT_EQ(session.seen(), 0u) << offset;
  }
}

// A window that no target opens, and a StatSN that does not fit.
TEST(Attach, BelievesNoWindowAndNoStatusNumberThatIsFarOff) {
  Follower session;
  for (uint32_t i = 1; i <= 100; i++) {
    session.Initiator(Command(i));
    session.Target(i % 2 ? Answer(i).Set32(32, i + 100'000) : Answer(i).Set32(24, i + 1000));
  }
  EXPECT_EQ(SumOf(session.totals.resyncs), 0u);
}

// PDUs of a long trial are counted.
TEST(Attach, BelievesALongTrialInTheEnd) {
  Follower session;
  for (uint32_t i = 0; i < 600; i++) {
    session.Initiator(DataOut(1, 0, Bytes(4)));
    session.Target(DataIn(2, 0, Bytes(4)));
  }
  for (uint32_t i = 1; i < 3; i++) {
    session.Initiator(Command(i));
    session.Target(Answer(i));
  }
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_ATTACH], 2u);
}

struct SequenceNumbers {
  Pdu pdu;
  bool has_one;  // the CmdSN of an initiator, or the StatSN of a target
};

// RFC 7143 section 11: the PDUs that have a CmdSN or StatSN.
TEST(Attach, KnowsWhichPdusCarryANumber) {
  for (const auto& [pdu, has_one] :
       std::initializer_list<SequenceNumbers>{{NopOut(), true},
                                              {ScsiCommand(1, Read10()), true},
                                              {TaskRequest(1, 1), true},
                                              {LoginRequest(), true},
                                              {TextRequest({}), true},
                                              {DataOut(1, 0, {}), false},
                                              {LogoutRequest(), true},
                                              {Pdu(0x10, kFinal), false},
                                              {Pdu(0x1c, kFinal), false}})
    EXPECT_EQ(lunscope_sync_has_cmdsn(pdu.Wire().data()) != 0, has_one)
        << ToHex(pdu.Wire().data(), 2);
  for (const auto& [pdu, has_one] :
       std::initializer_list<SequenceNumbers>{{NopIn(), true},
                                              {ScsiResponse(1), true},
                                              {TaskResponse(0), true},
                                              {LoginResponse(), true},
                                              {TextResponse({}), true},
                                              {DataIn(1, 0, {}), false},
                                              {DataIn(1, 0, {}, kDataInStatus), true},
                                              {LogoutResponse(), true},
                                              {R2t(1, 0, 1), true},
                                              {AsyncMessage(1), true},
                                              {Reject(1, {}), true},
                                              {Pdu(0x3c, kFinal), false}})
    EXPECT_EQ(lunscope_sync_has_statsn(pdu.Wire().data()) != 0, has_one)
        << ToHex(pdu.Wire().data(), 2);
}

// Numbers wrap at 2^32 (RFC 1982).
TEST(Attach, AgreesAcrossTheWrap) {
  Follower session;
  for (uint32_t i = 0xfffffffa; i != 6; i++) {
    session.Initiator(Command(i));
    session.Target(Answer(i));
  }
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_ATTACH], 2u);
}

// Data-Out has no CmdSN, and Data-In without status has no StatSN. They wait for a PDU that has
// one.
TEST(Attach, WaitsForHeadersWithBothNumbers) {
  Follower session;
  for (uint32_t i = 0; i < 20; i++) {
    session.Initiator(DataOut(1, i * 512, Bytes(512)));
    session.Target(DataIn(2, i * 512, Bytes(512)));
  }
  EXPECT_EQ(SumOf(session.totals.resyncs), 0u);
  session.Initiator(Command(1));
  session.Target(Answer(1));
  session.Initiator(Command(2));
  EXPECT_EQ(SumOf(session.totals.resyncs), 2u);
}

TEST(Attach, InsidePayloadFindsTheBoundaryBehindIt) {
  Follower session;
  session.Target(Bytes(1448, 0x07));
  EXPECT_EQ(session.totals.unparsed_bytes[LUNSCOPE_REASON_ATTACH], 1448u);
  session.Initiator(Join({NopOut(), NopOut()}));
  session.Target(Join({Bytes(1000, 0x07), NopIn(), NopIn(), NopIn(), NopIn()}));
  EXPECT_EQ(session.totals.unparsed_bytes[LUNSCOPE_REASON_ATTACH], 2448u);
  EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), 4u);
  EXPECT_EQ(SumOf(session.totals.gaps), 0u);
}

// A trial that stays undecided: each of its bytes is counted once as not parsed.
TEST(Attach, BytesOnTrialWhenTheConnectionEndsAreUnparsed) {
  Follower session;
  const uint32_t seq = session.next_seq(session.target_direction());
  session.Target(Join({NopIn(), NopIn()}));
  session.Offer(session.target_direction(), seq, NopIn());  // offered before
  session.Initiator(NopOut());
  EXPECT_EQ(SumOf(session.totals.unparsed_bytes), 0u);
  session.Close();
  EXPECT_EQ(session.totals.unparsed_bytes[LUNSCOPE_REASON_ATTACH], 3u * 48);
}

// While the other direction is silent, there are no numbers to compare. More headers must then do.
TEST(Attach, OfOneDirectionAloneTakesMoreHeaders) {
  Follower session;
  const uint32_t all = LUNSCOPE_SYNC_HEADERS_ALONE + 4;
  for (uint32_t itt = 1; itt <= all; itt++) session.Target(ScsiResponse(itt));
  EXPECT_EQ(session.unmatched(), all - LUNSCOPE_SYNC_HEADERS_ALONE + 1);
  EXPECT_EQ(session.reported(), 0u);
}

TEST(Attach, InsideALargePdu) {
  Follower session;
  const Bytes data = DataIn(1, 0, Bytes(100000, 0x07));
  session.TargetUnseen(50000);
  session.TargetIn(1448, Slice(data, 50000, data.size()));
  Ping(&session, 4);
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_ATTACH], 2u);
}

// The scan of a stream that is not iSCSI has a limit. Behind it, only the start of each segment is
// scanned.
TEST(Attach, ScansSoFarAndThenSegmentStarts) {
  Follower session;
  const Bytes noise(1 << 16, 0x07);
  for (int i = 0; i < 64; i++) session.Target(noise);
  session.Target(noise);
  const uint64_t reads = session.reads;
  session.Target(noise);
  session.Target(noise);
  session.Target(Bytes(100, 0x07));
  EXPECT_EQ(session.reads, reads + 3);
  EXPECT_EQ(session.totals.unparsed_bytes[LUNSCOPE_REASON_ATTACH], (uint64_t{67} << 16) + 100);
  Ping(&session, 4);
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_ATTACH], 2u);
}

// ------------------------------------------------------------------ digests, without a login

struct AttachRow {
  Digests digests;
  bool has_data_out;  // the initiator sends data as well
  size_t segment;
};

class AttachDigests : public testing::TestWithParam<AttachRow> {};

std::vector<AttachRow> AttachRows() {
  std::vector<AttachRow> rows;
  for (const Digests digests :
       {Digests{false, false}, {true, false}, {false, true}, {true, true}}) {
    for (const bool has_data_out : {false, true}) {
      for (const size_t segment : {53, 1448, 65536})
        rows.push_back({digests, has_data_out, segment});
    }
  }
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Sync, AttachDigests, testing::ValuesIn(AttachRows()),
                         [](const auto& tested) {
                           const AttachRow& row = tested.param;
                           return fmt::format("Header{}Data{}{}In{}", int{row.digests.header},
                                              int{row.digests.data},
                                              row.has_data_out ? "Writes" : "", row.segment);
                         });

// From any first byte, all PDUs are soon parsed, and no others.
TEST_P(AttachDigests, AreFoundOutAndEveryCommandBehindThemIsSeen) {
  const Digests digests = GetParam().digests;
  const bool has_data_out = GetParam().has_data_out;
  const size_t segment = GetParam().segment;
  for (size_t cut = 0; cut < 700; cut += 13) {
    Follower session;
    Bytes sent;
    Bytes answered;
    const auto exchange = [&](uint32_t i) {
      const Bytes data = has_data_out && i % 2 ? Bytes(100, 0x5a) : Bytes{};
      sent = Join({sent, Read(i).Data(data).Wire(digests)});
      answered = Join({answered, ReadAnswer(i, Bytes(301, 0xa5)).Wire(digests)});
    };
    for (uint32_t i = 1; i <= 40; i++) {
      exchange(i);
      if (i == 4) {  // the bytes before are not offered
        session.InitiatorUnseen(cut % sent.size());
        session.TargetUnseen(cut);
        sent = Slice(sent, cut % sent.size(), sent.size());
        answered = Slice(answered, std::min(cut, answered.size()), answered.size());
      }
      if (i < 4) continue;
      session.InitiatorIn(segment, sent);
      session.TargetIn(segment, answered);
      sent.clear();
      answered.clear();
    }
    EXPECT_EQ(SumOf(session.totals.gaps), 0u) << cut;
    EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_ATTACH], 2u) << cut;
    ASSERT_GE(session.reported(), 25u) << cut;
    EXPECT_EQ(session.commands.back().record.itt, 40u) << cut;
    for (size_t i = 1; i < session.commands.size(); i++)
      EXPECT_EQ(session.commands[i].record.itt, session.commands[i - 1].record.itt + 1) << cut;
    EXPECT_EQ(session.connection->record.header_digest, digests.header) << cut;
    EXPECT_EQ(session.connection->record.data_digest, digests.data) << cut;
    EXPECT_EQ(session.connection->record.header_digest_errors, 0u) << cut;
  }
}

// The boundaries are believed before any PDU had data. The first PDU with data shows whether there
// is a data digest, and no byte is counted wrongly.
TEST_P(AttachDigests, OfDataAreFoundOutWhenThereIsSome) {
  const auto& [digests, has_data_out, segment] = GetParam();
  Follower session;
  uint64_t sent = 0;
  uint64_t answered = 0;
  for (uint32_t i = 1; i <= 40; i++) {
    const bool has_data = i > 20;
    const Bytes data = has_data && has_data_out ? Bytes(30, 0x5a) : Bytes{};
    const Bytes command = (has_data ? Read(i).Data(data) : Command(i)).Wire(digests);
    const Bytes answer = (has_data ? ReadAnswer(i, Bytes(301, 0xa5)) : Answer(i)).Wire(digests);
    session.InitiatorIn(segment, command);
    session.TargetIn(segment, answer);
    sent += command.size();
    answered += answer.size();
  }
  EXPECT_EQ(SumOf(session.totals.gaps), 0u);
  EXPECT_GE(session.reported(), 35u);
  EXPECT_EQ(session.commands.back().record.itt, 40u);
  EXPECT_EQ(session.connection->record.data_digest, digests.data);
  const lunscope_traffic* traffic = session.connection->record.traffic;
  // The last data digest of each direction may be undecided until the next PDU.
  EXPECT_NEAR(static_cast<double>(traffic[0].bytes + traffic[1].bytes +
                                  SumOf(session.totals.unparsed_bytes)),
              static_cast<double>(sent + answered), 8);
}

// The header behind the first data has an AHS, so the next data decides.
TEST(AttachWithDigests, WaitBehindAnAhs) {
  Follower session;
  for (uint32_t i = 1; i <= 40; i++) {
    Pdu command = i > 20 ? Read(i).Data(Bytes(30, 1)) : Command(i);
    if (i == 22) command.Ahs(Bytes(8));
    session.Initiator(command);
    session.Target(Answer(i));
  }
  EXPECT_EQ(SumOf(session.totals.gaps), 0u);
  EXPECT_EQ(session.commands.back().record.itt, 40u);
}

// A header is damaged while the digest before it is undecided. It is a gap, and the next header
// decides.
TEST(AttachWithDigests, SurviveASpoiledHeader) {
  const Digests both{true, true};
  Follower session;
  for (uint32_t i = 1; i <= 60; i++) {
    Bytes command = (i > 20 ? Read(i).Data(Bytes(30, 1)) : Command(i)).Wire(both);
    if (i == 22 || i == 23) command[17] ^= 1;
    session.Initiator(command);
    session.Target((i > 20 ? ReadAnswer(i, Bytes(301)) : Answer(i)).Wire(both));
  }
  EXPECT_EQ(session.commands.back().record.itt, 60u);
  EXPECT_EQ(session.connection->record.data_digest, 1);
}

// A trial tests digests, even where the digests of known headers are not tested. The third header
// is the first that is believed.
TEST(AttachWithDigests, AreTestedOnTrialOnly) {
  const Digests both{true, true};
  Follower session;
  session.connection->checks_header_digest = 0;
  for (uint32_t i = 1; i <= 40; i++) {
    Bytes command = Command(i).Wire(both);
    if (i == 40) command[17] ^= 1;
    session.Initiator(command);
    session.Target(Answer(i).Wire(both));
  }
  EXPECT_EQ(session.connection->record.header_digest, 1);
  EXPECT_EQ(session.connection->record.header_digest_errors, 0u);
  EXPECT_EQ(session.pdus(session.initiator_direction(), ISCSI_SCSI_COMMAND), 38u);
}

// The login is parsed while the other direction is not followed. The digests are those of the
// login, without a guess.
TEST(AttachWithDigests, AreTheLoginsWhereThatIsSeen) {
  for (const bool on_trial : {false, true}) {
    Follower session;
    session.Open();
    session.Initiator(LoginRequest(Keys({"HeaderDigest=CRC32C"})));
    session.InitiatorUnseen(48);
    session.Initiator(on_trial ? NopOut() : Pdu(0x0f, 0));
    session.Target(LoginResponse(Keys({"HeaderDigest=CRC32C"})));
    EXPECT_EQ(session.initiator_stream().header_digest, 1);
    for (uint32_t i = 0; i < 6; i++) {
      session.Initiator(NopOut().Wire({true, false}));
      session.Target(NopIn().Wire({true, false}));
    }
    EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_MISSING_BYTES], 1u);
    EXPECT_EQ(session.connection->record.header_digest_errors, 0u);
  }
}

// ------------------------------------------------------------------ payload full of PDUs

// The payload is a capture of another session. It has long chains of PDUs of the right role with
// good digests. Only the session's own PDUs are parsed.
TEST_P(AttachDigests, AreNotThoseOfACaptureInThePayload) {
  const Digests digests = GetParam().digests;
  Bytes capture;
  for (uint32_t i = 0; i < 40; i++)
    capture = Join({std::move(capture), ReadAnswer(5000 + i, Bytes(16, 1)).Wire(digests),
                    i % 8 ? Bytes{} : Bytes(16, 0xd4)});
  for (size_t cut = 100; cut < 2000; cut += 97) {
    Follower session;
    Bytes answered;
    for (uint32_t i = 1; i <= 3; i++)
      answered = Join({std::move(answered), ReadAnswer(i, capture).Wire(digests)});
    session.TargetUnseen(cut);
    session.TargetIn(GetParam().segment, Slice(answered, cut, answered.size()));
    for (uint32_t i = 4; i <= 100; i++) {
      session.Initiator(Read(i).Wire(digests));
      session.TargetIn(GetParam().segment, ReadAnswer(i, capture).Wire(digests));
    }
    for (const EndedCommand& command : session.commands) ASSERT_LE(command.record.itt, 100u) << cut;
    EXPECT_EQ(SumOf(session.totals.gaps), 0u) << cut;
    EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_ATTACH], 2u) << cut;
    EXPECT_GE(session.reported(), 40u) << cut;
  }
}

// A disk image with a capture of the other direction's PDUs changes nothing if the role is known.
TEST(Attach, PayloadThatLooksLikeTheOtherDirection) {
  Follower session;
  Bytes capture;
  for (uint32_t itt = 0; itt < 30; itt++)
    capture = Join({std::move(capture), ScsiCommand(itt, TestUnitReady())});
  session.Target(capture);
  EXPECT_EQ(session.seen(), 0u);
  EXPECT_EQ(SumOf(session.totals.resyncs), 0u);
}

// Once the boundaries are known, payload is never scanned.
TEST(Attach, PayloadThatLooksLikePdus) {
  Follower session;
  LogIn(&session);
  Bytes capture;
  for (uint32_t itt = 0; itt < 30; itt++) capture = Join({std::move(capture), ScsiResponse(itt)});
  session.Initiator(ScsiCommand(1, Read10(), 1440, kReadFlags));
  session.TargetIn(48, Join({DataIn(1, 0, capture), ScsiResponse(1)}));
  EXPECT_EQ(session.unmatched(), 0u);
  EXPECT_EQ(session.reported(), 1u);
}

TEST(Attach, LearnsTheRole) {
  for (const lunscope_role side : {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_ROLE_TARGET}) {
    Follower session(side, false);
    Ping(&session, 4);
    EXPECT_EQ(session.connection->record.header.role, side);
  }
}

}  // namespace
}  // namespace lunscope
