// SPDX-License-Identifier: Apache-2.0
//
// Quantiles of 64-bit values, within 1 % of the value, in 31 KiB and without allocation. There is
// one bucket for each leading bit with the six bits behind it, and the middle of a bucket stands
// for its values. A value: whoever owns it serialises its use.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace lunscope {

class Quantiles {
 public:
  void Add(uint64_t value) {
    counts_[BucketOf(value)]++;
    count_++;
    sum_ += value;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }

  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] uint64_t max() const { return max_; }
  [[nodiscard]] uint64_t sum() const { return sum_; }
  [[nodiscard]] uint64_t mean() const { return count_ == 0 ? 0 : sum_ / count_; }

  // The smallest value that at least this share of all values do not exceed (nearest rank): of two
  // values, the smaller one is the median. 0 if nothing was added.
  [[nodiscard]] uint64_t At(double share) const {
    // A share such as 0.07 is a little above its decimal, and must not ask for one value more.
    constexpr double kRounding = 1e-6;
    const double rank = std::ceil(share * static_cast<double>(count_) - kRounding);
    const uint64_t wanted = rank < 1 ? 1 : static_cast<uint64_t>(rank);
    uint64_t counted = 0;
    for (size_t i = 0; i < counts_.size(); i++) {
      counted += counts_[i];
      if (counted >= wanted) return std::clamp(MiddleOf(i), min_, max_);
    }
    return max_;
  }

 private:
  static constexpr unsigned kBits = 6;
  static constexpr size_t kSteps = size_t{1} << kBits;

  static constexpr size_t BucketOf(uint64_t value) {
    if (value < kSteps) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kBits;
    return (shift + 1) * kSteps + ((value >> shift) & (kSteps - 1));
  }
  static constexpr uint64_t MiddleOf(size_t bucket) {
    if (bucket < 2 * kSteps) return bucket;
    const size_t shift = bucket / kSteps - 1;
    return ((kSteps | (bucket % kSteps)) << shift) + (uint64_t{1} << (shift - 1));
  }

  std::array<uint64_t, kSteps*(65 - kBits)> counts_{};
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t min_ = UINT64_MAX;
  uint64_t max_ = 0;
};

}  // namespace lunscope
