// SPDX-License-Identifier: Apache-2.0
//
// Boundaries that are not known: holes, bad headers, what is not iSCSI, and connections that are
// met in the middle. Nothing is reported that was not seen, and what was not understood is counted.
#include <gtest/gtest.h>

#include <random>

#include "tests/engine/follower.h"

namespace lunscope {
namespace {

uint64_t SumOf(const uint64_t (&counts)[LUNSCOPE_REASON_COUNT]) {
  return std::accumulate(std::begin(counts), std::end(counts), uint64_t{0});
}

// Three headers of one direction, which is what a boundary takes to be believed, and one more.
void Ping(Follower* session, int times) {
  for (int i = 0; i < times; i++) {
    session->Initiator(NopOut());
    session->Target(NopIn());
  }
}

// ------------------------------------------------------------------ holes

TEST(Hole, IsReportedWhereWantedBytesAreMissing) {
  Follower session;
  LogIn(&session);
  const uint32_t direction = session.target_direction();
  EXPECT_EQ(session.Offer(direction, session.next_seq(direction) + 1, NopIn()),
            LUNSCOPE_OFFER_HOLE);
}

// On arrival a hole may be filled yet: it is only given up once it was read off the socket.
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
  EXPECT_EQ(session.connection->report.gaps, 0u);
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
  EXPECT_EQ(session.connection->report.gaps, 1u);
  EXPECT_EQ(SumOf(session.totals.gaps), 1u);
}

TEST(Hole, InsideAHeaderLosesThatHeader) {
  for (size_t seen = 1; seen < 48; seen++) {
    Follower session;
    LogIn(&session);
    session.Target(Slice(NopIn(), 0, seen));
    session.TargetUnseen(48 - seen);
    for (int i = 0; i < 4; i++) session.Target(NopIn());
    EXPECT_EQ(session.totals.unparsed_bytes[LUNSCOPE_REASON_MISSING_BYTES], 48u) << seen;
    EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), 2u) << seen;
  }
}

// A segment that begins before what was given up, and goes on behind it: no byte is counted twice.
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

// Of a text that is gathered in chunks: what was delivered is not given up.
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
  EXPECT_EQ(session.commands[0].event.header.flags, LUNSCOPE_FLAG_GAP);
  EXPECT_EQ(session.commands[1].event.header.flags, 0);
}

// Sent while the other direction was lost already, answered partly before it was found again: its
// first Data-In was missed, so its byte count is not whole.
TEST(GapFlag, IsOnCommandsThatBeganInsideTheGap) {
  Follower session;
  LogIn(&session);
  session.TargetUnseen(48);
  session.Target(NopIn());  // lost; a candidate from here on
  session.Initiator(ScsiCommand(1, Read10(), 1024, kReadFlags));
  session.Target(DataIn(1, 0, Bytes(512)));
  session.Target(DataIn(1, 512, Bytes(512)));
  session.Target(ScsiResponse(1));
  ASSERT_EQ(session.commands.size(), 1u);
  EXPECT_LT(session.commands[0].event.transferred_bytes, 1024u);
  EXPECT_EQ(session.commands[0].event.header.flags, LUNSCOPE_FLAG_GAP);
}

// The same when the connection is met in the middle.
TEST(GapFlag, IsOnCommandsAnsweredBeforeTheAnswersWereFollowed) {
  Follower session;
  for (int i = 0; i < 3; i++) session.Initiator(NopOut());
  session.Initiator(ScsiCommand(1, Read10(), 1024, kReadFlags));
  session.Target(DataIn(1, 0, Bytes(512)));
  session.Target(DataIn(1, 512, Bytes(512)));
  session.Target(ScsiResponse(1));
  ASSERT_EQ(session.commands.size(), 1u);
  EXPECT_EQ(session.commands[0].event.header.flags, LUNSCOPE_FLAG_GAP);
}

// ------------------------------------------------------------------ bad headers

TEST(BadHeader, IsAGapThatIsClosedByThreeHeadersFromASegmentStart) {
  Follower session;
  LogIn(&session);
  session.Target(Join({NopIn(), Bytes(100, 0x07), NopIn()}));
  EXPECT_EQ(session.totals.gaps[LUNSCOPE_REASON_BAD_HEADER], 1u);
  EXPECT_EQ(session.totals.unparsed_bytes[LUNSCOPE_REASON_BAD_HEADER], 148u);
  session.Target(Join({NopIn(), NopIn(), NopIn(), NopIn()}));
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_BAD_HEADER], 1u);
  EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), 1u + 2u);
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

// Random bytes in full feature phase. One header in twenty is plausible, and its length skips what
// follows; so a gap is likely and not certain. No byte is read twice, and the table holds together.
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
    gaps += session.connection->report.gaps;
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

TEST(Attach, BelievesTheThirdHeader) {
  Follower session;
  session.Initiator(ScsiCommand(1, TestUnitReady()));
  session.Initiator(ScsiCommand(2, TestUnitReady()));
  EXPECT_EQ(session.seen(), 0u);
  session.Initiator(ScsiCommand(3, TestUnitReady()));
  EXPECT_EQ(session.seen(), 1u);
  for (uint32_t itt = 1; itt <= 3; itt++) session.Target(ScsiResponse(itt));
  EXPECT_EQ(session.reported(), 1u);
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_ATTACH], 2u);
  EXPECT_EQ(SumOf(session.totals.gaps), 0u);
}

TEST(Attach, InsidePayloadWaitsForABoundary) {
  Follower session;
  session.Target(Bytes(1448, 0x07));
  session.Target(Bytes(1448, 0x07));
  EXPECT_EQ(session.totals.unparsed_bytes[LUNSCOPE_REASON_ATTACH], 2896u);
  Ping(&session, 3);
  EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), 1u);
  EXPECT_EQ(SumOf(session.totals.gaps), 0u);
}

TEST(Attach, AnswersToCommandsThatWereNotSeenAreUnmatched) {
  Follower session;
  for (uint32_t itt = 1; itt <= 5; itt++) session.Target(ScsiResponse(itt));
  EXPECT_EQ(session.unmatched(), 3u);
  EXPECT_EQ(session.reported(), 0u);
}

TEST(Attach, InsideALargePdu) {
  Follower session;
  const Bytes data = DataIn(1, 0, Bytes(100000, 0x07));
  session.TargetUnseen(50000);
  session.TargetIn(1448, Slice(data, 50000, data.size()));
  for (int i = 0; i < 3; i++) session.Target(NopIn());
  EXPECT_EQ(session.totals.resyncs[LUNSCOPE_REASON_ATTACH], 1u);
}

TEST(Attach, ACandidateHeaderMayBeCutAnywhere) {
  const Bytes pdus = Join({NopIn(Bytes(5)), ScsiResponse(1), NopIn(), NopIn()});
  for (size_t bytes = 1; bytes < pdus.size(); bytes++) {
    Follower session;
    session.TargetIn(bytes, pdus);
    EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), 2u) << bytes;
  }
}

// A disk image that holds a capture of the other direction's PDUs fools nobody who knows his role.
TEST(Attach, PayloadThatLooksLikeTheOtherDirection) {
  Follower session;
  Bytes capture;
  for (uint32_t itt = 0; itt < 30; itt++)
    capture = Join({std::move(capture), ScsiCommand(itt, TestUnitReady())});
  session.Target(capture);
  EXPECT_EQ(session.seen(), 0u);
  EXPECT_EQ(SumOf(session.totals.resyncs), 0u);
}

// And once boundaries are followed, payload is never looked at.
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
    for (int i = 0; i < 3; i++) session.Target(NopIn());
    EXPECT_EQ(session.connection->report.header.role, side);
  }
}

}  // namespace
}  // namespace lunscope
