// SPDX-License-Identifier: Apache-2.0
// Profiles of LUNs: what each command adds, and which commands have no place among the others.
#include "collector/model/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/model/profiled_host.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;

const std::vector<uint8_t> kReadCapacity = {SCSI_READ_CAPACITY_10, 0, 0, 0, 0, 0, 0, 0, 0, 0};

// ---- one command behind another ----

struct SeekRow {
  const char* what;
  Extent before;
  Extent now;
  SeekDirection direction;
  uint64_t distance;
  bool is_sequential;
};

const SeekRow kSeekRows[] = {
    {"the next block", {100, 8}, {108, 8}, kSeekForward, 1, true},
    {"one block left out", {100, 8}, {109, 8}, kSeekForward, 2, false},
    {"the last block again", {100, 8}, {107, 8}, kSeekBackward, 0, false},
    {"the same blocks again", {100, 8}, {100, 8}, kSeekBackward, 7, false},
    {"the same single block again", {100, 1}, {100, 1}, kSeekBackward, 0, false},
    {"backwards", {100, 8}, {92, 8}, kSeekBackward, 15, false},
    {"from the first block far away", {0, 1}, {1ull << 40, 1}, kSeekForward, 1ull << 40, false},
    {"and back", {1ull << 40, 1}, {0, 1}, kSeekBackward, 1ull << 40, false},
};

TEST(Profile, OfASeek) {
  for (const SeekRow& row : kSeekRows) {
    ProfiledHost host;
    host.Tell({0, 10, row.before.lba, static_cast<uint32_t>(row.before.blocks)});
    host.Tell({20, 30, row.now.lba, static_cast<uint32_t>(row.now.blocks)});
    const LunProfile profile = host.ProfileAt(30);
    for (const SeekDirection direction : {kSeekForward, kSeekBackward}) {
      const SeekHistogram& seeks = ReadsOf(profile).seeks[direction];
      EXPECT_EQ(seeks.count(), direction == row.direction ? 1u : 0u) << row.what;
      EXPECT_EQ(seeks.sum(), direction == row.direction ? row.distance : 0u) << row.what;
    }
    EXPECT_EQ(ReadsOf(profile).sequential, row.is_sequential ? 1u : 0u) << row.what;
  }
}

struct AlignmentRow {
  uint64_t lba;
  uint64_t blocks;
  uint32_t block_bytes;
  Alignment alignment;
};

const AlignmentRow kAlignmentRows[] = {
    {0, 8, 512, kAligned},          {8, 8, 512, kAligned},    {8, 128, 512, kAligned},
    {1, 8, 512, kUnaligned},        {8, 1, 512, kUnaligned},  {4, 4, 512, kUnaligned},
    {1, 1, 4096, kAligned},         {1, 1, 2048, kUnaligned}, {2, 2, 2048, kAligned},
    {1, 1, 16384, kAligned},        {8, 8, 520, kUnaligned},  {8, 8, 0, kAlignmentUnknown},
    {1ull << 61, 8, 512, kAligned},
};

TEST(Profile, OfAnAlignment) {
  for (const AlignmentRow& row : kAlignmentRows) {
    EXPECT_EQ(AlignmentOf({row.lba, row.blocks}, row.block_bytes), row.alignment)
        << row.lba << " " << row.blocks << " " << row.block_bytes;
  }
}

TEST(Profile, NeedsTheSizeOfABlock) {
  ProfiledHost host;
  host.Tell({0, 10, 0, 8}).Tell({20, 30, 1, 8});
  host.On(1).Reads(kReadCapacity, {0, 0x0f, 0xff, 0xff, 0, 0, 2, 0}, Lun(1));
  host.Tell({40, 50, 0, 8}).Tell({60, 70, 1, 8}).Tell({80, 90, 8, 9});
  EXPECT_THAT(ReadsOf(host.ProfileAt(90)).alignments, ElementsAre(1, 2, 2));
}

TEST(Profile, CountsFua) {
  ProfiledHost host;
  for (const bool is_fua : {true, false, true}) {
    Command write = Write16(0, 8).OnLun(Lun(1));
    if (is_fua) write.record.command.cdb[1] |= 0x08;
    host.On(1).Completes(write);
  }
  const LunProfile profile = host.ProfileAt(0);
  EXPECT_EQ(profile.operations[SCSI_OPERATION_WRITE]->fua, 2u);
  EXPECT_EQ(profile.operations[SCSI_OPERATION_READ], nullptr);
}

// A flush names blocks, and moves nothing. Blocks without a transfer are no place, either.
TEST(Profile, KnowsThePlaceOfTransfersOnly) {
  ProfiledHost host;
  host.Tell({0, 10, 100, 8});
  host.now_ns = kProfileFromNs + 30;
  host.On(1).Completes(Command({SCSI_SYNCHRONIZE_CACHE_10}).OnLun(Lun(1)).Taking(10));
  host.Tell({40, 50, 500, 0}).Tell({60, 70, 108, 8});
  const LunProfile profile = host.ProfileAt(70);
  EXPECT_EQ(ReadsOf(profile).sequential, 1u);
  EXPECT_EQ(ReadsOf(profile).seeks[kSeekForward].sum(), 1u);
  EXPECT_EQ(ReadsOf(profile).interarrival_ns.sum(), 40u);
  EXPECT_EQ(profile.operations[SCSI_OPERATION_FLUSH]->interarrival_ns.sum(), 20u);
  EXPECT_THAT(profile.operations[SCSI_OPERATION_FLUSH]->alignments, ElementsAre(0, 0, 0));
}

TEST(Profile, RemembersSixteenExtents) {
  for (const uint64_t between : {14, 15, 16}) {
    ProfiledHost host;
    host.Tell({0, 1, 100, 8});
    for (uint64_t i = 1; i <= between; i++) host.Tell({i * 10, i * 10 + 1, 10'000 * i, 8});
    host.Tell({900, 901, 108, 8});
    EXPECT_EQ(ReadsOf(host.ProfileAt(901)).sequential, between < 16 ? 1u : 0u) << between;
  }
}

// A reset of the LUN ends commands without a status: they were in its queue. A command beyond the
// window was not.
struct EndRow {
  lunscope_unreported reason;
  bool was_there;
};
const EndRow kEndRows[] = {
    {LUNSCOPE_UNREPORTED_ABORTED, true},
    {LUNSCOPE_UNREPORTED_CONNECTION_CLOSED, true},
    {LUNSCOPE_UNREPORTED_BEYOND_WINDOW, false},
};

TEST(Profile, OfCommandsWithoutAStatus) {
  for (const EndRow& row : kEndRows) {
    ProfiledHost host;
    host.Tell({0, 10 * kOneUs, 100, 8});
    host.now_ns = kProfileFromNs + 30 * kOneUs;
    host.On(1).Completes(CommandOf({20 * kOneUs, 30 * kOneUs, 108, 8}).Unanswered(row.reason));
    const LunProfile profile = host.ProfileAt(40 * kOneUs);
    EXPECT_EQ(ReadsOf(profile).sequential, row.was_there ? 1u : 0u) << row.reason;
    EXPECT_EQ(profile.depth.sum(), row.was_there ? 20u : 10u) << row.reason;
  }
}

// ---- LUNs that stand for several, and those that go ----

TEST(Profile, OfATargetWithoutANameHasNoOrder) {
  ProfiledHost host;
  host.Meets(2).Reads(kReadCapacity, {0, 0x0f, 0xff, 0xff, 0, 0, 2, 0}, Lun(1));
  host.Tell({0, 10, 100, 8, true, 1, 2}).Tell({20, 30, 108, 8, true, 2, 2});
  const LunProfile profile = host.ProfileAt(30, kUnknownName);
  EXPECT_THAT(profile.unordered, ElementsAre(0, 2, 0));
  EXPECT_THAT(ReadsOf(profile).alignments, ElementsAre(0, 0, 2));
  EXPECT_EQ(ReadsOf(profile).interarrival_ns.count(), 0u);
  EXPECT_EQ(profile.depth.sum(), 0u);
}

// A target that gives its room to another one takes along what waits.
TEST(Profile, GoesToTheOverflowTargetWithItsLun) {
  ProfiledHost host({.max_label_sets = 4, .profiles = true});  // an unknown target, and these three
  host.Tell({0, 10 * kOneUs, 100, 8}).Tell({20 * kOneUs, 30 * kOneUs, 108, 8});
  host.On(1).Closes();
  host.Opens(2).LogsIn({.target = "iqn.other", .isid = 2});
  host.Tell({40 * kOneUs, 50 * kOneUs, 0, 8, true, 1, 2});
  const LunProfile gone = host.ProfileAt(60 * kOneUs, kOverflowName, kOverflowLun);
  EXPECT_EQ(ReadsOf(gone).sequential, 1u);
  EXPECT_EQ(ReadsOf(gone).interarrival_ns.sum(), 20 * kOneUs);
  EXPECT_EQ(gone.depth.sum(), 20u);
}

TEST(Profile, IsAbsentUnlessAskedFor) {
  ProfiledHost host(ModelOptions{});
  host.Tell({0, 10, 100, 8});
  host.Walks();
  const Snapshot snapshot = host.See();
  EXPECT_FALSE(snapshot.has_profiles);
  EXPECT_EQ(snapshot.targets.at({kInitiator, kDisk}).luns.at(Lun(1)).profile, nullptr);
}

// A walk that did not come to every connection says nothing of what is in flight.
TEST(Profile, WaitsForAWholeWalk) {
  Model model({.profiles = true});
  Host host;
  host.HandOn([&](const lunscope_record& record) { model.Apply(record); });
  host.Opens(1).LogsIn().Completes(Read16(0, 8).OnLun(Lun(1)));
  for (const bool is_whole : {false, true}) {
    model.BeginWalk(host.now_ns + 1000);
    host.Apply(host.On(1).Record());
    model.EndWalk(is_whole);
    const Snapshot snapshot = model.TakeSnapshot();
    const auto& profile = *snapshot.targets.at({kInitiator, kDisk}).luns.at(Lun(1)).profile;
    EXPECT_EQ(profile.depth.counts()[0], is_whole ? 1u : 0u);
  }
}

}  // namespace
}  // namespace lunscope
