// SPDX-License-Identifier: Apache-2.0
//
// A histogram with bucket bounds that double, so that one bit scan finds the bucket of a value.
// Wide ranges have bounds that grow by a larger power of two. A value: whoever owns it serialises
// its use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <lunscope/aggregate.h>

namespace lunscope {

// Bucket i holds values <= kFirst * 2^(kBits * i), for i = 0 .. kBounds - 1. One more holds larger
// values.
template <uint64_t kFirst, size_t kBounds, unsigned kBits = 1>
class DoublingHistogram {
 public:
  static constexpr size_t kBuckets = kBounds + 1;

  // The upper bound of bucket i. REQUIRES: i < kBounds.
  static constexpr uint64_t Bound(size_t i) { return kFirst << (kBits * i); }

  static size_t BucketOf(uint64_t value) {
    constexpr size_t kDoublings = kBits * (kBounds - 1) + 1;
    return (lunscope_bucket_of(value, kFirst, kDoublings) + kBits - 1) / kBits;
  }

  void Add(uint64_t value) {
    counts_[BucketOf(value)]++;
    sum_ += value;
  }

  // Add the values that came between two readings of a histogram with the same bounds, whose counts
  // are modulo 2^32. sum: of these values.
  void AddGrowth(const uint32_t (&before)[kBuckets], const uint32_t (&now)[kBuckets],
                 uint64_t sum) {
    for (size_t i = 0; i < kBuckets; i++) counts_[i] += uint32_t{now[i] - before[i]};
    sum_ += sum;
  }

  void Merge(const DoublingHistogram& other) {
    for (size_t i = 0; i < kBuckets; i++) counts_[i] += other.counts_[i];
    sum_ += other.sum_;
  }

  [[nodiscard]] const std::array<uint64_t, kBuckets>& counts() const { return counts_; }
  [[nodiscard]] uint64_t sum() const { return sum_; }
  [[nodiscard]] uint64_t count() const {
    uint64_t total = 0;
    for (uint64_t bucket : counts_) total += bucket;
    return total;
  }

  // The value below which this share of all values lies. The values of a bucket are taken as evenly
  // spread.
  [[nodiscard]] double Quantile(double share) const {
    const double wanted = share * static_cast<double>(count());
    double below = 0;
    for (size_t i = 0; i < kBuckets; i++) {
      const auto in_bucket = static_cast<double>(counts_[i]);
      if (in_bucket > 0 && below + in_bucket >= wanted) {
        const double low = i == 0 ? 0 : static_cast<double>(Bound(i - 1));
        const double high = static_cast<double>(i < kBounds ? Bound(i) : Bound(kBounds - 1));
        return low + (high - low) * (wanted - below) / in_bucket;
      }
      below += in_bucket;
    }
    return 0;
  }

 private:
  uint64_t sum_ = 0;  // on one cache line with the buckets of most values
  std::array<uint64_t, kBuckets> counts_{};
};

// 16 us to 33.5 s.
using LatencyHistogram = DoublingHistogram<LUNSCOPE_LATENCY_FIRST_NS, LUNSCOPE_LATENCY_BOUNDS>;
// 512 B to 16 MiB.
using SizeHistogram = DoublingHistogram<LUNSCOPE_SIZE_FIRST_BYTES, LUNSCOPE_SIZE_BOUNDS>;

}  // namespace lunscope
