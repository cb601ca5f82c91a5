// SPDX-License-Identifier: Apache-2.0
// The records do not depend on how a byte stream is cut, repeated and numbered. Each test plays one
// conversation in another way, and compares records and state with those of the plain play.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "collector/base/record.h"
#include "tests/engine/follower.h"

namespace lunscope {
namespace {

struct Line {
  bool from_target;
  Bytes pdu;
};
using Conversation = std::vector<Line>;

Line I(Bytes pdu) { return {false, std::move(pdu)}; }
Line T(Bytes pdu) { return {true, std::move(pdu)}; }

// Bytes that are not a header, so that a loss of the boundaries cannot go unnoticed.
Bytes Payload(size_t bytes) { return Bytes(bytes, 0x07); }

// A login of two PDUs in each direction, every kind of transfer and of answer, a discovery and a
// logout.
Conversation WholeSession(Digests digests = kNoDigests) {
  const auto d = [=](const Pdu& pdu) { return pdu.Wire(digests); };
  const std::string_view header = digests.header ? "HeaderDigest=CRC32C" : "HeaderDigest=None";
  const std::string_view data = digests.data ? "DataDigest=CRC32C" : "DataDigest=None";
  const Bytes sense = FromHex("70 00 05 00000000 0a 00000000 20 00 00 000000");
  return {
      I(LoginRequest(Keys({"InitiatorName=iqn.2026-01.example:host", "AuthMethod=None",
                           "TargetName=iqn.2026-01.example:disk"}),
                     0x81)),
      T(LoginResponse(Keys({"AuthMethod=None", "TargetPortalGroupTag=1"}), 0x81)),
      I(LoginRequest(Keys({"HeaderDigest=CRC32C,None", "DataDigest=CRC32C,None"}))),
      T(LoginResponse(Keys({header, data, "X-padding=" + std::string(400, 'x')}))),
      I(d(ScsiCommand(1, Inquiry(), 96, kReadFlags))),
      T(d(DataIn(1, 0, Payload(96), kDataInStatus))),
      I(d(ScsiCommand(2, Read10(), 4096, kReadFlags).Lun(0x0001000000000000))),
      T(d(DataIn(2, 0, Payload(2047), 0x00))),
      T(d(DataIn(2, 2048, Payload(2048)))),
      T(d(ScsiResponse(2))),
      I(d(ScsiCommand(3, Write10(), 2000, 0x21).Data(Payload(501)))),
      I(d(DataOut(3, 501, Payload(499)))),
      T(d(R2t(3, 1000, 1000))),
      I(d(DataOut(3, 1000, Payload(1000)))),
      T(d(ScsiResponse(3).Flags(0x82).Residual(48))),
      I(d(ScsiCommand(4, FromHex("7f"), 0).Ahs(Payload(20)))),
      T(d(ScsiResponse(4, 2).Sense(sense))),
      I(d(NopOut(ToBytes("ping!")))),
      T(d(NopIn(ToBytes("ping!")))),
      I(d(TextRequest(Keys({"SendTargets=All"})))),
      T(d(TextResponse(Keys({"TargetName=" + std::string(223, 'n')}), kContinue))),
      T(d(TextResponse(Keys({"TargetAddress=10.0.0.9:3260,1"})))),
      I(d(TaskRequest(1, 9))),
      T(d(TaskResponse(1))),
      T(d(AsyncMessage(1))),
      T(d(Reject(4, Payload(48)))),
      I(d(ScsiCommand(5, TestUnitReady()))),  // and this one stays in flight
      I(d(LogoutRequest())),
      T(d(LogoutResponse())),
  };
}

void Say(Follower* session, const Line& line) {
  line.from_target ? session->Target(line.pdu) : session->Initiator(line.pdu);
}

std::string Plain(const Conversation& conversation) {
  Follower session;
  session.Open();
  for (const Line& line : conversation) Say(&session, line);
  return session.Outcome();
}

TEST(Stream, DeliversAWholeSession) {
  Follower session;
  session.Open();
  for (const Line& line : WholeSession()) Say(&session, line);

  ASSERT_EQ(session.commands.size(), 4u);
  EXPECT_EQ(session.commands[0].record.itt, 1u);
  EXPECT_EQ(TransferredBytes(session.commands[0].record), 96u);
  EXPECT_EQ(session.commands[1].record.lun, 0x0001000000000000u);
  EXPECT_EQ(TransferredBytes(session.commands[1].record), 2047u + 2048u);
  EXPECT_EQ(TransferredBytes(session.commands[2].record), 501u + 499u + 1000u);
  EXPECT_EQ(session.commands[2].record.residual_bytes, 48u);
  EXPECT_EQ(session.commands[3].record.status, 2);
  EXPECT_EQ(session.commands[3].sense.size(), 18u);
  EXPECT_EQ(lunscope_inflight_count(&session.inflight()), 1u);
  EXPECT_EQ(session.connection->record.gaps, 0u);
  EXPECT_EQ(session.unmatched(), 0u);
  EXPECT_EQ(session.connection->record.traffic[LUNSCOPE_SENT].bytes,
            session.next_seq(LUNSCOPE_SENT) - 1000);
  EXPECT_EQ(session.connection->record.traffic[LUNSCOPE_RECEIVED].bytes,
            session.next_seq(LUNSCOPE_RECEIVED) - 2000);
  EXPECT_NE(session.Text().find("TargetAddress=10.0.0.9:3260,1"), std::string::npos);
}

TEST(Stream, IsTheSameFromTheOtherEnd) {
  Follower initiator(LUNSCOPE_ROLE_INITIATOR), target(LUNSCOPE_ROLE_TARGET);
  for (Follower* session : {&initiator, &target}) {
    session->Open();
    for (const Line& line : WholeSession()) Say(session, line);
  }
  ASSERT_EQ(initiator.commands.size(), target.commands.size());
  EXPECT_EQ(initiator.delivered.size(), target.delivered.size());
  EXPECT_EQ(target.totals.commands_reported[LUNSCOPE_ROLE_TARGET], target.commands.size());
  EXPECT_EQ(target.totals.commands_reported[LUNSCOPE_ROLE_INITIATOR], 0u);
  EXPECT_EQ(initiator.totals.commands_reported[LUNSCOPE_ROLE_INITIATOR], target.commands.size());
}

TEST(Stream, LearnsTheRoleFromTheFirstPdu) {
  for (const lunscope_role side : {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_ROLE_TARGET}) {
    Follower session(side, false);
    LogIn(&session);
    EXPECT_EQ(session.connection->record.header.role, side);
    session.Initiator(ScsiCommand(1, TestUnitReady()));
  }
}

// The conversation with every line cut in some way.
using Cut = std::function<std::vector<size_t>(size_t line_bytes)>;

std::string Played(const Conversation& conversation, const Cut& cut, uint32_t initiator_seq = 1000,
                   uint32_t target_seq = 2000) {
  Follower session;
  session.Open(initiator_seq, target_seq);
  for (const Line& line : conversation) {
    size_t from = 0;
    std::vector<size_t> cuts = cut(line.pdu.size());
    cuts.push_back(line.pdu.size());
    for (const size_t to : cuts) {
      if (to <= from || to > line.pdu.size()) continue;
      Say(&session, {line.from_target, Slice(line.pdu, from, to)});
      from = to;
    }
  }
  return session.Outcome();
}

std::vector<size_t> EveryByte(size_t bytes) {
  std::vector<size_t> cuts(bytes);
  std::iota(cuts.begin(), cuts.end(), size_t{0});
  return cuts;
}

class WithDigests : public testing::TestWithParam<Digests> {};

INSTANTIATE_TEST_SUITE_P(Stream, WithDigests,
                         testing::Values(Digests{}, Digests{true, false}, Digests{false, true},
                                         Digests{true, true}),
                         [](const auto& tested) {
                           return std::string(tested.param.header ? "Header" : "No") +
                                  (tested.param.data ? "Data" : "No");
                         });

TEST_P(WithDigests, CommandsAreTheSame) {
  Follower session;
  session.Open();
  for (const Line& line : WholeSession(GetParam())) Say(&session, line);
  EXPECT_EQ(session.reported(), 4u);
  EXPECT_EQ(session.connection->record.gaps, 0u);
  EXPECT_EQ(session.connection->record.header_digest, GetParam().header);
  EXPECT_EQ(session.connection->record.data_digest, GetParam().data);
}

TEST_P(WithDigests, CutAtEveryByteOfEveryPdu) {
  const Conversation conversation = WholeSession(GetParam());
  const std::string plain = Plain(conversation);
  for (size_t at = 1; at < 600; at++)
    ASSERT_EQ(Played(conversation, [=](size_t) { return std::vector{at}; }), plain) << at;
}

TEST_P(WithDigests, ByteByByte) {
  const Conversation conversation = WholeSession(GetParam());
  EXPECT_EQ(Played(conversation, EveryByte), Plain(conversation));
}

TEST_P(WithDigests, SequenceNumbersWrapAnywhere) {
  const Conversation conversation = WholeSession(GetParam());
  const std::string plain = Plain(conversation);
  for (uint32_t before = 0; before < 3000; before += 7)
    ASSERT_EQ(
        Played(
            conversation, [](size_t) { return std::vector<size_t>{}; }, 0 - before, 1 - before),
        plain)
        << before;
  EXPECT_EQ(Played(conversation, EveryByte, 0xffffffd0, 0xfffffff0), plain);
}

// The lines of a direction are joined, and then cut into chunks that ignore the PDUs.
TEST_P(WithDigests, PipelinedBehindTheLogin) {
  const Bytes login = LoginRequest(Keys({"HeaderDigest=CRC32C,None", "DataDigest=CRC32C,None"}));
  const Bytes answer =
      LoginResponse(Keys({GetParam().header ? "HeaderDigest=CRC32C" : "HeaderDigest=None",
                          GetParam().data ? "DataDigest=CRC32C" : "DataDigest=None"}));
  for (const bool in_one_segment : {false, true}) {
    Follower session;
    session.Open();
    session.Initiator(login);
    const Bytes ping = NopIn(ToBytes("unsolicited")).Wire(GetParam());
    if (in_one_segment) {
      session.Target(Join({answer, ping, ping}));
    } else {
      session.Target(answer);
      session.Target(ping);
      session.Target(ping);
    }
    session.Initiator(Join(
        {ScsiCommand(1, Write10(), 5, kWriteFlags).Data(Payload(5)).Wire(GetParam()),
         ScsiCommand(2, TestUnitReady()).Wire(GetParam()), NopOut(Payload(3)).Wire(GetParam())}));
    session.Target(Join({ScsiResponse(2).Wire(GetParam()), ScsiResponse(1).Wire(GetParam())}));
    EXPECT_EQ(session.reported(), 2u);
    EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), 2u);
    EXPECT_EQ(session.connection->record.gaps, 0u);
  }
}

// ------------------------------------------------------------------ wrong digests

constexpr Digests kHeaderDigest{true, false};

void LogInWithHeaderDigest(Follower* session) {
  LogIn(session, Keys({"HeaderDigest=CRC32C"}), Keys({"HeaderDigest=CRC32C"}));
}

// Any single flipped bit: the PDU is dropped and counted, and the next PDU is parsed. A flipped
// length is believed once. The PDUs behind it then show where the stream goes on.
TEST(HeaderDigest, AFlippedBitIsCounted) {
  const Bytes ahs(8);
  const Bytes command = ScsiCommand(1, TestUnitReady()).Ahs(ahs).Wire(kHeaderDigest);
  for (size_t bit = 0; bit < command.size() * 8; bit++) {
    SCOPED_TRACE(bit);
    Follower session;
    LogInWithHeaderDigest(&session);
    Bytes flipped = command;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    session.Initiator(flipped);
    session.Initiator(ScsiCommand(2, TestUnitReady()).Wire(kHeaderDigest));
    session.Target(ScsiResponse(2).Wire(kHeaderDigest));
    const bool is_length = bit / 8 >= 4 && bit / 8 < 8;
    EXPECT_GE(session.connection->record.header_digest_errors, is_length ? 0u : 1u);
    if (is_length) continue;
    EXPECT_EQ(session.connection->record.header_digest_errors, 1u);
    EXPECT_EQ(session.connection->record.gaps, 0u);
    EXPECT_EQ(session.pdus(LUNSCOPE_SENT, ISCSI_SCSI_COMMAND), 1u);
    ASSERT_EQ(session.commands.size(), 1u);
    EXPECT_EQ(session.commands[0].record.itt, 2u);
  }
}

// After a flipped length the boundaries are wrong. Two wrong digests in a row are a gap, and then
// the boundaries are found again.
TEST(HeaderDigest, AFlippedLengthIsAGap) {
  Follower session;
  LogInWithHeaderDigest(&session);
  Bytes flipped = ScsiCommand(1, TestUnitReady()).Wire(kHeaderDigest);
  flipped[7] ^= 4;
  session.Initiator(Join({flipped, ScsiCommand(2, TestUnitReady()).Wire(kHeaderDigest)}));
  for (uint32_t itt = 3; itt < 10; itt++)
    session.Initiator(ScsiCommand(itt, TestUnitReady()).Wire(kHeaderDigest));
  EXPECT_EQ(session.connection->record.header_digest_errors, 2u);
  EXPECT_EQ(session.connection->record.gaps, 1u);
  session.Target(ScsiResponse(9).Wire(kHeaderDigest));
  ASSERT_EQ(session.commands.size(), 1u);
}

TEST(HeaderDigest, IsNotCheckedWhenNotAskedFor) {
  Follower session;
  session.connection->checks_header_digest = 0;
  LogInWithHeaderDigest(&session);
  Bytes flipped = ScsiCommand(1, TestUnitReady()).Wire(kHeaderDigest);
  flipped.back() ^= 1;
  session.Initiator(flipped);
  EXPECT_EQ(session.connection->record.header_digest_errors, 0u);
  EXPECT_EQ(session.seen(), 1u);
}

// Every length of AHS, also one that is too long for a check of the digest.
TEST(HeaderDigest, CoversTheAhs) {
  Follower session;
  LogInWithHeaderDigest(&session);
  for (uint32_t words = 0; words <= 255; words++) {
    const Bytes ahs(words * 4, static_cast<uint8_t>(words));
    session.InitiatorIn(33, ScsiCommand(words, TestUnitReady()).Ahs(ahs).Wire(kHeaderDigest));
    session.Target(ScsiResponse(words).Wire(kHeaderDigest));
  }
  EXPECT_EQ(session.connection->record.header_digest_errors, 0u);
  EXPECT_EQ(session.reported(), 256u);
}

TEST(Stream, DigestsDoNotComeIntoEffectBeforeTheLastLoginResponse) {
  Follower session;
  session.Open();
  session.Initiator(LoginRequest(Keys({"HeaderDigest=CRC32C", "DataDigest=CRC32C"}), kOperational));
  session.Target(LoginResponse(Keys({"HeaderDigest=CRC32C", "DataDigest=CRC32C"}), kOperational));
  EXPECT_EQ(session.target_stream().header_digest, 0);
  session.Initiator(LoginRequest());
  session.Target(LoginResponse());
  EXPECT_EQ(session.target_stream().header_digest, 1);
  EXPECT_EQ(session.initiator_stream().data_digest, 1);
}

// A command that was sent before the login was answered, and that is cut behind its BHS when the
// answer comes. The rest of the command is parsed.
TEST(Stream, AHeaderThatIsBeingReadWhenTheLoginEndsIsReadOn) {
  Follower session;
  session.Open();
  for (lunscope_stream& stream : session.connection->streams) stream.shows_headers = 1;
  session.Initiator(LoginRequest());
  const Bytes command = ScsiCommand(1, TestUnitReady()).Ahs(Bytes(8));
  session.Initiator(Slice(command, 0, 48));
  session.Target(LoginResponse());
  session.Initiator(Slice(command, 48, command.size()));
  session.Initiator(ScsiCommand(2, TestUnitReady()));
  EXPECT_EQ(session.seen(), 2u);
}

TEST(Stream, AFailedLoginPutsNoDigestIntoEffect) {
  Follower session;
  session.Open();
  session.Initiator(LoginRequest(Keys({"HeaderDigest=CRC32C"})));
  session.Target(LoginResponse(Keys({"HeaderDigest=CRC32C"})).Set(36, 2));
  EXPECT_EQ(session.target_stream().header_digest, 0);
}

// RFC 7143 section 6.2: either side may offer values, and the other side's single value is the
// result.
TEST(Stream, ATargetMayOfferTheDigest) {
  const Digests header{true, false};
  Follower session;
  session.Open();
  session.Initiator(LoginRequest({}, kOperational));
  session.Target(LoginResponse(Keys({"HeaderDigest=CRC32C,None"}), kOperational));
  session.Initiator(LoginRequest(Keys({"HeaderDigest=CRC32C"})));
  session.Target(LoginResponse());
  session.Initiator(ScsiCommand(1, TestUnitReady()).Wire(header));
  session.Initiator(ScsiCommand(2, TestUnitReady()).Wire(header));
  session.Target(ScsiResponse(1).Wire(header));
  session.Target(ScsiResponse(2).Wire(header));
  EXPECT_EQ(session.reported(), 2u);
}

TEST(Stream, BytesOfferedTwiceChangeNothing) {
  Follower session;
  session.Open();
  for (const Line& line : WholeSession()) {
    const uint32_t direction =
        line.from_target ? session.target_direction() : session.initiator_direction();
    const uint32_t seq = session.next_seq(direction);
    Say(&session, line);
    const Bytes state = session.State();
    EXPECT_EQ(session.Offer(direction, seq, line.pdu), LUNSCOPE_OFFER_OLD);
    EXPECT_EQ(session.Offer(direction, seq, Bytes(line.pdu.size(), 0xee)), LUNSCOPE_OFFER_OLD);
    EXPECT_EQ(session.Offer(direction, seq + 1, {0xee}), LUNSCOPE_OFFER_OLD);
    EXPECT_EQ(session.Offer(direction, seq, {}), LUNSCOPE_OFFER_OLD);
    ASSERT_TRUE(session.State() == state);
  }
  EXPECT_EQ(session.Outcome(), Plain(WholeSession()));
}

// Every segment repeats earlier bytes: those of the last segment, and those of all segments.
TEST(Stream, OverlapsChangeNothing) {
  const Conversation conversation = WholeSession();
  const std::string plain = Plain(conversation);
  for (const size_t overlap : {1, 3, 47, 48, 49, 1000, 100000}) {
    for (const size_t step : {1, 17, 48, 1460}) {
      Follower session;
      session.Open();
      const uint32_t first[LUNSCOPE_DIRECTIONS] = {session.next_seq(0), session.next_seq(1)};
      Bytes sent[LUNSCOPE_DIRECTIONS];
      for (const Line& line : conversation) {
        const uint32_t direction =
            line.from_target ? session.target_direction() : session.initiator_direction();
        Bytes& all = sent[direction];
        for (size_t at = 0; at < line.pdu.size(); at += step) {
          const size_t from = all.size() - std::min(overlap, all.size());
          all = Join({std::move(all), Slice(line.pdu, at, std::min(at + step, line.pdu.size()))});
          session.Offer(direction, first[direction] + static_cast<uint32_t>(from),
                        Slice(all, from, all.size()));
        }
      }
      ASSERT_EQ(session.Outcome(), plain) << "overlap " << overlap << " step " << step;
    }
  }
}

TEST(Stream, ALateDuplicateOfTheLoginIsOld) {
  Follower session;
  LogIn(&session);
  for (uint32_t itt = 0; itt < 1000; itt++) {
    session.Initiator(ScsiCommand(itt, TestUnitReady()));
    session.Target(ScsiResponse(itt));
  }
  const Bytes state = session.State();
  EXPECT_EQ(session.Offer(session.initiator_direction(), 1000, LoginRequest()), LUNSCOPE_OFFER_OLD);
  EXPECT_TRUE(session.State() == state);
}

TEST(Stream, ThousandsOfPdusInOneSegment) {
  Follower session;
  LogIn(&session);
  Bytes requests, responses;
  constexpr uint32_t kCommands = 4000;
  for (uint32_t round = 0; round < kCommands / 100; round++) {
    requests.clear();
    responses.clear();
    for (uint32_t itt = 0; itt < 100; itt++) {
      requests = Join({std::move(requests), ScsiCommand(itt, TestUnitReady())});
      responses = Join({std::move(responses), ScsiResponse(itt)});
    }
    session.Initiator(requests);
    session.Target(responses);
  }
  EXPECT_EQ(session.reported(), kCommands);

  Bytes nops;
  for (int i = 0; i < 5000; i++) nops = Join({std::move(nops), NopIn()});
  session.Target(nops);
  EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), 5000u);
}

// The kernel's loop is bounded. The bytes that it leaves are still due, and come with the next
// offer.
TEST(Stream, TheRestOfALongSegmentIsNotLost) {
  Follower session;
  LogIn(&session);
  session.max_reads = 10;
  Bytes nops;
  for (int i = 0; i < 25; i++) nops = Join({std::move(nops), NopIn()});
  const uint32_t seq = session.next_seq(session.target_direction());
  for (const uint64_t seen : {10, 20, 25, 25}) {
    session.Offer(session.target_direction(), seq, nops);
    EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), seen);
  }
  EXPECT_EQ(session.connection->record.gaps, 0u);
}

TEST(Stream, PayloadIsSkippedWithoutBeingRead) {
  Follower session;
  LogIn(&session);
  session.Initiator(ScsiCommand(1, Read10(), 1 << 20, kReadFlags));
  const Bytes data = DataIn(1, 0, Payload(1 << 20));
  session.Target(Slice(data, 0, 1448));
  const uint64_t reads = session.reads;
  for (size_t at = 1448; at < data.size(); at += 1448)
    session.Target(Slice(data, at, std::min<size_t>(at + 1448, data.size())));
  EXPECT_EQ(session.reads, reads);
  session.Target(ScsiResponse(1));
  ASSERT_EQ(session.commands.size(), 1u);
  EXPECT_EQ(TransferredBytes(session.commands[0].record), 1u << 20);
}

// Payload that never came is not a gap, because nothing in it would be parsed.
TEST(Stream, MissingPayloadIsNoGap) {
  Follower session;
  LogIn(&session);
  session.Initiator(ScsiCommand(1, Read10(), 4096, kReadFlags));
  const Bytes data = DataIn(1, 0, Payload(4096));
  session.Target(Slice(data, 0, 100));
  session.TargetUnseen(data.size() - 100);
  session.Target(ScsiResponse(1));
  EXPECT_EQ(session.reported(), 1u);
  EXPECT_EQ(session.connection->record.gaps, 0u);
}

TEST(Stream, TheLargestPdu) {
  for (const size_t segment : {65536, 1000003}) {
    Follower session;
    LogIn(&session);
    session.Initiator(ScsiCommand(1, Read10(), 0xffffff, kReadFlags));
    session.TargetIn(
        segment, Join({DataIn(1, 0, Payload(0xffffff)).Ahs(Payload(255 * 4)), ScsiResponse(1)}));
    ASSERT_EQ(session.commands.size(), 1u);
    EXPECT_EQ(TransferredBytes(session.commands[0].record), 0xffffffu);
  }
}

TEST(Stream, TheLongestAhs) {
  for (const Digests digests : {Digests{}, Digests{true, true}}) {
    const std::string_view header = digests.header ? "HeaderDigest=CRC32C" : "HeaderDigest=None";
    const std::string_view data = digests.data ? "DataDigest=CRC32C" : "DataDigest=None";
    Follower session;
    LogIn(&session, {}, Keys({header, data}));
    // The gathered data begins behind the AHS.
    session.InitiatorIn(100,
                        TextRequest(Keys({"SendTargets=All"})).Ahs(Payload(255 * 4)).Wire(digests));
    session.InitiatorIn(100, ScsiCommand(1, TestUnitReady()).Ahs(Payload(255 * 4)).Wire(digests));
    session.TargetIn(100, ScsiResponse(1, 2)
                              .Sense(FromHex("72 06 29 00 00 00 00 00"))
                              .Ahs(Payload(255 * 4))
                              .Wire(digests));
    ASSERT_EQ(session.commands.size(), 1u);
    EXPECT_EQ(session.commands[0].sense, FromHex("72 06 29 00 00 00 00 00"));
    EXPECT_EQ(session.Text(session.initiator_direction()), std::string("SendTargets=All\0", 16));
  }
}

// 64 KiB of keys in one PDU come in chunks, which together are the text.
TEST(Stream, ALongTextComesInChunks) {
  Bytes text;
  for (int i = 0; text.size() < 65536; i++)
    text = Join({std::move(text), Keys({"TargetName=iqn.2026-01.example:" + std::to_string(i)})});
  Follower session;
  LogIn(&session);
  const size_t before = session.delivered.size();
  session.TargetIn(1448, TextResponse(text));
  EXPECT_EQ(session.Text(session.target_direction()), std::string(text.begin(), text.end()));
  const size_t chunks = session.delivered.size() - before;
  EXPECT_EQ(chunks, (text.size() + LUNSCOPE_CHUNK_BYTES - 1) / LUNSCOPE_CHUNK_BYTES);
  for (size_t i = 0; i < chunks; i++) {
    EXPECT_EQ(session.delivered[before + i].chunk_offset, i * LUNSCOPE_CHUNK_BYTES);
    EXPECT_EQ(session.delivered[before + i].last, i + 1 == chunks);
  }
}

TEST(Stream, ChunksAtTheirEdges) {
  for (const size_t bytes : {1, 2, 3, 4, 207, 208, 209, 415, 416, 417}) {
    SCOPED_TRACE(bytes);
    Follower session;
    LogIn(&session);
    Bytes text = Payload(bytes);
    session.Target(Join({TextResponse(text), NopIn()}));
    EXPECT_EQ(session.Text(session.target_direction()), std::string(text.begin(), text.end()));
    EXPECT_EQ(session.pdus(session.target_direction(), ISCSI_NOP_IN), 1u);
  }
}

// A PDU without data has no chunk and no offset, also if data was gathered before it.
TEST(Stream, APduWithoutDataHasNoChunkOffset) {
  Follower session;
  LogIn(&session);
  session.Target(TextResponse(Payload(1000)));
  session.Target(NopIn());
  EXPECT_EQ(session.delivered.back().bhs[0], ISCSI_NOP_IN);
  EXPECT_EQ(session.delivered.back().chunk_bytes, 0);
  EXPECT_EQ(session.delivered.back().chunk_offset, 0u);
}

TEST(Stream, NopDataAndTaskDataStayInTheKernel) {
  Follower session;
  LogIn(&session);
  session.Target(NopIn(ToBytes("private")));
  session.Initiator(NopOut(ToBytes("private")));
  for (const lunscope_pdu_record& record : session.delivered) EXPECT_EQ(record.chunk_bytes, 0);
}

}  // namespace
}  // namespace lunscope
