// SPDX-License-Identifier: Apache-2.0
//
// Moments as a person writes them, in a time zone that is not UTC.
#include "collector/base/moment.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace lunscope {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'700'000'000 * kSecond;  // 2023-11-14T22:13:20Z, in Berlin 23:13:20

struct MomentRow {
  const char* text;
  int64_t epoch_ns;
};

const MomentRow kMomentRows[] = {
    {"+0", kStart},
    {"+90s", kStart + 90 * kSecond},
    {"+1.5m", kStart + 90 * kSecond},
    {"2023-11-14T22:13:20Z", kStart},
    {"2023-11-14T22:13:20.25Z", kStart + kSecond / 4},
    {"2023-11-14T23:13:20", kStart},
    {"2023-11-14 23:13:20.000000001", kStart + 1},
    {"23:13:20", kStart},
    {"23:13:20.5", kStart + kSecond / 2},
    {"23:13", kStart - 20 * kSecond},
    {"00:00", kStart - (23 * 3600 + 13 * 60 + 20) * kSecond},
    {"1969-12-31T23:59:59Z", -kSecond},
};

TEST(Moment, IsADateATimeOrSinceTheStart) {
  setenv("TZ", "Europe/Berlin", 1);
  tzset();
  for (const MomentRow& row : kMomentRows) {
    const std::optional<Moment> moment = ParseMoment(row.text);
    ASSERT_TRUE(moment) << row.text;
    EXPECT_EQ(moment->Resolve(kStart), row.epoch_ns) << row.text;
  }
  setenv("TZ", "UTC", 1);
  tzset();
}

TEST(Moment, IsNoOtherText) {
  for (const char* text :
       {"", "+", "+x", "-5s", "12", "25:00", "12:00:00x", "12:00:00.", "12:00:00.1234567890",
        "2023-11-14", "2023-13-14T00:00:00Z", "2023-11-14T22:13:20+01:00", "noon"})
    EXPECT_FALSE(ParseMoment(text)) << text;
}

}  // namespace
}  // namespace lunscope
