// SPDX-License-Identifier: Apache-2.0
//
// The series alone: who shares what, and what the label budget buys.
#include "collector/model/series.h"

#include <gtest/gtest.h>

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

TEST(Series, AWalkBeginsAtZero) {
  Series series(100);
  Origin origin = OriginOf(series, "iqn.disk");
  LunStatistics& lun = series.LunOf(origin, kLun1);
  lun.CountInFlight(5);
  lun.CountInFlight(3);
  lun.read_bytes = 7;
  origin.target->second.unread_bytes = 9;
  EXPECT_EQ(lun.outstanding, 2u);
  EXPECT_EQ(lun.oldest_start_ns, 3u);
  series.BeginWalk();
  EXPECT_EQ(lun.outstanding, 0u);
  EXPECT_EQ(lun.oldest_start_ns, 0u);
  EXPECT_EQ(origin.target->second.unread_bytes, 0u);
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
