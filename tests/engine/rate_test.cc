// SPDX-License-Identifier: Apache-2.0
//
// How many records of management PDUs a direction may have, and when it may have more.
#include <gtest/gtest.h>
#include <lunscope/rate.h>

#include <cstdint>

namespace {

constexpr uint64_t kTick = uint64_t{1} << LUNSCOPE_RATE_SHIFT;
constexpr uint64_t kWrap = kTick << 32;
constexpr uint32_t kBurst = LUNSCOPE_RATE_BURST;

struct Request {
  uint64_t at_tick;  // after the start
  uint32_t asked;
  uint32_t allowed;
};

struct RateRow {
  const char* what;
  uint64_t start_ns;
  Request requests[4];
};

constexpr RateRow kRows[] = {
    {"a burst, and no more", 5 * kTick, {{0, 3 * kBurst, kBurst}}},
    {"one for each tick behind it", 5 * kTick, {{0, kBurst, kBurst}, {1, 9, 1}, {4, 9, 3}}},
    {"a time without gives a burst back",
     5 * kTick,
     {{0, kBurst, kBurst}, {kBurst / 2, kBurst, kBurst / 2}, {9 * kBurst, 2 * kBurst, kBurst}}},
    {"below the rate, all", 5 * kTick, {{0, 1, 1}, {1, 1, 1}, {2, 1, 1}, {3, 1, 1}}},
    {"at time 0", 0, {{0, 2 * kBurst, kBurst}}},
    // Tick 0 means something else, and is left out.
    {"ticks begin again", kWrap - 2 * kTick, {{0, 2 * kBurst, kBurst - 1}, {3, 9, 3}, {5, 9, 2}}},
    {"and do so later", kWrap - 2 * kBurst* kTick, {{0, 2 * kBurst, kBurst}, {3, 9, 3}}},
    {"half the ticks later", 5 * kTick, {{0, kBurst, kBurst}, {1u << 31, 2 * kBurst, kBurst}}},
    {"nearly all of them later",
     5 * kTick,
     {{0, kBurst, kBurst}, {(uint64_t{1} << 32) - 2 * kBurst, 2 * kBurst, kBurst}}},
};

TEST(Rate, AllowsABurstAndThenOneForEachTick) {
  for (const RateRow& row : kRows) {
    lunscope_stream stream{};
    for (const Request& request : row.requests) {
      uint32_t allowed = 0;
      for (uint32_t i = 0; i < request.asked; i++)
        allowed += lunscope_rate_allows(&stream, row.start_ns + request.at_tick * kTick) != 0;
      EXPECT_EQ(allowed, request.allowed) << row.what << ", tick " << request.at_tick;
    }
  }
}

// Times of packets that change places go back by a little. That gives no new burst.
TEST(Rate, TakesATimeThatGoesBack) {
  lunscope_stream stream{};
  const uint64_t now_ns = 9 * kBurst * kTick;
  for (uint32_t i = 0; i < kBurst; i++) EXPECT_TRUE(lunscope_rate_allows(&stream, now_ns));
  EXPECT_FALSE(lunscope_rate_allows(&stream, now_ns - kTick));
  EXPECT_FALSE(lunscope_rate_allows(&stream, now_ns - kBurst * kTick));
  EXPECT_FALSE(lunscope_rate_allows(&stream, now_ns));
}

}  // namespace
