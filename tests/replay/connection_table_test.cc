// SPDX-License-Identifier: Apache-2.0
//
// Connections from their segments: beginnings, ends, holes and roles, and the records that follow.
// The tests use a small language; Wire keeps the sequence numbers of TCP.
//
//   Wire wire;
//   wire.Handshake();
//   wire.Initiator(LoginRequest());
#include "collector/replay/connection_table.h"
#include "collector/base/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "tests/replay/frames.h"
#include "tests/vectors/pdu.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;

class Wire {
 public:
  explicit Wire(Watch ends = {}, std::vector<uint16_t> ports = {kTargetPort},
                size_t max_connections = ConnectionTable::kMaxConnections)
      : watch(std::move(ends)), table((SetHandler(), ports), &watch, max_connections) {}

  ~Wire() {
    const auto sum = [](const auto& values) {
      return std::accumulate(std::begin(values), std::end(values), uint64_t{0});
    };
    uint64_t unreported = 0;
    for (const auto& role : watch.totals.commands_unreported) unreported += sum(role);
    uint64_t in_flight = 0;
    table.Walk([&](const lunscope_record& record) {
      if (const auto* list = RecordAs<lunscope_inflight_record>(record); list != nullptr)
        in_flight += list->count;
    });
    EXPECT_EQ(sum(watch.totals.commands_seen),
              sum(watch.totals.commands_reported) + unreported + in_flight)
        << "a command went missing";
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  TcpSegment Segment(bool is_from_initiator, const Bytes& payload, uint8_t flags = kAckFlag) {
    payload_ = payload;
    TcpSegment segment;
    segment.time_ns = now_ns += 1000;
    segment.from = is_from_initiator ? initiator : target;
    segment.to = is_from_initiator ? target : initiator;
    segment.seq = next[is_from_initiator ? 0 : 1];
    segment.ack = next[is_from_initiator ? 1 : 0];
    segment.has_ack = (flags & kAckFlag) != 0;
    segment.syn = (flags & kSynFlag) != 0;
    segment.fin = (flags & kFinFlag) != 0;
    segment.rst = (flags & kRstFlag) != 0;
    segment.payload_bytes = static_cast<uint32_t>(payload_.size());
    segment.payload = payload_;
    return segment;
  }

  void Initiator(const Bytes& payload, uint8_t flags = kAckFlag) { Say(true, payload, flags); }
  void Target(const Bytes& payload, uint8_t flags = kAckFlag) { Say(false, payload, flags); }
  // Sent and received, but not captured.
  void InitiatorUnseen(const Bytes& payload, uint8_t flags = 0) { Advance(true, payload, flags); }
  void TargetUnseen(const Bytes& payload, uint8_t flags = 0) { Advance(false, payload, flags); }

  void Handshake() {
    Initiator({}, kSynFlag);
    Target({}, kSynFlag | kAckFlag);
    Initiator({});
  }
  void LogIn() {
    Initiator(LoginRequest());
    Target(LoginResponse());
  }
  void Command(uint32_t itt) {
    Initiator(ScsiCommand(itt, TestUnitReady()));
    Target(ScsiResponse(itt));
  }

  uint64_t gaps(lunscope_sync_reason reason) const { return watch.totals.gaps[reason]; }
  // Statuses without a command, of the connections that are open.
  uint64_t unmatched() const {
    uint64_t sum = 0;
    table.Walk([&](const lunscope_record& record) {
      if (const auto* read = RecordAs<lunscope_connection_record>(record); read != nullptr)
        sum += read->unmatched_responses;
    });
    return sum;
  }

  TcpEnd initiator{{10, 0, 0, 1}, kInitiatorPort, false};
  TcpEnd target{{10, 0, 0, 2}, kTargetPort, false};
  uint32_t next[2] = {1000, 2000};
  uint64_t now_ns = 0;
  std::vector<uint32_t> commands;    // ITTs, of those with a status
  std::vector<uint32_t> unanswered;  // and of those without
  std::vector<uint8_t> roles;        // of the commands
  std::vector<uint64_t> durations_ns;
  std::string text;                  // of the logins
  std::vector<uint8_t> connections;  // flags of their records
  std::map<uint8_t, uint8_t> ends;   // lunscope_end of the closed, by role

 private:
  void SetHandler() {
    watch.handler = [this](const lunscope_record& record) {
      if (record.kind == LUNSCOPE_RECORD_CONNECTION) connections.push_back(record.flags);
      if (const auto* read = RecordAs<lunscope_connection_record>(record);
          read != nullptr && (record.flags & LUNSCOPE_FLAG_CLOSED) != 0)
        ends[record.role] = read->end;
      if (const auto* pdu = RecordAs<lunscope_pdu_record>(record); pdu != nullptr)
        text.append(pdu->chunk, pdu->chunk + pdu->chunk_bytes);
      const auto* command = RecordAs<lunscope_command_record>(record);
      if (command == nullptr) return;
      if (command->no_status != 0) {
        unanswered.push_back(command->itt);
        return;
      }
      commands.push_back(command->itt);
      roles.push_back(record.role);
      durations_ns.push_back(command->duration_ns);
    };
  }
  void Advance(bool is_from_initiator, const Bytes& payload, uint8_t flags) {
    next[is_from_initiator ? 0 : 1] += static_cast<uint32_t>(payload.size()) +
                                       ((flags & kSynFlag) ? 1 : 0) + ((flags & kFinFlag) ? 1 : 0);
  }
  void Say(bool is_from_initiator, const Bytes& payload, uint8_t flags) {
    table.Take(Segment(is_from_initiator, payload, flags));
    Advance(is_from_initiator, payload, flags);
  }

  Bytes payload_;

 public:
  Watch watch;
  ConnectionTable table;
};

constexpr uint8_t kOpened = LUNSCOPE_FLAG_OPENED;
constexpr uint8_t kMidstream = LUNSCOPE_FLAG_OPENED | LUNSCOPE_FLAG_MIDSTREAM;
constexpr uint8_t kClosed = LUNSCOPE_FLAG_CLOSED;

TEST(ConnectionTableTest, AWholeConnection) {
  Wire wire;
  wire.Handshake();
  wire.LogIn();
  wire.Command(1);
  wire.Initiator({}, kFinFlag | kAckFlag);
  wire.Target({}, kFinFlag | kAckFlag);
  EXPECT_THAT(wire.commands, ElementsAre(1));
  EXPECT_THAT(wire.durations_ns, ElementsAre(1000));
  EXPECT_THAT(wire.roles, ElementsAre(LUNSCOPE_ROLE_INITIATOR));
  EXPECT_THAT(wire.connections, ElementsAre(kOpened, kClosed));
}

TEST(ConnectionTableTest, BothEnds) {
  Wire wire({.initiators = true, .targets = true});
  wire.Handshake();
  wire.LogIn();
  wire.Command(1);
  EXPECT_THAT(wire.roles, ElementsAre(LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_ROLE_TARGET));
  EXPECT_THAT(wire.connections, ElementsAre(kOpened, kOpened));
}

TEST(ConnectionTableTest, TheTargetsEnd) {
  Wire wire({.initiators = false, .targets = true});
  wire.Handshake();
  wire.LogIn();
  wire.Command(1);
  EXPECT_THAT(wire.roles, ElementsAre(LUNSCOPE_ROLE_TARGET));
}

TEST(ConnectionTableTest, WithoutPartsOfTheHandshake) {
  for (const char* missing : {"SYN", "SYN-ACK", "last ACK"}) {
    SCOPED_TRACE(missing);
    Wire wire;
    const std::string part = missing;
    if (part != "SYN") wire.Initiator({}, kSynFlag);
    if (part == "SYN") wire.next[0]++;
    if (part != "SYN-ACK") wire.Target({}, kSynFlag | kAckFlag);
    if (part == "SYN-ACK") wire.next[1]++;
    if (part != "last ACK") wire.Initiator({});
    wire.LogIn();
    wire.Command(1);
    EXPECT_THAT(wire.commands, ElementsAre(1));
    EXPECT_THAT(wire.connections, ElementsAre(kOpened));
  }
}

TEST(ConnectionTableTest, AfterTheSynItIsMetInTheMiddle) {
  Wire wire;
  wire.Initiator({}, kSynFlag);
  wire.next[1]++;
  wire.InitiatorUnseen(LoginRequest());
  wire.TargetUnseen(LoginResponse());
  for (uint32_t itt = 1; itt <= 8; itt++) wire.Command(itt);
  EXPECT_THAT(wire.connections, ElementsAre(kMidstream));
  ASSERT_FALSE(wire.commands.empty());
  EXPECT_EQ(wire.commands.back(), 8u);
}

TEST(ConnectionTableTest, MetInTheMiddle) {
  Wire wire;
  for (uint32_t itt = 1; itt <= 8; itt++) wire.Command(itt);
  EXPECT_THAT(wire.connections, ElementsAre(kMidstream));
  EXPECT_THAT(wire.commands, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

// However the segments cut PDUs, all are shown that are whole in the capture.
TEST(ConnectionTableTest, MetInTheMiddleOfAPduItIsReadBack) {
  for (size_t cut = 1; cut <= 200; cut += 7) {
    Wire wire;
    Bytes said, answered;
    for (uint32_t itt = 1; itt <= 20; itt++) {
      said = Join({std::move(said), ScsiCommand(itt, Read10(), 64, kReadFlags)});
      answered = Join({std::move(answered), DataIn(itt, 0, Bytes(64, 0x5a), kDataInStatus)});
    }
    // The first command is cut, and so is the first answer, somewhere.
    const size_t lost = std::min<size_t>(cut, 47);
    wire.InitiatorUnseen(Slice(said, 0, lost));
    wire.TargetUnseen(Slice(answered, 0, 112 + lost));
    for (size_t at = lost; at < said.size(); at += cut)
      wire.Initiator(Slice(said, at, std::min(at + cut, said.size())));
    for (size_t at = 112 + lost; at < answered.size(); at += cut)
      wire.Target(Slice(answered, at, std::min(at + cut, answered.size())));
    wire.table.GiveUp();
    ASSERT_EQ(wire.commands.size(), 18u) << cut;
    EXPECT_EQ(wire.commands.front(), 3u) << cut;
    EXPECT_EQ(wire.unmatched(), 0u) << cut;
  }
}

// A capture of a few PDUs, which prove nothing.
TEST(ConnectionTableTest, ShortAndFromTheMiddleIsInferred) {
  struct ShortRow {
    const char* what;
    std::function<void(Wire*)> play;
    std::vector<uint32_t> commands;
    bool is_inferred;
  };
  const ShortRow kRows[] = {
      {"a command and its answer", [](Wire* wire) { wire->Command(1); }, {1}, true},
      {"two", [](Wire* wire) { wire->Command(1), wire->Command(2); }, {1, 2}, true},
      {"a command alone",
       [](Wire* wire) { wire->Initiator(ScsiCommand(1, TestUnitReady())); },
       {},
       false},
      {"no PDU", [](Wire* wire) { wire->Initiator(Bytes(500, 0x77)); }, {}, false},
      {"numbers that do not agree",
       [](Wire* wire) {
         wire->Initiator(ScsiCommand(1, TestUnitReady()));
         wire->Target(ScsiResponse(1).Set32(24, 0x4000'0000).Set32(28, 0x5000'0000));
       },
       {},
       false},
  };
  for (const ShortRow& row : kRows) {
    Wire wire;
    row.play(&wire);
    EXPECT_TRUE(wire.commands.empty()) << row.what;
    wire.table.GiveUp();
    EXPECT_EQ(wire.commands, row.commands) << row.what;
    EXPECT_EQ((wire.connections.back() & LUNSCOPE_FLAG_INFERRED) != 0, row.is_inferred) << row.what;
  }
}

// All connections together keep no more than a limit. Beyond it a trial is believed as in the
// kernel.
TEST(ConnectionTableTest, KeepsNoMoreThanItMay) {
  Watch watch;
  watch.kept.left = 100;
  {
    Wire wire(watch);
    for (uint32_t itt = 1; itt <= 8; itt++) wire.Command(itt);
    EXPECT_LT(wire.commands.size(), 8u);
    EXPECT_EQ(wire.commands.back(), 8u);
    EXPECT_LE(wire.watch.kept.left, 100u);
  }
}

TEST(ConnectionTableTest, WhatCannotBeginAConnection) {
  Wire wire;
  wire.Target({});
  wire.Initiator({}, kFinFlag | kAckFlag);
  wire.Initiator({}, kRstFlag);
  wire.Initiator({}, kRstFlag | kSynFlag);
  wire.target.port = 80;
  wire.Initiator(LoginRequest());
  EXPECT_EQ(wire.watch.ends_met, 0u);
  wire.target.port = kTargetPort;
  wire.Initiator(LoginRequest());
  EXPECT_EQ(wire.watch.ends_met, 1u);
}

TEST(ConnectionTableTest, SegmentsThatAreRepeatedAndSwapped) {
  Wire wire;
  wire.Handshake();
  wire.LogIn();
  const Bytes one = ScsiCommand(1, TestUnitReady());
  const Bytes two = ScsiCommand(2, TestUnitReady());
  wire.InitiatorUnseen(one);
  wire.Initiator(two);
  EXPECT_EQ(wire.watch.totals.commands_seen[LUNSCOPE_ROLE_INITIATOR], 0u);
  const uint32_t end = wire.next[0];
  wire.next[0] -= 96;
  wire.Initiator(one);
  wire.next[0] -= 48;
  wire.Initiator(one);
  wire.Initiator(two);
  ASSERT_EQ(wire.next[0], end);
  wire.Target(ScsiResponse(2));
  wire.Target(ScsiResponse(1));
  EXPECT_THAT(wire.commands, ElementsAre(2, 1));
  EXPECT_EQ(wire.watch.totals.commands_seen[LUNSCOPE_ROLE_INITIATOR], 2u);
  EXPECT_EQ(wire.gaps(LUNSCOPE_REASON_MISSING_BYTES), 0u);
}

// An answer that acknowledges the bytes of a hole ends the wait for them, before the answer itself
// is parsed.
TEST(ConnectionTableTest, AHoleIsAGap) {
  Wire wire;
  wire.Handshake();
  wire.LogIn();
  wire.InitiatorUnseen(ScsiCommand(1, TestUnitReady()));
  for (uint32_t itt = 2; itt <= 6; itt++) wire.Initiator(ScsiCommand(itt, TestUnitReady()));
  EXPECT_EQ(wire.gaps(LUNSCOPE_REASON_MISSING_BYTES), 0u) << "it could still come";
  for (uint32_t itt = 1; itt <= 6; itt++) wire.Target(ScsiResponse(itt));
  EXPECT_EQ(wire.gaps(LUNSCOPE_REASON_MISSING_BYTES), 1u);
  EXPECT_EQ(wire.watch.totals.resyncs[LUNSCOPE_REASON_MISSING_BYTES], 1u);
  // Three headers prove the boundaries, and the file is read back.
  EXPECT_THAT(wire.commands, ElementsAre(2, 3, 4, 5, 6));
  EXPECT_EQ(wire.unmatched(), 1u);
}

// Commands on trial are answered before they are believed: their answers wait for them.
TEST(ConnectionTableTest, AnswersWaitForCommandsOnTrial) {
  for (const bool misses_an_answer : {false, true}) {
    Wire wire;
    wire.Handshake();
    wire.LogIn();
    wire.Command(1);
    wire.InitiatorUnseen(ScsiCommand(2, TestUnitReady()));
    wire.Target(ScsiResponse(2));
    wire.Command(3);
    wire.Initiator(ScsiCommand(4, TestUnitReady()));
    misses_an_answer ? wire.TargetUnseen(ScsiResponse(4)) : wire.Target(ScsiResponse(4));
    for (uint32_t itt = 5; itt <= 9; itt++) wire.Command(itt);
    wire.table.GiveUp();
    std::vector<uint32_t> answered = {1, 3, 4, 5, 6, 7, 8, 9};
    if (misses_an_answer) answered.erase(answered.begin() + 2);
    EXPECT_EQ(wire.commands, answered);
    EXPECT_EQ(wire.unmatched(), 1u);
  }
}

TEST(ConnectionTableTest, AHoleInPayloadIsNoGap) {
  Wire wire;
  wire.Handshake();
  wire.LogIn();
  wire.Initiator(ScsiCommand(1, Read10(), 4096, kReadFlags));
  const Bytes data = DataIn(1, 0, Bytes(4096), kDataInStatus);
  wire.Target(Slice(data, 0, 1000));
  wire.TargetUnseen(Slice(data, 1000, 2000));
  wire.Target(Slice(data, 2000, data.size()));
  wire.Initiator({});  // acknowledges
  wire.Command(2);
  EXPECT_THAT(wire.commands, ElementsAre(1, 2));
  EXPECT_EQ(wire.gaps(LUNSCOPE_REASON_MISSING_BYTES), 0u);
}

// The last command has no answer, and the capture may have missed a FIN, too. Once the target has
// sent its own, the command cannot be answered any more.
TEST(ConnectionTableTest, AtTheEndOfTheCapture) {
  struct Row {
    const char* what;
    bool initiator_ends, sees_initiator, target_ends, sees_target;
    bool has_ended;
  };
  constexpr Row kRows[] = {
      {"both FINs", true, true, true, true, true},
      {"the initiator's FIN is missing", true, false, true, true, true},
      {"the target's FIN is missing", true, true, true, false, true},
      {"both are missing", true, false, true, false, true},
      {"the target's FIN alone", false, false, true, true, true},
      {"the initiator's FIN alone: answers may come", true, true, false, false, false},
      {"no FIN", false, false, false, false, false},
  };
  for (const Row& row : kRows) {
    Wire wire;
    wire.Handshake();
    wire.LogIn();
    wire.Initiator(ScsiCommand(1, TestUnitReady()));
    constexpr uint8_t kFin = kFinFlag | kAckFlag;
    if (row.initiator_ends)
      row.sees_initiator ? wire.Initiator({}, kFin) : wire.InitiatorUnseen({}, kFin);
    if (row.target_ends) row.sees_target ? wire.Target({}, kFin) : wire.TargetUnseen({}, kFin);
    wire.Initiator({});
    EXPECT_TRUE(wire.unanswered.empty() || (row.sees_initiator && row.sees_target)) << row.what;
    wire.table.GiveUp();
    EXPECT_EQ(wire.unanswered.size(), row.has_ended ? 1U : 0U) << row.what;
    EXPECT_EQ(wire.gaps(LUNSCOPE_REASON_MISSING_BYTES), 0U) << row.what;
  }
}

TEST(ConnectionTableTest, AHoleUntilTheEndOfTheCapture) {
  Wire wire;
  wire.Handshake();
  wire.LogIn();
  wire.TargetUnseen(NopIn());
  wire.Target(NopIn());
  wire.table.GiveUp();
  EXPECT_EQ(wire.gaps(LUNSCOPE_REASON_MISSING_BYTES), 1u);
}

// Headers inside the snap length are enough; a header outside is a gap.
TEST(ConnectionTableTest, SnapLength) {
  Wire wire;
  wire.Handshake();
  wire.LogIn();
  wire.Initiator(ScsiCommand(1, Read10(), 4096, kReadFlags));
  TcpSegment cut = wire.Segment(false, DataIn(1, 0, Bytes(4096), kDataInStatus));
  cut.payload = cut.payload.first(48);
  wire.table.Take(cut);
  EXPECT_THAT(wire.commands, ElementsAre(1));
  wire.TargetUnseen(Bytes(cut.payload_bytes));

  wire.Initiator(ScsiCommand(2, TestUnitReady()));
  cut = wire.Segment(false, ScsiResponse(2, 2).Sense(Bytes(18)));
  cut.payload = cut.payload.first(50);  // with the status, and without the sense
  wire.table.Take(cut);
  wire.TargetUnseen(Bytes(cut.payload_bytes));
  EXPECT_THAT(wire.commands, ElementsAre(1, 2));
  EXPECT_EQ(wire.gaps(LUNSCOPE_REASON_MISSING_BYTES), 0u);

  wire.Initiator(ScsiCommand(3, TestUnitReady()));
  cut = wire.Segment(false, ScsiResponse(3));
  cut.payload = cut.payload.first(47);
  wire.table.Take(cut);
  EXPECT_THAT(wire.commands, ElementsAre(1, 2));
  EXPECT_EQ(wire.gaps(LUNSCOPE_REASON_MISSING_BYTES), 1u);
}

// A name that is cut gets a mark, a digest's name that is cut turns no digest on, and the
// connection is still followed.
TEST(ConnectionTableTest, SnapLengthInALogin) {
  const Bytes text = Keys({"TargetName=iqn." + std::string(400, 'n'), "HeaderDigest=CRC32C"});
  const Bytes request = LoginRequest(text);
  for (size_t kept = 48; kept < 48 + text.size(); kept++) {
    SCOPED_TRACE(kept);
    Wire wire;
    wire.Handshake();
    TcpSegment cut = wire.Segment(true, request);
    cut.payload = cut.payload.first(kept);
    wire.table.Take(cut);
    wire.InitiatorUnseen(request);
    const std::string whole(text.begin(), text.end());
    EXPECT_EQ(wire.text, whole.substr(0, std::min(kept - 48, wire.text.size() - 3)) + "...");
    EXPECT_GE(wire.text.size() + 3, std::min(kept - 48, text.size()));
    wire.Target(LoginResponse());
    wire.Command(1);
    EXPECT_THAT(wire.commands, ElementsAre(1));
    EXPECT_EQ(wire.gaps(LUNSCOPE_REASON_MISSING_BYTES), 0u);
  }
}

// The text behind a cut is dropped up to the next key, because it may be the end of a secret.
TEST(ConnectionTableTest, SnapLengthInALoginThatGoesOn) {
  Wire wire;
  wire.Handshake();
  const Bytes request = LoginRequest(ToBytes(std::string("TargetName=iqn\0CHAP_R=0x12", 26)), 0x40);
  TcpSegment cut = wire.Segment(true, request);
  cut.payload = cut.payload.first(48 + 13);
  wire.table.Take(cut);
  wire.InitiatorUnseen(request);
  wire.Initiator(LoginRequest(ToBytes(std::string("3456\0AuthMethod=CHAP\0", 21))));
  EXPECT_EQ(wire.text, std::string("TargetName=iq...\0AuthMethod=CHAP\0", 33));
}

TEST(ConnectionTableTest, CommandsInFlightWhenItEnds) {
  const struct {
    const char* name;
    uint8_t flags;
    bool ends;
  } kRows[] = {{"RST", kRstFlag, true}, {"FIN of one end", kFinFlag | kAckFlag, false}};
  for (const auto& [name, flags, ends] : kRows) {
    SCOPED_TRACE(name);
    Wire wire;
    wire.Handshake();
    wire.LogIn();
    wire.Initiator(ScsiCommand(1, TestUnitReady()));
    wire.Target({}, flags);
    EXPECT_EQ(wire.watch.totals.commands_unreported[LUNSCOPE_ROLE_INITIATOR]
                                                   [LUNSCOPE_UNREPORTED_CONNECTION_CLOSED],
              ends ? 1u : 0u);
  }
}

// FINs that cross: each end was first, as it saw it.
TEST(ConnectionTableTest, SaysWhoEndedIt) {
  const auto fin = [](Wire& wire, bool is_from_initiator) {
    is_from_initiator ? wire.Initiator({}, kFinFlag | kAckFlag)
                      : wire.Target({}, kFinFlag | kAckFlag);
  };
  const struct {
    const char* name;
    std::function<void(Wire&)> finish;
    lunscope_end at_initiator;
    lunscope_end at_target;
  } kRows[] = {
      {"the initiator closes",
       [&](Wire& wire) {
         fin(wire, true);
         fin(wire, false);
       },
       LUNSCOPE_END_CLOSED_HERE, LUNSCOPE_END_CLOSED_BY_PEER},
      {"the target closes",
       [&](Wire& wire) {
         fin(wire, false);
         fin(wire, true);
       },
       LUNSCOPE_END_CLOSED_BY_PEER, LUNSCOPE_END_CLOSED_HERE},
      {"both at once",
       [&](Wire& wire) {
         const TcpSegment ours = wire.Segment(true, {}, kFinFlag | kAckFlag);
         const TcpSegment theirs = wire.Segment(false, {}, kFinFlag | kAckFlag);
         wire.table.Take(ours);
         wire.table.Take(theirs);
       },
       LUNSCOPE_END_CLOSED_HERE, LUNSCOPE_END_CLOSED_HERE},
      {"the initiator resets", [](Wire& wire) { wire.Initiator({}, kRstFlag); },
       LUNSCOPE_END_RESET_HERE, LUNSCOPE_END_RESET_BY_PEER},
      {"the target resets", [](Wire& wire) { wire.Target({}, kRstFlag); },
       LUNSCOPE_END_RESET_BY_PEER, LUNSCOPE_END_RESET_HERE},
      {"a FIN, and then an RST",
       [&](Wire& wire) {
         fin(wire, true);
         wire.Target({}, kRstFlag);
       },
       LUNSCOPE_END_CLOSED_HERE, LUNSCOPE_END_CLOSED_BY_PEER},
  };
  for (const auto& [name, finish, at_initiator, at_target] : kRows) {
    SCOPED_TRACE(name);
    Wire wire;
    wire.watch.targets = true;
    wire.Handshake();
    wire.LogIn();
    finish(wire);
    EXPECT_EQ(wire.ends[LUNSCOPE_ROLE_INITIATOR], at_initiator);
    EXPECT_EQ(wire.ends[LUNSCOPE_ROLE_TARGET], at_target);
  }
}

// The last FIN ends the connection only when all bytes before it were seen or acknowledged.
TEST(ConnectionTableTest, AFinBeforeItsData) {
  Wire wire;
  wire.Handshake();
  wire.LogIn();
  wire.Initiator(ScsiCommand(1, TestUnitReady()), kFinFlag | kAckFlag);
  const uint32_t response_at = wire.next[1];
  wire.TargetUnseen(ScsiResponse(1));
  wire.Target({}, kFinFlag | kAckFlag);
  EXPECT_THAT(wire.connections, ElementsAre(kOpened));
  wire.next[1] = response_at;
  wire.Target(ScsiResponse(1));
  EXPECT_THAT(wire.commands, ElementsAre(1));
  EXPECT_THAT(wire.connections, ElementsAre(kOpened, kClosed));
}

TEST(ConnectionTableTest, LateSegmentsOfAClosedConnection) {
  Wire wire;
  wire.Handshake();
  wire.LogIn();
  wire.Target({}, kRstFlag);
  for (uint32_t itt = 1; itt <= 3000; itt++) wire.Initiator(ScsiCommand(itt, TestUnitReady()));
  EXPECT_THAT(wire.connections, ElementsAre(kOpened, kClosed));
  EXPECT_EQ(wire.watch.ends_met, 1u);
}

TEST(ConnectionTableTest, ClosedConnectionsAreForgotten) {
  Wire wire({}, {kTargetPort}, 1100);
  for (uint16_t port = 30'000; port < 33'000; port++) {
    wire.initiator.port = port;
    wire.Handshake();
    wire.LogIn();
    wire.Target({}, kRstFlag);
  }
  EXPECT_EQ(wire.watch.ends_met, 3000u);
  EXPECT_EQ(wire.watch.totals.untracked_connections, 0u);
}

TEST(ConnectionTableTest, AStaleRstIsNotHeeded) {
  Wire wire;
  wire.Handshake();
  wire.LogIn();
  TcpSegment stale = wire.Segment(false, {}, kRstFlag);
  stale.seq -= 10;
  wire.table.Take(stale);
  wire.Command(1);
  EXPECT_THAT(wire.commands, ElementsAre(1));
}

TEST(ConnectionTableTest, TheSameEndsAgain) {
  for (const bool is_closed : {false, true}) {
    SCOPED_TRACE(is_closed);
    Wire wire;
    wire.Handshake();
    wire.LogIn();
    wire.Initiator(ScsiCommand(1, TestUnitReady()));
    if (is_closed) wire.Initiator({}, kRstFlag);
    wire.next[0] = 500'000;
    wire.next[1] = 700'000;
    wire.Handshake();
    wire.LogIn();
    wire.Command(1);
    EXPECT_THAT(wire.commands, ElementsAre(1));
    EXPECT_THAT(wire.unanswered, ElementsAre(1));
    EXPECT_THAT(wire.connections, ElementsAre(kOpened, kClosed, kOpened));
    EXPECT_EQ(wire.watch.totals.commands_unreported[LUNSCOPE_ROLE_INITIATOR]
                                                   [LUNSCOPE_UNREPORTED_CONNECTION_CLOSED],
              1u);
  }
}

// A capture of the other host was merged in, and the clock of that host is late: all of the
// connection comes again after its end.
TEST(ConnectionTableTest, TheSameConnectionAgainFromASkewedClock) {
  Wire wire;
  const auto all = [&] {
    wire.next[0] = 1000;
    wire.next[1] = 2000;
    wire.Handshake();
    wire.LogIn();
    wire.Command(1);
    wire.Initiator({}, kFinFlag | kAckFlag);
    wire.Target({}, kFinFlag | kAckFlag);
    wire.Initiator({});
  };
  all();
  all();
  EXPECT_THAT(wire.commands, ElementsAre(1));
  EXPECT_THAT(wire.connections, ElementsAre(kOpened, kClosed));
}

// Two hosts may have the same address if they are in different VLANs.
TEST(ConnectionTableTest, TheSameEndsInTwoVlans) {
  Wire wire;
  const std::vector<uint64_t> vlans = {0, 10, 20};
  const auto in_each = [&](bool is_from_initiator, const Bytes& payload, uint8_t flags = kAckFlag) {
    TcpSegment segment = wire.Segment(is_from_initiator, payload, flags);
    for (const uint64_t vlan : vlans) {
      segment.vlan = vlan;
      wire.table.Take(segment);
    }
    wire.next[is_from_initiator ? 0 : 1] +=
        static_cast<uint32_t>(payload.size()) + ((flags & kSynFlag) != 0 ? 1 : 0);
  };
  in_each(true, {}, kSynFlag);
  in_each(false, {}, kSynFlag | kAckFlag);
  in_each(true, {});
  in_each(true, LoginRequest());
  in_each(false, LoginResponse());
  in_each(true, ScsiCommand(1, TestUnitReady()));
  in_each(false, ScsiResponse(1));
  EXPECT_THAT(wire.commands, ElementsAre(1, 1, 1));
  EXPECT_THAT(wire.connections, ElementsAre(kOpened, kOpened, kOpened));
}

// The capture begins behind the handshake. The initiator's first data is a login, so the connection
// begins here.
TEST(ConnectionTableTest, BeginsWithALogin) {
  for (const bool has_bare_ack : {false, true}) {
    SCOPED_TRACE(has_bare_ack);
    Wire wire;
    if (has_bare_ack) wire.Initiator({});
    wire.LogIn();
    wire.Command(1);
    EXPECT_THAT(wire.connections, ElementsAre(kOpened));
    EXPECT_THAT(wire.commands, ElementsAre(1));
  }
}

// Something of the target came before the login: where its stream begins is not known.
TEST(ConnectionTableTest, BeginsNotWithALoginInTheMiddle) {
  Wire wire;
  wire.Target(NopIn());
  wire.LogIn();
  EXPECT_THAT(wire.connections, ElementsAre(kMidstream));
}

TEST(ConnectionTableTest, TheSameSynAgain) {
  Wire wire;
  wire.Initiator({}, kSynFlag);
  TcpSegment again = wire.Segment(true, {}, kSynFlag);
  again.seq--;
  wire.table.Take(again);
  wire.Target({}, kSynFlag | kAckFlag);
  wire.Initiator({});
  wire.LogIn();
  wire.table.Take(again);
  wire.Command(1);
  EXPECT_THAT(wire.connections, ElementsAre(kOpened));
  EXPECT_THAT(wire.commands, ElementsAre(1));
}

// If both ends use a port of targets, the SYN decides which end is the target, or else an opcode.
TEST(ConnectionTableTest, BothPortsAreThoseOfTargets) {
  for (const bool has_syn : {true, false}) {
    SCOPED_TRACE(has_syn);
    Wire wire({}, {kInitiatorPort, kTargetPort});
    if (has_syn) {
      wire.Handshake();
      wire.LogIn();
    } else {
      wire.Target(Bytes(48, 0xff));
    }
    for (uint32_t itt = 1; itt <= 8; itt++) wire.Command(itt);
    ASSERT_FALSE(wire.commands.empty());
    EXPECT_EQ(wire.commands.back(), 8u);
    EXPECT_EQ(wire.roles.back(), LUNSCOPE_ROLE_INITIATOR);
    EXPECT_THAT(wire.connections, ElementsAre(has_syn ? kOpened : kMidstream));
  }
}

// From another port of the initiator's host, with nothing known of it.
void BeginAnother(Wire* wire) {
  wire->initiator.port++;
  wire->next[0] = 1000;
  wire->next[1] = 2000;
}

void SayGarbage(Wire* wire) { wire->Initiator(Bytes(48, 0xff)); }
void SaySyn(Wire* wire) {
  wire->Initiator({}, kSynFlag);
  wire->Initiator({}, kSynFlag);
}
void Work(Wire* wire) {
  wire->Handshake();
  wire->LogIn();
  wire->Command(7);
}

struct CrowdRow {
  const char* what;
  std::vector<void (*)(Wire*)> connections;
  uint64_t commands, untracked, crowded_packets, ends_met;
};

// There is room for four. A connection that is not iSCSI as far as known makes room for another.
TEST(ConnectionTableTest, ManyConnections) {
  const auto many = [](size_t count, void (*say)(Wire*)) { return std::vector(count, say); };
  const CrowdRow rows[] = {
      {"a SYN costs no state of the engine", many(6, SaySyn), 0, 2, 0, 0},
      {"SYNs hide nothing", {SaySyn, SaySyn, SaySyn, SaySyn, SaySyn, Work}, 1, 2, 0, 1},
      {"nor does garbage", {SayGarbage, SayGarbage, SayGarbage, SayGarbage, Work}, 1, 1, 0, 5},
      {"nor what comes behind", {Work, SaySyn, SaySyn, SaySyn, SayGarbage, SaySyn}, 1, 2, 0, 2},
      {"no session makes room", {Work, Work, Work, Work, SaySyn}, 4, 1, 2, 4},
  };
  for (const CrowdRow& row : rows) {
    Wire wire({}, {kTargetPort}, 4);
    for (const auto say : row.connections) {
      BeginAnother(&wire);
      say(&wire);
    }
    EXPECT_EQ(wire.commands.size(), row.commands) << row.what;
    EXPECT_EQ(wire.watch.totals.untracked_connections, row.untracked) << row.what;
    EXPECT_EQ(wire.watch.crowded_packets, row.crowded_packets) << row.what;
    EXPECT_EQ(wire.watch.ends_met, row.ends_met) << row.what;
  }
}

// The one that makes room has been silent for longest.
TEST(ConnectionTableTest, TheLongestSilentMakesRoom) {
  Wire wire({}, {kTargetPort}, 4);
  std::vector<uint16_t> ports;
  for (int i = 0; i < 4; i++) {
    BeginAnother(&wire);
    ports.push_back(wire.initiator.port);
    SaySyn(&wire);
  }
  const uint16_t next = wire.initiator.port;
  wire.initiator.port = ports[0];
  SaySyn(&wire);
  wire.initiator.port = next;
  BeginAnother(&wire);
  SaySyn(&wire);
  wire.initiator.port = ports[0];
  wire.next[0] = 1000;
  SaySyn(&wire);
  EXPECT_EQ(wire.watch.totals.untracked_connections, 1u);
  wire.initiator.port = ports[1];
  SaySyn(&wire);
  EXPECT_EQ(wire.watch.totals.untracked_connections, 2u);
}

}  // namespace
}  // namespace lunscope
