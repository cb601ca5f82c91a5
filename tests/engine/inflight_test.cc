// SPDX-License-Identifier: Apache-2.0
// The tables of commands in flight: their limits, their places, and what a walk lists of them.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collector/base/record.h"
#include "tests/engine/command_fixture.h"

namespace lunscope {
namespace {

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
  EXPECT_EQ(lunscope_read_bytes(session_.Find(spilled)), 4096u);
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

TEST(InflightList, TakesNoMoreThanItHasRoomFor) {
  const auto list = std::make_unique<lunscope_inflight_record>();
  list->count = LUNSCOPE_TRACKED_COMMANDS;
  lunscope_command command = {};
  command.tag = 1;
  lunscope_inflight_list(list.get(), &command);
  EXPECT_EQ(list->count, uint32_t{LUNSCOPE_TRACKED_COMMANDS});
}

}  // namespace
}  // namespace lunscope
