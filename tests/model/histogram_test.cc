// SPDX-License-Identifier: Apache-2.0
// The bounds of a histogram's buckets, and the accuracy of its quantiles.
#include "collector/model/histogram.h"

#include <gtest/gtest.h>

#include <bit>

namespace lunscope {
namespace {

template <typename Histogram>
void ExpectBoundsAreInclusive(uint64_t first, size_t bounds, unsigned bits = 1) {
  ASSERT_EQ(Histogram::kBuckets, bounds + 1);
  for (size_t i = 0; i < bounds; i++) {
    const uint64_t bound = Histogram::Bound(i);
    EXPECT_EQ(bound, first << (bits * i));
    EXPECT_EQ(Histogram::BucketOf(bound), i) << bound;
    EXPECT_EQ(Histogram::BucketOf(bound + 1), i + 1) << bound;
    EXPECT_EQ(Histogram::BucketOf(bound - 1), i) << bound;
  }
  EXPECT_EQ(Histogram::BucketOf(0), 0u);
  EXPECT_EQ(Histogram::BucketOf(1), 0u);
  EXPECT_EQ(Histogram::BucketOf(~uint64_t{0}), bounds);
}

// The kernel's way to find the bucket, without an instruction for it.
TEST(Histogram, BitsAreCountedAlike) {
  for (uint32_t bits = 0; bits < 64; bits++) {
    for (const uint64_t value : {(uint64_t{1} << bits) - 1, uint64_t{1} << bits}) {
      const auto width = static_cast<uint32_t>(std::bit_width(value));
      EXPECT_EQ(lunscope_bit_width_by_halves(value), width) << value;
      EXPECT_EQ(lunscope_bit_width(value), width) << value;
    }
  }
}

TEST(Histogram, LatencyBoundsAreInclusive) {
  ExpectBoundsAreInclusive<LatencyHistogram>(16'000, 22);
  EXPECT_EQ(LatencyHistogram::Bound(21), 33'554'432'000u);  // 33.5 s
}

TEST(Histogram, SizeBoundsAreInclusive) {
  ExpectBoundsAreInclusive<SizeHistogram>(512, 16);
  EXPECT_EQ(SizeHistogram::Bound(15), 16u << 20);
}

TEST(Histogram, WideBoundsAreInclusive) {
  ExpectBoundsAreInclusive<DoublingHistogram<64, 9, 2>>(64, 9, 2);
  ExpectBoundsAreInclusive<DoublingHistogram<1000, 6, 3>>(1000, 6, 3);
}

TEST(Histogram, CountsSumsAndMerges) {
  SizeHistogram one;
  one.Add(512);
  one.Add(513);
  one.Add(1 << 30);
  SizeHistogram other;
  other.Add(0);
  other.Merge(one);
  EXPECT_EQ(other.count(), 4u);
  EXPECT_EQ(other.sum(), 512u + 513u + (1u << 30));
  EXPECT_EQ(other.counts()[0], 2u);
  EXPECT_EQ(other.counts()[1], 1u);
  EXPECT_EQ(other.counts()[16], 1u);
  EXPECT_EQ(one.count(), 3u);
}

TEST(Histogram, QuantileOfNothingIsZero) { EXPECT_EQ(LatencyHistogram().Quantile(0.99), 0); }

TEST(Histogram, QuantileLiesInTheBucketOfTheValue) {
  for (uint64_t value : {1ull, 16'000ull, 16'001ull, 1'000'000ull, 33'554'432'000ull}) {
    LatencyHistogram histogram;
    histogram.Add(value);
    const size_t bucket = LatencyHistogram::BucketOf(value);
    for (double share : {0.01, 0.5, 1.0}) {
      EXPECT_LE(histogram.Quantile(share), static_cast<double>(LatencyHistogram::Bound(bucket)));
      EXPECT_GE(histogram.Quantile(share),
                bucket == 0 ? 0 : static_cast<double>(LatencyHistogram::Bound(bucket - 1)));
    }
  }
}

// As in Prometheus, a quantile above the last bound is that bound.
TEST(Histogram, QuantileStopsAtTheLastBound) {
  LatencyHistogram histogram;
  histogram.Add(~uint64_t{0});
  EXPECT_EQ(histogram.Quantile(0.5), static_cast<double>(LatencyHistogram::Bound(21)));
}

TEST(Histogram, QuantileIsSpreadEvenlyInItsBucket) {
  SizeHistogram histogram;
  for (int i = 0; i < 4; i++) histogram.Add(600);  // 512 to 1024
  EXPECT_DOUBLE_EQ(histogram.Quantile(0.25), 640);
  EXPECT_DOUBLE_EQ(histogram.Quantile(0.5), 768);
  EXPECT_DOUBLE_EQ(histogram.Quantile(1), 1024);
}

}  // namespace
}  // namespace lunscope
