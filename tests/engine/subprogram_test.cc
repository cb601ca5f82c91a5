// SPDX-License-Identifier: Apache-2.0
// The BPF verifier checks some functions alone, and assumes nothing about their arguments. A NULL
// pointer or an index that is too large does no harm and changes nothing.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "tests/engine/follower.h"

namespace lunscope {
namespace {

class Subprogram : public testing::Test {
 protected:
  const std::unique_ptr<lunscope_connection> connection_ = std::make_unique<lunscope_connection>();
  lunscope_totals totals_ = {};
};

TEST_F(Subprogram, RefusesNull) {
  EXPECT_EQ(lunscope_arrivals_time(nullptr, 0), 0u);
  EXPECT_EQ(lunscope_command_probe(nullptr, 1), uint64_t{LUNSCOPE_PROBES});
  EXPECT_EQ(lunscope_stream_digest_fits(nullptr, 0), 0);
  EXPECT_EQ(lunscope_sync_begins(nullptr, 0, 0, LUNSCOPE_ROLE_UNKNOWN), 0);
  EXPECT_EQ(lunscope_sync_may_try(nullptr, 0, 0, LUNSCOPE_ROLE_UNKNOWN), 0);
  EXPECT_EQ(lunscope_stream_keep(nullptr, 48), 0);
  EXPECT_EQ(lunscope_connection_read_text(nullptr, 0), 0);
  EXPECT_EQ(lunscope_text_take(nullptr, 'a'), 0);
  const auto table = std::make_unique<lunscope_aggregates_record>();
  const lunscope_command command = {};
  EXPECT_EQ(lunscope_aggregate_place(nullptr, &command), uint32_t{LUNSCOPE_AGGREGATES});
  EXPECT_EQ(lunscope_aggregate_place(table.get(), nullptr), uint32_t{LUNSCOPE_AGGREGATES});
  lunscope_split_times split = {};
  EXPECT_EQ(lunscope_aggregate_add(nullptr, &command, &split, 1, 2), 0);
  EXPECT_EQ(lunscope_aggregate_add(table.get(), nullptr, &split, 1, 2), 0);
  EXPECT_EQ(lunscope_aggregate_add(table.get(), &command, nullptr, 1, 2), 0);
  EXPECT_EQ(lunscope_split(nullptr, &command, nullptr, 1, 0), 0);
  EXPECT_EQ(lunscope_split(&split, nullptr, nullptr, 1, 0), 0);
  for (lunscope_connection* connection :
       {static_cast<lunscope_connection*>(nullptr), connection_.get()}) {
    lunscope_totals* totals = connection == nullptr ? &totals_ : nullptr;
    EXPECT_EQ(lunscope_connection_lose(connection, 0, 0, 0, totals), 0);
    EXPECT_EQ(lunscope_connection_act(nullptr, 0), 0);
    EXPECT_EQ(lunscope_connection_note_trial(nullptr, nullptr, 0), 0);
    EXPECT_EQ(lunscope_connection_begin(connection, nullptr, 0, 0, totals), 0);
    EXPECT_EQ(lunscope_connection_chunk(nullptr, nullptr, 0), 0);
    EXPECT_EQ(lunscope_connection_settle(connection, 0, 0, totals), LUNSCOPE_TAKE_SHORT);
    EXPECT_EQ(lunscope_connection_header(connection, nullptr, 0, 0, totals),
              LUNSCOPE_HEADER_FOLLOWED);
  }
  const lunscope_totals untouched = {};
  EXPECT_EQ(std::memcmp(&totals_, &untouched, sizeof(totals_)), 0);
}

TEST_F(Subprogram, SweepsNoPlaceBehindTheTables) {
  const auto spill = std::make_unique<lunscope_spill>();
  connection_->sweep.of = LUNSCOPE_SWEEP_ALL;
  EXPECT_EQ(lunscope_swept_command(connection_.get(), nullptr, LUNSCOPE_COMMANDS), nullptr);
  for (const uint64_t place : {uint64_t{LUNSCOPE_TRACKED_COMMANDS}, ~uint64_t{0}})
    EXPECT_EQ(lunscope_swept_command(connection_.get(), spill.get(), place), nullptr);
}

// Nobody writes such a table. Only the bounds keep the verifier's worst case inside of it.
TEST_F(Subprogram, LooksForNoAggregateBehindTheTable) {
  const auto table = std::make_unique<lunscope_aggregates_record>();
  const lunscope_command command = {};
  table->count = LUNSCOPE_AGGREGATES + 1;
  table->last = LUNSCOPE_AGGREGATES;
  table->aggregates[LUNSCOPE_AGGREGATES - 1].lun = 1;
  ASSERT_EQ(lunscope_aggregate_of(table.get(), &command), &table->aggregates[0]);
  EXPECT_EQ(table->last, 0u);
}

// Without memory for a spill, the command is counted as one that found the table full.
TEST_F(Subprogram, CountsACommandForWhichThereIsNoSpill) {
  for (lunscope_command& command : connection_->inflight.commands) command.tag = 1;
  connection_->inflight.limit = LUNSCOPE_TRACKED_COMMANDS;
  lunscope_connection_begin(connection_.get(), nullptr, LUNSCOPE_RECEIVED, 1, &totals_);
  EXPECT_EQ(totals_.commands_unreported[0][LUNSCOPE_UNREPORTED_TABLE_FULL], 1u);
}

// The boundaries are lost although no byte is missing. A gap is counted.
TEST_F(Subprogram, LosesNoBytesWhereThereAreNone) {
  lunscope_connection_open(connection_.get(), 1000, 2000);
  lunscope_connection_lose(connection_.get(), LUNSCOPE_RECEIVED, 1000,
                           LUNSCOPE_REASON_MISSING_BYTES, &totals_);
  EXPECT_EQ(totals_.gaps[LUNSCOPE_REASON_MISSING_BYTES], 1u);
  EXPECT_EQ(totals_.unparsed_bytes[LUNSCOPE_REASON_MISSING_BYTES], 0u);
  EXPECT_EQ(connection_->record.followed[LUNSCOPE_RECEIVED], 0);
  EXPECT_EQ(connection_->record.followed[LUNSCOPE_SENT], 1);
}

}  // namespace
}  // namespace lunscope
