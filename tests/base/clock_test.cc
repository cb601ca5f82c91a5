// SPDX-License-Identifier: Apache-2.0
//
// Times as text: one row each. The clocks themselves are tested only for going on.
#include "collector/base/clock.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace lunscope {
namespace {

struct Row {
  int64_t epoch_ns;
  const char* time;
  const char* time_of_day;
};

constexpr Row kRows[] = {
    {0, "1970-01-01T00:00:00.000000Z", "00:00:00.000000"},
    {999, "1970-01-01T00:00:00.000000Z", "00:00:00.000000"},
    {1'000, "1970-01-01T00:00:00.000001Z", "00:00:00.000001"},
    {999'999'999, "1970-01-01T00:00:00.999999Z", "00:00:00.999999"},
    {1'000'000'000, "1970-01-01T00:00:01.000000Z", "00:00:01.000000"},
    {1'767'268'799'123'456'789, "2026-01-01T11:59:59.123456Z", "11:59:59.123456"},
    // Before the epoch, and at both ends of the range: capture files can have such times.
    {-1, "1969-12-31T23:59:59.999999Z", "23:59:59.999999"},
    {-1'000'000'000, "1969-12-31T23:59:59.000000Z", "23:59:59.000000"},
    {-1'000'001'000, "1969-12-31T23:59:58.999999Z", "23:59:58.999999"},
    {INT64_MIN, "1677-09-21T00:12:43.145224Z", "00:12:43.145224"},
    {INT64_MAX, "2262-04-11T23:47:16.854775Z", "23:47:16.854775"},
    // The first second that does not fit 32 bits.
    {4'294'967'296'000'000'000, "2106-02-07T06:28:16.000000Z", "06:28:16.000000"},
};

TEST(FormatDay, HasTheZone) {
  setenv("TZ", "Europe/Berlin", 1);
  tzset();
  EXPECT_EQ(FormatDay(1'700'000'000'000'000'000), "2023-11-14 +0100");
  EXPECT_EQ(FormatDay(1'700'006'400'000'000'000), "2023-11-15 +0100");
  setenv("TZ", "UTC", 1);
  tzset();
}

TEST(FormatTime, IsUtcWithMicroseconds) {
  setenv("TZ", "UTC", 1);
  for (const Row& row : kRows) {
    EXPECT_EQ(FormatTime(row.epoch_ns), row.time);
    EXPECT_EQ(FormatTimeOfDay(row.epoch_ns), row.time_of_day);
  }
}

struct DurationRow {
  uint64_t ns;
  const char* text;
};

constexpr DurationRow kDurations[] = {
    {0, "0.0us"},
    {50, "0.1us"},
    {87'100, "87.1us"},
    {999'949, "999.9us"},
    {999'999, "1.0ms"},
    {1'000'000, "1.0ms"},
    {1'200'000, "1.2ms"},
    {999'999'999, "1.0s"},
    {1'000'000'000, "1.0s"},
    {3'400'000'000, "3.4s"},
    {3'600'000'000'000, "3600.0s"},
};

TEST(FormatDuration, HasOneDecimalAndAUnit) {
  for (const DurationRow& row : kDurations) EXPECT_EQ(FormatDuration(row.ns), row.text) << row.ns;
}

TEST(Clocks, GoOnAndDifferByTheOffset) {
  const uint64_t before = MonotonicNs();
  EXPECT_GE(MonotonicNs(), before);
  // The wall clock of the host is after 2020.
  EXPECT_GT(WallClockOffsetNs() + static_cast<int64_t>(before), 1'577'836'800'000'000'000);
}

}  // namespace
}  // namespace lunscope
