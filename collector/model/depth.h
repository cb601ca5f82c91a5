// SPDX-License-Identifier: Apache-2.0
//
// The queue depth of a LUN: how long how many of its commands were in flight. Values: whoever owns
// one serialises its use.
#pragma once

#include <lunscope/aggregate.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lunscope {

// Time by depth. Read as a histogram, it has one value for each microsecond: the depth at that
// time. So its count is the time that was looked at, and its sum over its count is the mean depth.
class DepthHistogram {
 public:
  static constexpr size_t kBounds = 12;
  static constexpr size_t kBuckets = kBounds + 1;

  // 0, 1, 2, 4, ... 1024. REQUIRES: i < kBounds.
  static constexpr uint64_t Bound(size_t i) { return i == 0 ? 0 : uint64_t{1} << (i - 1); }

  void Spend(uint64_t depth, uint64_t ns) {
    ns_[depth == 0 ? 0 : 1 + lunscope_bucket_of(depth, 1, kBounds - 1)] += ns;
    depth_ns_ += depth * ns;
  }
  void Merge(const DepthHistogram& other) {
    for (size_t i = 0; i < kBuckets; i++) ns_[i] += other.ns_[i];
    depth_ns_ += other.depth_ns_;
  }

  [[nodiscard]] std::array<uint64_t, kBuckets> counts() const {
    std::array<uint64_t, kBuckets> microseconds{};
    for (size_t i = 0; i < kBuckets; i++) microseconds[i] = ns_[i] / kNsInMicrosecond;
    return microseconds;
  }
  [[nodiscard]] uint64_t sum() const { return depth_ns_ / kNsInMicrosecond; }

 private:
  static constexpr uint64_t kNsInMicrosecond = 1000;

  std::array<uint64_t, kBuckets> ns_{};
  uint64_t depth_ns_ = 0;
};

// Goes through time, from the start of one command to the start of the next, and past the ends that
// lie between. Allocates only when more commands are in flight than ever before.
class DepthSweep {
 public:
  // Beyond this many commands in flight, further ones are not counted.
  static constexpr size_t kMaxDepth = 4096;

  // A command began and ended. If that began before the time that was reached already, it counts
  // from that time on. Returns false if too many are in flight.
  [[nodiscard]] bool Begin(uint64_t start_ns, uint64_t end_ns, DepthHistogram& histogram);
  // Every command that began before has been added. Nothing happens before the first command.
  void AdvanceTo(uint64_t now_ns, DepthHistogram& histogram);
  // No further command comes: goes past the ends of those that are in flight.
  void Finish(DepthHistogram& histogram);

 private:
  uint64_t now_ns_ = 0;         // the time that was reached
  std::vector<uint64_t> ends_;  // of the commands in flight then: a heap, the earliest at its front
  bool has_begun_ = false;
};

}  // namespace lunscope
