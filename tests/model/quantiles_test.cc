// SPDX-License-Identifier: Apache-2.0
//
// Quantiles are within 1 % of the value, over all 64 bits, and above it as often as below.
#include "collector/model/quantiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace lunscope {
namespace {

::testing::AssertionResult IsWithinOnePercent(uint64_t estimate, uint64_t truth) {
  const uint64_t error = std::max(estimate, truth) - std::min(estimate, truth);
  if (error <= truth / 100) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "estimate " << estimate << ", true value " << truth;
}

TEST(Quantiles, OfNothingAreZero) {
  const Quantiles none;
  EXPECT_EQ(none.count(), 0u);
  EXPECT_EQ(none.max(), 0u);
  for (double share : {0.0, 0.5, 0.99, 1.0}) EXPECT_EQ(none.At(share), 0u);
}

TEST(Quantiles, OfOneValueAreThatValue) {
  for (unsigned bit = 0; bit < 64; bit++) {
    const uint64_t power = uint64_t{1} << bit;
    for (uint64_t value : {power - 1, power, power + 1, power + power / 3, power + (power - 1)}) {
      Quantiles quantiles;
      quantiles.Add(value);
      EXPECT_EQ(quantiles.max(), value);
      for (double share : {0.0, 0.5, 0.99}) EXPECT_EQ(quantiles.At(share), value);
    }
  }
}

TEST(Quantiles, BelowAHundredAndTwentyEightAreExact) {
  for (uint64_t value = 0; value < 128; value++) {
    Quantiles quantiles;
    quantiles.Add(value);
    EXPECT_EQ(quantiles.At(0.5), value);
  }
}

TEST(Quantiles, HaveNoBias) {
  std::mt19937_64 random(3260);
  std::uniform_real_distribution<double> exponent(10, 30);
  double sum = 0;
  constexpr int kTimes = 2000;
  for (int i = 0; i < kTimes; i++) {
    const auto value = static_cast<uint64_t>(std::exp2(exponent(random)));
    Quantiles quantiles;
    // So that the least and the largest value do not bound the estimate.
    for (const uint64_t each : {uint64_t{0}, value, UINT64_MAX}) quantiles.Add(each);
    sum += (static_cast<double>(quantiles.At(0.5)) - static_cast<double>(value)) /
           static_cast<double>(value);
  }
  EXPECT_NEAR(sum / kTimes, 0, 0.0005);
}

TEST(Quantiles, KnowSumAndMean) {
  Quantiles quantiles;
  EXPECT_EQ(quantiles.mean(), 0u);
  for (const uint64_t value : {1, 2, 6}) quantiles.Add(value);
  EXPECT_EQ(quantiles.sum(), 9u);
  EXPECT_EQ(quantiles.mean(), 3u);
}

struct RankRow {
  uint64_t values;  // 1, 2, 3, ...
  double share;
  uint64_t at;
};

TEST(Quantiles, AreTheNearestRank) {
  constexpr RankRow kRanks[] = {
      {0, 0.5, 0},   {1, 0.5, 1},   {1, 0.99, 1},   {2, 0.5, 1},    {2, 0.51, 2},
      {2, 0.95, 2},  {3, 0.5, 2},   {4, 0.25, 1},   {20, 0.95, 19}, {50, 0.5, 25},
      {50, 0.02, 1}, {50, 0.14, 7}, {50, 0.99, 50}, {60, 0.0, 1},   {60, 1.0, 60},
  };
  for (const RankRow& row : kRanks) {
    Quantiles quantiles;
    for (uint64_t value = 1; value <= row.values; value++) quantiles.Add(value);
    EXPECT_EQ(quantiles.At(row.share), row.at) << row.share << " of " << row.values;
  }
}

TEST(Quantiles, OfManyAreThoseOfTheSortedValues) {
  std::mt19937_64 random(3260);
  std::lognormal_distribution<double> latency(12, 2);  // around 160 us, with a long tail
  Quantiles quantiles;
  std::vector<uint64_t> values;
  for (int i = 0; i < 10'000; i++) {
    values.push_back(static_cast<uint64_t>(latency(random)));
    quantiles.Add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (double share : {0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999}) {
    const auto rank = static_cast<size_t>(std::max(1.0, std::round(share * 10'000)));
    EXPECT_TRUE(IsWithinOnePercent(quantiles.At(share), values[rank - 1])) << share;
  }
  EXPECT_EQ(quantiles.At(1), values.back());
  EXPECT_EQ(quantiles.max(), values.back());
}

}  // namespace
}  // namespace lunscope
