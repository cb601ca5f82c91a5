// SPDX-License-Identifier: Apache-2.0
//
// Which rows have a line with the day above them.
#include "collector/lines/day_mark.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace lunscope {
namespace {

constexpr int64_t kHourNs = 3'600'000'000'000;

struct DayRow {
  int64_t hour;  // since the epoch
  const char* line;
};

// Today is 1970-01-02.
constexpr DayRow kDays[] = {
    {30, ""}, {1, "1970-01-01 +0000"},  {2, ""},
    {23, ""}, {24, "1970-01-02 +0000"},  // today, behind another day
    {25, ""}, {49, "1970-01-03 +0000"}, {-1, "1969-12-31 +0000"},
};

TEST(DayMark, StandsAboveTheFirstRowOfAnotherDay) {
  setenv("TZ", "UTC", 1);
  tzset();
  DayMark days(30 * kHourNs);
  for (const DayRow& row : kDays) EXPECT_EQ(days.Above(row.hour * kHourNs), row.line) << row.hour;
}

}  // namespace
}  // namespace lunscope
