// SPDX-License-Identifier: Apache-2.0
// Commands that the kernel adds up: which commands, in which place of the table, and which of them
// no walk has handed out yet.
#include <gtest/gtest.h>
#include <lunscope/aggregate.h>

#include <iterator>
#include <memory>
#include <numeric>

namespace lunscope {
namespace {

constexpr uint64_t kNever = ~uint64_t{0};
constexpr uint64_t kStartNs = 1'000;

class Aggregate : public testing::Test {
 protected:
  static lunscope_command CommandOf(uint64_t lun, uint8_t opcode, uint32_t bytes = 0) {
    lunscope_command command{};
    command.lun = lun;
    command.cdb[0] = opcode;
    command.flags = ISCSI_COMMAND_READ;
    command.start_ns = kStartNs;
    command.data_bytes = bytes;
    return command;
  }
  int Add(const lunscope_command& command, uint64_t duration_ns = 1, uint64_t slow_ns = kNever) {
    return lunscope_aggregate_add(table_.get(), &command, &split_, kStartNs + duration_ns, slow_ns);
  }
  const lunscope_aggregate& At(size_t place) const { return table_->aggregates[place]; }

  lunscope_split_times split_ = {};  // of each command: its phases are not known
  std::unique_ptr<lunscope_aggregates_record> table_ =
      std::make_unique<lunscope_aggregates_record>();
};

TEST_F(Aggregate, AddsUpByLunOpcodeAndDirection) {
  lunscope_command written = CommandOf(1, SCSI_READ_10);
  written.flags = ISCSI_COMMAND_WRITE;
  for (const lunscope_command& command :
       {CommandOf(1, SCSI_READ_10, 512), CommandOf(2, SCSI_READ_10, 1),
        CommandOf(1, SCSI_READ_10, 513), CommandOf(1, SCSI_READ_16), written,
        CommandOf(2, SCSI_READ_10, 2)})
    EXPECT_TRUE(Add(command, 16'001));
  ASSERT_EQ(table_->count, 4u);
  EXPECT_EQ(At(0).commands, 2u);
  EXPECT_EQ(At(0).transferred_bytes, 1025u);
  EXPECT_EQ(At(0).duration_ns, 2u * 16'001);
  EXPECT_EQ(At(0).durations[1], 2u);
  EXPECT_EQ(At(0).sizes[0], 1u);
  EXPECT_EQ(At(0).sizes[1], 1u);
  EXPECT_EQ(At(1).lun, 2u);
  EXPECT_EQ(At(1).commands, 2u);
  EXPECT_EQ(At(2).opcode, SCSI_READ_16);
  EXPECT_EQ(At(3).flags, 0);
  EXPECT_EQ(lunscope_aggregates_bytes(table_.get()),
            offsetof(lunscope_aggregates_record, aggregates) + 4 * sizeof(lunscope_aggregate));
}

// WRITE SAME with UNMAP is another kind of work than without.
TEST_F(Aggregate, TellsApartWhatByte1Decides) {
  lunscope_command discard = CommandOf(1, SCSI_WRITE_SAME_16);
  discard.cdb[1] = 0x08;
  lunscope_command anchored = discard;
  anchored.cdb[1] = 0x18;
  for (const lunscope_command& command : {CommandOf(1, SCSI_WRITE_SAME_16), discard, anchored})
    EXPECT_TRUE(Add(command));
  ASSERT_EQ(table_->count, 2u);
  EXPECT_EQ(At(0).byte1, 0);
  EXPECT_EQ(At(1).byte1, 0x08);
  EXPECT_EQ(At(1).commands, 2u);
}

// A row of the table would not say all of these.
TEST_F(Aggregate, LeavesARecordToWhatItCannotSay) {
  lunscope_command both_ways = CommandOf(1, SCSI_READ_10);
  both_ways.flags = ISCSI_COMMAND_READ | ISCSI_COMMAND_WRITE;
  EXPECT_FALSE(Add(both_ways));
  EXPECT_FALSE(Add(CommandOf(1, SCSI_VARIABLE_LENGTH)));
  EXPECT_EQ(table_->count, 0u);
}

// A value above all bounds is counted in the bucket behind the last bound.
TEST_F(Aggregate, CountsWhatIsAboveAllBounds) {
  EXPECT_TRUE(Add(CommandOf(1, SCSI_READ_10, ~uint32_t{0}), uint64_t{1} << 50));
  EXPECT_EQ(At(0).durations[LUNSCOPE_LATENCY_BOUNDS], 1u);
  EXPECT_EQ(At(0).sizes[LUNSCOPE_SIZE_BOUNDS], 1u);
}

// A phase that is not known counts nowhere. The rest has what no unit of 64 ns holds.
TEST_F(Aggregate, AddsUpPhasesThatAreKnown) {
  const lunscope_command command = CommandOf(1, SCSI_READ_10);
  EXPECT_TRUE(Add(command, 700'001));
  split_.known = 1u << 1 | 1u << LUNSCOPE_PHASE_REST;
  split_.units[1] = 500'032 >> LUNSCOPE_PHASE_SHIFT;
  split_.units[2] = 77;
  split_.units[LUNSCOPE_PHASE_REST] = (700'001 - 500'032) >> LUNSCOPE_PHASE_SHIFT;
  EXPECT_TRUE(Add(command, 700'001));
  EXPECT_TRUE(Add(command, 700'001));
  const auto count = [&](uint32_t slot) {
    return std::accumulate(std::begin(At(0).phases[slot]), std::end(At(0).phases[slot]), 0u);
  };
  EXPECT_EQ(At(0).commands, 3u);
  EXPECT_EQ(count(0), 0u);
  EXPECT_EQ(count(2), 0u);
  EXPECT_EQ(At(0).phases[1][5], 2u);  // up to 512 us
  EXPECT_EQ(At(0).phases[LUNSCOPE_PHASE_REST][4], 2u);
  EXPECT_EQ(At(0).phase_ns[1], 2u * 500'032);
  EXPECT_EQ(At(0).phase_ns[1] + At(0).phase_ns[LUNSCOPE_PHASE_REST], 2u * 700'001);
}

// A row that nobody reads must not overflow unseen: its commands have records again.
TEST_F(Aggregate, LeavesToRecordsWhatNobodyReads) {
  const lunscope_command command = CommandOf(1, SCSI_READ_10);
  EXPECT_TRUE(Add(command));
  table_->aggregates[0].commands += LUNSCOPE_AGGREGATE_LIMIT - 2;
  EXPECT_TRUE(Add(command));
  EXPECT_FALSE(Add(command));
  EXPECT_EQ(lunscope_aggregates_unread(table_.get()), LUNSCOPE_AGGREGATE_LIMIT);
  lunscope_aggregates_mark_read(table_.get());
  EXPECT_TRUE(Add(command));
  EXPECT_EQ(lunscope_aggregates_unread(table_.get()), 1u);
}

TEST(Bucket, IsTheFirstWhoseBoundIsNotBelowTheValue) {
  struct {
    uint64_t value;
    uint32_t bucket;
  } const rows[] = {{0, 0},      {16'000, 0}, {16'001, 1}, {20'000, 1},      {32'000, 1},
                    {32'001, 2}, {64'000, 2}, {64'001, 3}, {~uint64_t{0}, 3}};
  for (const auto& row : rows)
    EXPECT_EQ(lunscope_bucket_of(row.value, 16'000, 3), row.bucket) << row.value;
}

// BPF has no instruction that counts leading zeros: the way by halves says the same.
TEST(BitWidth, IsTheSameByHalves) {
  EXPECT_EQ(lunscope_bit_width(0), 0u);
  EXPECT_EQ(lunscope_bit_width_by_halves(0), 0u);
  for (uint32_t bit = 0; bit < 64; bit++) {
    const uint64_t power = uint64_t{1} << bit;
    for (const uint64_t value : {power, power | 1, power | (power - 1)}) {
      EXPECT_EQ(lunscope_bit_width(value), bit + 1) << value;
      EXPECT_EQ(lunscope_bit_width_by_halves(value), bit + 1) << value;
    }
  }
}

TEST_F(Aggregate, LeavesToRecordsWhatIsSlow) {
  const lunscope_command command = CommandOf(1, SCSI_READ_10);
  EXPECT_TRUE(Add(command, 99, 100));
  EXPECT_FALSE(Add(command, 100, 100));
  EXPECT_EQ(At(0).commands, 1u);
}

TEST_F(Aggregate, LeavesToRecordsWhatHasNoPlace) {
  for (uint8_t i = 0; i < LUNSCOPE_AGGREGATES; i++) EXPECT_TRUE(Add(CommandOf(i, SCSI_READ_10)));
  EXPECT_FALSE(Add(CommandOf(LUNSCOPE_AGGREGATES, SCSI_READ_10)));
  for (uint8_t i = 0; i < LUNSCOPE_AGGREGATES; i++) {
    EXPECT_TRUE(Add(CommandOf(i, SCSI_READ_10)));
    EXPECT_EQ(At(i).commands, 2u);
  }
}

TEST_F(Aggregate, ClocksThatDifferMakeNoHugeDuration) {
  EXPECT_TRUE(Add(CommandOf(1, SCSI_READ_10), uint64_t{0} - 5));
  EXPECT_EQ(At(0).duration_ns, 0u);
  EXPECT_EQ(At(0).durations[0], 1u);
}

TEST_F(Aggregate, KnowsWhatNoReportHasHandedOut) {
  Add(CommandOf(1, SCSI_READ_10));
  Add(CommandOf(2, SCSI_READ_10));
  EXPECT_EQ(lunscope_aggregates_unread(table_.get()), 2u);
  lunscope_aggregates_mark_read(table_.get());
  EXPECT_EQ(lunscope_aggregates_unread(table_.get()), 0u);
  Add(CommandOf(2, SCSI_READ_10));
  EXPECT_EQ(lunscope_aggregates_unread(table_.get()), 1u);
}

TEST_F(Aggregate, SuccessIsGoodStatusOfACompletedCommand) {
  uint8_t bhs[ISCSI_BHS_BYTES] = {ISCSI_SCSI_RESPONSE};
  EXPECT_TRUE(lunscope_is_success(bhs));
  bhs[2] = 1;  // response: target failure
  EXPECT_FALSE(lunscope_is_success(bhs));
  bhs[0] = ISCSI_DATA_IN;  // whose byte 2 is reserved
  EXPECT_TRUE(lunscope_is_success(bhs));
  bhs[3] = 2;  // CHECK CONDITION
  EXPECT_FALSE(lunscope_is_success(bhs));
}

}  // namespace
}  // namespace lunscope
