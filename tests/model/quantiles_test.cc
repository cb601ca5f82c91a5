// SPDX-License-Identifier: Apache-2.0
//
// Quantiles are within 1/16 of the value, over all 64 bits.
#include "collector/model/quantiles.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace lunscope {
namespace {

// Is the estimate below the true value, and by at most 1/16 of it?
::testing::AssertionResult IsWithinASixteenth(uint64_t estimate, uint64_t truth) {
  if (estimate <= truth && truth - estimate <= truth / 16) return ::testing::AssertionSuccess();
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
      for (double share : {0.0, 0.5, 0.99})
        EXPECT_TRUE(IsWithinASixteenth(quantiles.At(share), value));
    }
  }
}

TEST(Quantiles, BelowThirtyTwoAreExact) {
  for (uint64_t value = 0; value < 32; value++) {
    Quantiles quantiles;
    quantiles.Add(value);
    EXPECT_EQ(quantiles.At(0.5), value);
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
    const auto rank = static_cast<size_t>(share * static_cast<double>(values.size()));
    EXPECT_TRUE(IsWithinASixteenth(quantiles.At(share), values[rank])) << share;
  }
  EXPECT_EQ(quantiles.At(1), values.back());
  EXPECT_EQ(quantiles.max(), values.back());
}

}  // namespace
}  // namespace lunscope
