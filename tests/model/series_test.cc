// SPDX-License-Identifier: Apache-2.0
//
// The series alone: who shares what, and what the label budget buys.
#include "collector/model/series.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace lunscope {
namespace {

constexpr uint8_t kRole = LUNSCOPE_ROLE_INITIATOR;
constexpr uint64_t kLun1 = uint64_t{1} << 48;
constexpr uint64_t kFlatLun1 = uint64_t{0x4001} << 48;  // flat space addressing (SAM-5 4.7.7.3)
constexpr uint64_t kLun2 = uint64_t{2} << 48;

Origin OriginOf(Series& series, const std::string& target) {
  Origin origin;
  series.Assign(origin, {kRole, target});
  return origin;
}

TEST(Series, OriginsOfOneTargetShareItsLuns) {
  Series series(100);
  Origin a = OriginOf(series, "iqn.disk");
  Origin b = OriginOf(series, "iqn.disk");
  Origin other = OriginOf(series, "iqn.other");
  EXPECT_EQ(&series.LunOf(a, kLun1), &series.LunOf(b, kLun1));
  EXPECT_EQ(&series.LunOf(a, kLun1), &series.LunOf(b, kFlatLun1));
  EXPECT_NE(&series.LunOf(a, kLun1), &series.LunOf(a, kLun2));
  EXPECT_NE(&series.LunOf(a, kLun1), &series.LunOf(other, kLun1));
}

TEST(Series, AnOriginThatIsAssignedAgainLeavesItsLun) {
  Series series(100);
  Origin origin = OriginOf(series, "iqn.one");
  const LunStatistics* before = &series.LunOf(origin, kLun1);
  series.Assign(origin, {kRole, "iqn.two"});
  EXPECT_NE(&series.LunOf(origin, kLun1), before);
  series.Assign(origin, {kRole, "iqn.one"});
  EXPECT_EQ(&series.LunOf(origin, kLun1), before);
}

struct OwnTargetRow {
  const char* name;
  bool has_own_target;
};

constexpr OwnTargetRow kOwnTargets[] = {
    {"iqn.disk", true}, {kDiscoveryName, true}, {kUnknownName, false}, {kOverflowName, false}};

TEST(Series, AStandInIsNobodysOwnTarget) {
  Series series(100);
  for (const OwnTargetRow& row : kOwnTargets)
    EXPECT_EQ(OriginOf(series, row.name).has_own_target, row.has_own_target) << row.name;
}

struct BudgetRow {
  size_t max_label_sets;
  bool target_is_own;
  bool lun_is_own;
  bool operation_is_own;
  uint64_t dropped;
};

// A target, a LUN of it and an operation of that, in this order, each asked for twice.
constexpr BudgetRow kBudgets[] = {
    {0, false, false, false, 3},
    {1, true, false, false, 2},
    {2, true, true, false, 2},
    {3, true, true, true, 0},
};

TEST(Series, TheBudgetGoesToThoseThatComeFirst) {
  for (const BudgetRow& row : kBudgets) {
    Series series(row.max_label_sets);
    Origin origin = OriginOf(series, "iqn.disk");
    EXPECT_EQ(origin.target->first.name == "iqn.disk", row.target_is_own) << row.max_label_sets;
    EXPECT_EQ(!series.LunOf(origin, kLun1).identity.is_shared, row.lun_is_own)
        << row.max_label_sets;
    LunStatistics& lun = series.LunOf(origin, kLun1);
    OperationStatistics& operation = series.OperationOf(origin, lun, SCSI_OPERATION_READ);
    operation.wire_ns = 1;
    const bool is_own = !lun.identity.is_shared && lun.operations[SCSI_OPERATION_READ] != nullptr;
    EXPECT_EQ(is_own, row.operation_is_own) << row.max_label_sets;
    EXPECT_EQ(&series.OperationOf(origin, lun, SCSI_OPERATION_READ), &operation);
    EXPECT_EQ(series.dropped(), row.dropped) << row.max_label_sets;
  }
}

// Targets that have come and gone again, in turn: "p" is proven.
struct IdleRow {
  std::vector<const char*> come_and_go;
  std::vector<const char*> stay;  // behind them
  std::vector<const char*> left;  // of those that came and went, with room for three
};

const IdleRow kIdle[] = {
    {{"a", "b"}, {}, {"a", "b"}},
    {{"a", "b", "c"}, {"x"}, {"b", "c"}},
    {{"a", "b", "a", "c"}, {"x"}, {"a", "c"}},  // b is idle for longest
    {{"pa", "b", "c"}, {"x"}, {"c", "pa"}},     // nobody has proven b
    {{"pa", "pb", "pc"}, {"x"}, {"pb", "pc"}},
    {{"pa", "b", "c"}, {"x", "y"}, {"pa"}},
    {{"pa", "b", "c"}, {"x", "y", "z"}, {}},
    {{"pa", "b", "c"}, {"x", "y", "z", "overflows"}, {}},
};

TEST(Series, IdleTargetsMakeRoom) {
  for (const IdleRow& row : kIdle) {
    Series series(3);
    for (const char* name : row.come_and_go) {
      const Origin origin = OriginOf(series, name);
      if (*name == 'p') Series::Prove(origin);
      origin.target->second.logouts[0]++;
      series.Release(origin);
    }
    std::vector<Origin> stay;
    for (const char* name : row.stay) {
      stay.push_back(OriginOf(series, name));
      const bool has_room = stay.size() <= 3;
      EXPECT_EQ(stay.back().target->first.name, has_room ? name : kOverflowName);
    }
    uint64_t logouts = 0;
    std::vector<std::string> left;
    for (const auto& [key, target] : series.targets()) {
      for (const auto& [reason, count] : target.logouts) logouts += count;
      if (target.use.origins == 0 && key.name != kOverflowName) left.push_back(key.name);
    }
    EXPECT_EQ(logouts, row.come_and_go.size()) << "the overflow target has the rest";
    EXPECT_EQ(left, std::vector<std::string>(row.left.begin(), row.left.end()));
  }
}

TEST(Series, ATargetThatGoesTakesItsLunsAlong) {
  Series series(4);
  Origin gone = OriginOf(series, "iqn.gone");
  LunStatistics& lun = series.LunOf(gone, kLun1);
  series.OperationOf(gone, lun, SCSI_OPERATION_READ).duration_ns.Add(1);
  lun.read_bytes = 7;
  lun.errors[{2, std::nullopt}] = 3;
  series.Release(gone);
  std::vector<Origin> stay;
  for (const char* name : {"iqn.a", "iqn.b", "iqn.c", "iqn.d"})
    stay.push_back(OriginOf(series, name));
  EXPECT_EQ(stay.back().target->first.name, "iqn.d");
  const LunStatistics& overflow = series.targets().at({kRole, kOverflowName}).luns.at(kOverflowLun);
  EXPECT_EQ(overflow.read_bytes, 7u);
  EXPECT_EQ(overflow.errors.at({2, std::nullopt}), 3u);
  EXPECT_EQ(overflow.operations[SCSI_OPERATION_READ]->duration_ns.count(), 1u);
  EXPECT_TRUE(overflow.identity.is_shared);
  Origin again = OriginOf(series, "iqn.gone");
  EXPECT_EQ(again.target->first.name, kOverflowName);
  EXPECT_EQ(&series.LunOf(again, kLun1), &overflow) << "its place of the last time is not found";
}

TEST(Series, NoTargetGoesWhileItIsHeld) {
  Series series(2);
  series.Release(OriginOf(series, "iqn.a"));
  series.Release(OriginOf(series, "iqn.b"));
  series.Hold();
  const Origin late = OriginOf(series, "iqn.late");
  EXPECT_EQ(late.target->first.name, "iqn.late");
  EXPECT_EQ(series.targets().size(), 3u);
  series.EndHold();
  EXPECT_EQ(series.targets().size(), 3u) << "one of them the overflow target";
  EXPECT_FALSE(series.targets().contains({kRole, "iqn.a"}));
  EXPECT_EQ(late.target, &*series.targets().find({kRole, "iqn.late"}));
}

TEST(Series, WhatNobodyHasProvenGoesAfterAWhile) {
  constexpr uint64_t kMinuteNs = 60'000'000'000;
  Series series(100);
  series.BeginWalk(kMinuteNs);
  const Origin proven = OriginOf(series, "iqn.proven");
  Series::Prove(proven);
  series.Release(proven);
  series.Release(OriginOf(series, "iqn.random"));
  series.Release(OriginOf(series, kUnknownName));
  const Origin open = OriginOf(series, "iqn.open");
  series.BeginWalk(10 * kMinuteNs);
  EXPECT_EQ(series.targets().size(), 4u);
  series.BeginWalk(11 * kMinuteNs);
  EXPECT_FALSE(series.targets().contains({kRole, "iqn.random"}));
  EXPECT_TRUE(series.targets().contains({kRole, "iqn.proven"}));
  EXPECT_EQ(open.target, &*series.targets().find({kRole, "iqn.open"}));
  EXPECT_TRUE(series.targets().contains({kRole, kUnknownName}));
}

TEST(Series, AWalkBeginsAtZero) {
  Series series(100);
  Origin origin = OriginOf(series, "iqn.disk");
  LunStatistics& lun = series.LunOf(origin, kLun1);
  lun.CountInFlight(5);
  lun.CountInFlight(3);
  lun.read_bytes = 7;
  origin.target->second.walked.unread_bytes = 9;
  EXPECT_EQ(lun.outstanding, 2u);
  EXPECT_EQ(lun.oldest_start_ns, 3u);
  series.BeginWalk(1);
  EXPECT_EQ(lun.outstanding, 0u);
  EXPECT_EQ(lun.oldest_start_ns, 0u);
  EXPECT_EQ(origin.target->second.walked.unread_bytes, 0u);
  EXPECT_EQ(lun.read_bytes, 7u);
}

TEST(Series, ACopyOfALunSharesNothingWithIt) {
  LunStatistics lun;
  lun.operations[SCSI_OPERATION_READ].Ensure().wire_ns = 1;
  const LunStatistics copy = lun;
  lun.operations[SCSI_OPERATION_READ].Ensure().wire_ns = 2;
  EXPECT_EQ(copy.operations[SCSI_OPERATION_READ]->wire_ns, 1u);
  EXPECT_EQ(copy.operations[SCSI_OPERATION_WRITE], nullptr);
}

}  // namespace
}  // namespace lunscope
