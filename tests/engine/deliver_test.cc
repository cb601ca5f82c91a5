// SPDX-License-Identifier: Apache-2.0
//
// deliver.h: which records are due, and what becomes of a command whose record is lost. The sink of
// these tests makes the calls of bpf/follow.bpf.h, and answers what the test wants.
#include <lunscope/connection.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "tests/vectors/pdu.h"

namespace lunscope {
namespace {

constexpr uint64_t kNow = 1'000'000;

// A target's end of a connection that is seen from its first byte on.
class Sink {
 public:
  Sink() {
    lunscope_connection_open(&connection(), next_[LUNSCOPE_RECEIVED], next_[LUNSCOPE_SENT]);
    connection().record.header.role = LUNSCOPE_ROLE_TARGET;
    connection().inflight.limit = LUNSCOPE_TRACKED_COMMANDS;
    connection().checks_header_digest = 1;
  }

  void Initiator(const Bytes& bytes) { Follow(LUNSCOPE_RECEIVED, bytes); }
  void Target(const Bytes& bytes) { Follow(LUNSCOPE_SENT, bytes); }

  // So many bytes pass unseen.
  void Miss(uint32_t direction, size_t bytes) { next_[direction] += static_cast<uint32_t>(bytes); }

  lunscope_connection& connection() { return *connection_; }
  lunscope_stream& stream(uint32_t direction) { return connection_->streams[direction]; }

  lunscope_delivery answer = LUNSCOPE_DELIVERED;  // what the sink says of each record
  bool is_deaf = false;                           // the sink ignores what is due
  lunscope_totals totals = {};
  std::vector<uint32_t> due;  // of each PDU that made something due
  std::vector<lunscope_header_record> headers;
  std::vector<lunscope_pdu_record> pdus;
  std::vector<lunscope_sensed_command_record> sensed;

 private:
  void Follow(uint32_t direction, const Bytes& bytes) {
    const uint32_t seq = next_[direction];
    const uint32_t end = seq + static_cast<uint32_t>(bytes.size());
    next_[direction] = end;
    ASSERT_EQ(lunscope_connection_offer(&connection(), direction, seq, end, seq, &totals),
              LUNSCOPE_OFFER_NEW);
    while (const uint32_t wanted = lunscope_stream_wants(&stream(direction), end)) {
      std::memcpy(lunscope_stream_room(&stream(direction)),
                  bytes.data() + (stream(direction).next - seq), wanted);
      const lunscope_take take = lunscope_stream_take(&stream(direction), wanted);
      if (take == LUNSCOPE_TAKE_SHORT) continue;
      if (take == LUNSCOPE_TAKE_CHUNK) {
        if (lunscope_is_text(iscsi_opcode(stream(direction).room))) {
          lunscope_connection_act(&connection(), direction);
        } else {
          lunscope_connection_chunk(&connection(), nullptr, direction);
        }
      } else {
        const lunscope_header header =
            lunscope_connection_header(&connection(), nullptr, direction, kNow, &totals);
        if (header == LUNSCOPE_HEADER_ACT) {
          lunscope_connection_act(&connection(), direction);
        } else {
          ASSERT_EQ(header, LUNSCOPE_HEADER_FOLLOWED);
        }
      }
      lunscope_connection_reach_end(&stream(direction), end);
      Deliver(direction);
      if (take == LUNSCOPE_TAKE_CHUNK || stream(direction).awaits_end)
        lunscope_stream_go_on(&stream(direction));
    }
  }

  void Deliver(uint32_t direction) {
    const uint32_t is_due = stream(direction).due;
    if (is_due == 0 || is_deaf) return;
    due.push_back(is_due);
    const lunscope_command* command = lunscope_due_command(&connection(), nullptr, direction);
    if (is_due & LUNSCOPE_DUE_HEADER)
      lunscope_fill_pdu_header(&headers.emplace_back(), &connection(), direction, kNow);
    if (is_due & LUNSCOPE_DUE_PDU)
      lunscope_fill_pdu(&pdus.emplace_back(), &connection(), direction, command, kNow);
    if (is_due & LUNSCOPE_DUE_SENSE)
      lunscope_fill_sensed_command(&sensed.emplace_back(), &connection(), direction, command, kNow);
    for (const lunscope_due bit : {LUNSCOPE_DUE_HEADER, LUNSCOPE_DUE_PDU, LUNSCOPE_DUE_COMMAND}) {
      if (is_due & bit)
        lunscope_connection_delivered(&connection(), nullptr, direction, bit, answer, &totals);
    }
  }

  uint32_t next_[LUNSCOPE_DIRECTIONS] = {1000, 2000};
  const std::unique_ptr<lunscope_connection> connection_ = std::make_unique<lunscope_connection>();
};

void LogIn(Sink* sink, const Bytes& keys = {}) {
  sink->Initiator(LoginRequest(keys));
  sink->Target(LoginResponse(keys));
  sink->due.clear();
  sink->pdus.clear();
}

// One PDU of the target, after a command with tag 1.
struct Row {
  const char* what;
  Pdu pdu;
  std::vector<uint32_t> due;
};

TEST(Due, IsDecidedByThePdu) {
  const Row rows[] = {
      {"a response", ScsiResponse(1), {LUNSCOPE_DUE_COMMAND}},
      {"a response with sense",
       ScsiResponse(1, 2).Sense(Bytes(18, 0x70)),
       {LUNSCOPE_DUE_COMMAND | LUNSCOPE_DUE_SENSE}},
      {"a response with no bytes of sense",
       ScsiResponse(1, 2).Data({0, 0, 1, 2}),
       {LUNSCOPE_DUE_COMMAND}},
      {"a response to no command", ScsiResponse(2), {}},
      {"INQUIRY data", DataIn(1, 0, Bytes(36, 5)), {LUNSCOPE_DUE_PDU}},
      {"INQUIRY data with status",
       DataIn(1, 0, Bytes(36, 5), kDataInStatus),
       {LUNSCOPE_DUE_PDU | LUNSCOPE_DUE_COMMAND}},
      {"a status without data", DataIn(1, 0, {}, kDataInStatus), {LUNSCOPE_DUE_COMMAND}},
      {"data for no command", DataIn(2, 0, Bytes(36, 5)), {}},
      {"an R2T", R2t(1, 0, 512), {}},
      {"data without status", DataIn(1, 512, Bytes(36, 5)), {}},
      {"a NOP-In", NopIn(), {LUNSCOPE_DUE_PDU}},
      {"a task management response", TaskResponse(0), {LUNSCOPE_DUE_PDU}},
  };
  for (const Row& row : rows) {
    Sink sink;
    LogIn(&sink);
    sink.Initiator(ScsiCommand(1, Inquiry()));
    sink.Target(row.pdu);
    EXPECT_EQ(sink.due, row.due) << row.what;
  }
}

// A Data-In with the status, in two segments.
struct LateEnd {
  const char* what;
  Pdu pdu;
  size_t first;               // bytes in the first one
  std::vector<uint32_t> due;  // with the first one, and with both
  std::vector<uint32_t> due_in_all;
};

TEST(Due, WaitsForTheEndOfADataInWithStatus) {
  const Bytes block(512, 5);
  const LateEnd rows[] = {
      {"all of its data", DataIn(1, 512, block, kDataInStatus), 48, {}, {LUNSCOPE_DUE_COMMAND}},
      {"the last byte", DataIn(1, 512, block, kDataInStatus), 559, {}, {LUNSCOPE_DUE_COMMAND}},
      {"the end of its header",
       DataIn(1, 512, block, kDataInStatus),
       47,
       {},
       {LUNSCOPE_DUE_COMMAND}},
      {"all of the data that explains",
       DataIn(1, 0, Bytes(36, 5), kDataInStatus),
       48,
       {},
       {LUNSCOPE_DUE_PDU | LUNSCOPE_DUE_COMMAND}},
      {"the padding behind the data that explains",
       DataIn(1, 0, Bytes(37, 5), kDataInStatus),
       48 + 37,
       {LUNSCOPE_DUE_PDU},
       {LUNSCOPE_DUE_PDU, LUNSCOPE_DUE_COMMAND}},
  };
  for (const LateEnd& row : rows) {
    const Bytes wire = row.pdu;
    Sink sink;
    LogIn(&sink);
    sink.Initiator(ScsiCommand(1, Inquiry()));
    sink.Target(Slice(wire, 0, row.first));
    EXPECT_EQ(sink.due, row.due) << row.what;
    EXPECT_EQ(lunscope_inflight_count(&sink.connection().inflight), 1u) << row.what;
    sink.Target(Slice(wire, row.first, wire.size()));
    EXPECT_EQ(sink.due, row.due_in_all) << row.what;
    EXPECT_EQ(lunscope_inflight_count(&sink.connection().inflight), 0u) << row.what;
    sink.Target(NopIn());
    EXPECT_EQ(sink.due.size(), row.due_in_all.size() + 1) << row.what;
  }
}

// Its status is known, and will not come again. So the command is given up with the next answer.
TEST(Due, OfADataInWhoseEndIsMissed) {
  const Bytes wire = DataIn(1, 512, Bytes(512, 5), kDataInStatus);
  Sink sink;
  LogIn(&sink);
  sink.Initiator(ScsiCommand(1, Inquiry()));
  sink.Target(Slice(wire, 0, 100));
  sink.Miss(LUNSCOPE_SENT, wire.size() - 100);
  sink.Target(NopIn());
  EXPECT_EQ(sink.due, std::vector<uint32_t>{LUNSCOPE_DUE_SWEEP | LUNSCOPE_DUE_PDU});
  EXPECT_EQ(sink.connection().sweep.of, LUNSCOPE_SWEEP_DOUBTFUL);
  EXPECT_EQ(sink.connection().sweep.reason, LUNSCOPE_UNREPORTED_GAP);
}

// Digests that a login negotiates are in effect, even if no record of the login is delivered.
TEST(Delivery, IsNoPartOfNegotiation) {
  for (const lunscope_delivery answer : {LUNSCOPE_DELIVERED, LUNSCOPE_LOST_FULL}) {
    for (const bool is_deaf : {false, true}) {
      Sink sink;
      sink.answer = answer;
      sink.is_deaf = is_deaf;
      LogIn(&sink, ToBytes("HeaderDigest=CRC32C"));
      EXPECT_EQ(sink.connection().record.header_digest, 1);
      EXPECT_EQ(sink.connection().record.data_digest, 0);
      sink.Initiator(ScsiCommand(1, TestUnitReady()).Wire({true, false}));
      EXPECT_EQ(lunscope_inflight_count(&sink.connection().inflight), 1u);
    }
  }
}

struct Outcome {
  lunscope_delivery answer;
  uint64_t reported, ring_full, ring_busy, records, lost_full, lost_busy;
};

// A command ends with its status, whatever becomes of its record.
TEST(Delivery, EndsACommandAndCountsIt) {
  const Outcome outcomes[] = {{LUNSCOPE_DELIVERED, 1, 0, 0, 1, 0, 0},
                              {LUNSCOPE_ADDED_UP, 1, 0, 0, 0, 0, 0},
                              {LUNSCOPE_LOST_FULL, 0, 1, 0, 0, 1, 0},
                              {LUNSCOPE_LOST_BUSY, 0, 0, 1, 0, 0, 1}};
  for (const Outcome& expected : outcomes) {
    Sink sink;
    LogIn(&sink);
    sink.Initiator(ScsiCommand(1, TestUnitReady()));
    sink.totals.records = 0;
    sink.answer = expected.answer;
    sink.Target(ScsiResponse(1));
    const auto& unreported = sink.totals.commands_unreported[LUNSCOPE_ROLE_TARGET];
    EXPECT_EQ(sink.totals.commands_reported[LUNSCOPE_ROLE_TARGET], expected.reported);
    EXPECT_EQ(unreported[LUNSCOPE_UNREPORTED_RING_FULL], expected.ring_full);
    EXPECT_EQ(unreported[LUNSCOPE_UNREPORTED_RING_BUSY], expected.ring_busy);
    EXPECT_EQ(sink.totals.records, expected.records);
    EXPECT_EQ(sink.totals.records_lost[LUNSCOPE_LOSS_FULL], expected.lost_full);
    EXPECT_EQ(sink.totals.records_lost[LUNSCOPE_LOSS_BUSY], expected.lost_busy);
    EXPECT_EQ(sink.totals.commands_in_flight[LUNSCOPE_ROLE_TARGET], 0u);
    EXPECT_EQ(lunscope_inflight_count(&sink.connection().inflight), 0u);
    EXPECT_TRUE(lunscope_totals_balance(&sink.totals));
  }
}

// A PDU without a record is counted by its reason, and for its connection in its direction.
TEST(Delivery, CountsALossForItsConnection) {
  for (uint32_t loss = 0; loss < LUNSCOPE_LOSS_COUNT; loss++) {
    Sink sink;
    LogIn(&sink);
    sink.answer = static_cast<lunscope_delivery>(LUNSCOPE_LOST + loss);
    sink.Initiator(NopOut());
    sink.Target(NopIn());
    sink.Target(NopIn());
    const auto& traffic = sink.connection().record.traffic;
    for (uint32_t i = 0; i < LUNSCOPE_LOSS_COUNT; i++) {
      EXPECT_EQ(sink.totals.records_lost[i], i == loss ? 3u : 0u);
      EXPECT_EQ(traffic[LUNSCOPE_RECEIVED].records_lost[i], i == loss ? 1u : 0u);
      EXPECT_EQ(traffic[LUNSCOPE_SENT].records_lost[i], i == loss ? 2u : 0u);
    }
    EXPECT_TRUE(lunscope_totals_balance(&sink.totals));
  }
}

// Aggregates that are lost take back the commands that were reported when they ended. Those that a
// walk has handed out stay reported.
TEST(Delivery, OfAggregatesTakesBackWhatIsLost) {
  Sink sink;
  const auto table = std::make_unique<lunscope_aggregates_record>();
  uint64_t& reported = sink.totals.commands_reported[LUNSCOPE_ROLE_TARGET];
  table->count = 1;
  table->aggregates[0].commands = 5;
  table->aggregates[0].read = 3;
  reported = 5;
  lunscope_aggregates_delivered(&sink.connection(), table.get(), LUNSCOPE_DELIVERED, &sink.totals);
  EXPECT_EQ(reported, 5u);
  lunscope_aggregates_delivered(&sink.connection(), table.get(), LUNSCOPE_LOST_FULL, &sink.totals);
  EXPECT_EQ(reported, 3u);
  EXPECT_EQ(sink.totals.commands_unreported[LUNSCOPE_ROLE_TARGET][LUNSCOPE_UNREPORTED_RING_FULL],
            2u);
}

// A sink that delivers twice, or what is not due, ends no command that is not there.
TEST(Delivery, OfNoCommandEndsNone) {
  Sink sink;
  LogIn(&sink);
  sink.Initiator(ScsiCommand(1, TestUnitReady()));
  sink.stream(LUNSCOPE_SENT).place = LUNSCOPE_NO_PLACE;
  lunscope_connection_delivered(&sink.connection(), nullptr, LUNSCOPE_SENT, LUNSCOPE_DUE_COMMAND,
                                LUNSCOPE_DELIVERED, &sink.totals);
  EXPECT_EQ(lunscope_inflight_count(&sink.connection().inflight), 1u);
  EXPECT_EQ(sink.totals.commands_reported[LUNSCOPE_ROLE_TARGET], 0u);
  EXPECT_TRUE(lunscope_totals_balance(&sink.totals));
}

// A command that was seen and is nowhere else makes a copy of the totals one that does not balance.
TEST(Totals, DoNotBalanceWhileACommandIsNowhere) {
  lunscope_totals totals = {};
  totals.commands_seen[LUNSCOPE_ROLE_TARGET] = 1;
  EXPECT_FALSE(lunscope_totals_balance(&totals));
  totals.commands_in_flight[LUNSCOPE_ROLE_TARGET] = 1;
  EXPECT_TRUE(lunscope_totals_balance(&totals));
}

// In aggregate mode a success is added up; a failure, or what is slow, has its record.
TEST(Totals, HaveNoRecordForACommandThatWasAddedUp) {
  lunscope_totals totals = {};
  lunscope_totals_deliver(&totals, LUNSCOPE_ADDED_UP);
  lunscope_totals_report(&totals, LUNSCOPE_ROLE_TARGET, LUNSCOPE_ADDED_UP, 1);
  EXPECT_EQ(totals.records, 0u);
  EXPECT_EQ(totals.commands_reported[LUNSCOPE_ROLE_TARGET], 1u);
}

TEST(Delivery, AddsUpASuccess) {
  struct {
    const char* what;
    uint8_t status;
    uint64_t slow_ns;
    int is_added;
  } const rows[] = {{"good", 0, ~uint64_t{0}, 1}, {"busy", 8, ~uint64_t{0}, 0}, {"slow", 0, 0, 0}};
  for (const auto& row : rows) {
    Sink sink;
    sink.is_deaf = true;
    LogIn(&sink);
    sink.Initiator(ScsiCommand(1, TestUnitReady()));
    sink.Target(ScsiResponse(1, row.status));
    const auto table = std::make_unique<lunscope_aggregates_record>();
    const lunscope_command* command =
        lunscope_due_command(&sink.connection(), nullptr, LUNSCOPE_SENT);
    ASSERT_NE(command, nullptr);
    EXPECT_EQ(
        lunscope_add_up(table.get(), &sink.connection(), LUNSCOPE_SENT, command, kNow, row.slow_ns),
        row.is_added)
        << row.what;
    const uint32_t bytes = lunscope_fill_aggregates(table.get(), &sink.connection(), kNow);
    EXPECT_EQ(bytes, offsetof(lunscope_aggregates_record, aggregates) +
                         static_cast<size_t>(row.is_added) * sizeof(lunscope_aggregate));
    EXPECT_EQ(table->header.kind, LUNSCOPE_RECORD_AGGREGATES);
    EXPECT_EQ(table->header.bytes, bytes);
    EXPECT_EQ(table->header.time_ns, kNow);
    const lunscope_aggregate& added = table->aggregates[0];
    EXPECT_EQ(added.phases[LUNSCOPE_PHASE_REST][0], static_cast<uint32_t>(row.is_added));
  }
}

// Records are filled by copies of a constant size. Behind the data they must be zero all the same.
TEST(Fill, LeavesNoOldBytesBehindTheData) {
  Sink sink;
  LogIn(&sink);
  sink.Target(AsyncMessage(0).Data(Bytes(90, 0xee)));
  sink.Target(AsyncMessage(0).Data(Bytes(8, 0x11)));
  ASSERT_EQ(sink.pdus.size(), 2u);
  EXPECT_EQ(sink.pdus[1].chunk_bytes, 8);
  EXPECT_EQ(std::ranges::count(sink.pdus[1].chunk, 0), LUNSCOPE_CHUNK_BYTES - 8);
  sink.Initiator(ScsiCommand(1, TestUnitReady()));
  sink.Target(ScsiResponse(1, 2).Data(Join({{0, 18}, Bytes(18, 0x70), Bytes(60, 0xee)})));
  ASSERT_EQ(sink.sensed.size(), 1u);
  EXPECT_EQ(sink.sensed[0].command.sense_bytes, 18);
  EXPECT_EQ(std::ranges::count(sink.sensed[0].sense, 0), LUNSCOPE_SENSE_BYTES - 18);
}

// An AHS is in the record of its header whole, or not at all. The header of a SCSI Command with an
// AHS has a record even if headers are not shown.
TEST(Fill, HasTheAhsOfACommand) {
  for (const uint8_t shows_headers : {0, 1}) {
    for (const size_t bytes : {0, 8, LUNSCOPE_AHS_BYTES, LUNSCOPE_AHS_BYTES + 4, 1020}) {
      Sink sink;
      LogIn(&sink);
      sink.stream(LUNSCOPE_RECEIVED).shows_headers = shows_headers;
      sink.Initiator(ScsiCommand(1, TestUnitReady()).Ahs(Bytes(bytes, 0xee)));
      EXPECT_EQ(lunscope_inflight_count(&sink.connection().inflight), 1u);
      ASSERT_EQ(sink.headers.size(), shows_headers || bytes != 0 ? 1u : 0u) << bytes;
      if (sink.headers.empty()) continue;
      const size_t kept = bytes <= LUNSCOPE_AHS_BYTES ? bytes : 0;
      EXPECT_EQ(sink.headers[0].ahs_bytes, kept);
      EXPECT_EQ(std::ranges::count(sink.headers[0].ahs, 0xee), kept);
      EXPECT_EQ(iscsi_itt(sink.headers[0].bhs), 1u);
    }
  }
}

// Only a command's AHS says what its record does not.
TEST(Due, IsNoHeaderOfAnotherPduWithAnAhs) {
  Sink sink;
  LogIn(&sink);
  sink.Initiator(NopOut().Ahs(Bytes(8, 0xee)));
  sink.Initiator(ScsiCommand(1, TestUnitReady()));
  EXPECT_TRUE(sink.headers.empty());
  EXPECT_EQ(lunscope_inflight_count(&sink.connection().inflight), 1u);
}

}  // namespace
}  // namespace lunscope
