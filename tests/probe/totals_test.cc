// SPDX-License-Identifier: Apache-2.0
//
// The sum of counts that are read while they change. Here commands begin in the copy of one program
// and end in the copy of another, like those of an initiator or of a target.
#include "collector/probe/totals.h"

#include <gtest/gtest.h>

#include <vector>

namespace lunscope {
namespace {

constexpr auto kRole = LUNSCOPE_ROLE_INITIATOR;

lunscope_totals Begun(uint64_t commands) {
  lunscope_totals totals{};
  totals.commands_seen[kRole] = commands;
  totals.commands_in_flight[kRole] = commands;
  return totals;
}

lunscope_totals Ended(uint64_t reported, uint64_t aborted) {
  lunscope_totals totals{};
  totals.commands_reported[kRole] = reported;
  totals.commands_unreported[kRole][LUNSCOPE_UNREPORTED_ABORTED] = aborted;
  totals.commands_in_flight[kRole] -= reported + aborted;
  return totals;
}

using Copies = std::vector<lunscope_totals>;

// The sum if each call of read() returns the next of these readings. All of them must be used.
lunscope_totals SumOfThese(const std::vector<Copies>& readings) {
  size_t asked = 0;
  const lunscope_totals sum = SumOfReadings([&] { return readings.at(asked++); });
  EXPECT_EQ(asked, readings.size());
  EXPECT_TRUE(lunscope_totals_balance(&sum));
  return sum;
}

TEST(SumOfReadings, OneReadingIsEnoughWhereNoEndIsAhead) {
  const lunscope_totals sum = SumOfThese({{Begun(20), Ended(15, 4)}});
  EXPECT_EQ(sum.commands_seen[kRole], 20u);
  EXPECT_EQ(sum.commands_in_flight[kRole], 1u);
}

// The first copy was read when 3 had begun, the second a while later, when 7 had ended.
TEST(SumOfReadings, NoCommandEndsThatHasNotBegun) {
  const lunscope_totals sum = SumOfThese({{Begun(3), Ended(6, 1)}, {Begun(20), Ended(15, 4)}});
  EXPECT_EQ(sum.commands_seen[kRole], 20u);
  EXPECT_EQ(sum.commands_reported[kRole], 6u);
  EXPECT_EQ(sum.commands_unreported[kRole][LUNSCOPE_UNREPORTED_ABORTED], 1u);
  EXPECT_EQ(sum.commands_in_flight[kRole], 13u);
}

// The commands of the other role end in the copy where these begin. They are not read again.
TEST(SumOfReadings, RolesAreApart) {
  Copies first = {Begun(3), Ended(7, 0)};
  first[0].commands_in_flight[LUNSCOPE_ROLE_TARGET] -= 1;
  first[0].commands_reported[LUNSCOPE_ROLE_TARGET] = 1;
  first[1].commands_seen[LUNSCOPE_ROLE_TARGET] = 2;
  first[1].commands_in_flight[LUNSCOPE_ROLE_TARGET] = 2;
  Copies second = {Begun(9), Ended(8, 0)};
  const lunscope_totals sum = SumOfThese({first, second});
  EXPECT_EQ(sum.commands_in_flight[kRole], 2u);
  EXPECT_EQ(sum.commands_reported[LUNSCOPE_ROLE_TARGET], 1u);
  EXPECT_EQ(sum.commands_in_flight[LUNSCOPE_ROLE_TARGET], 1u);
}

}  // namespace
}  // namespace lunscope
