// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/reassembly.h"

#include <lunscope/bytes.h>

#include <algorithm>

namespace lunscope {
namespace {

// Far enough from 0 that nothing before the first byte is negative.
constexpr uint64_t kOrigin = uint64_t{1} << 32;
// A waiting stretch takes this much besides its bytes: many tiny ones are bounded, too.
constexpr size_t kWaitingBytes = 128;

}  // namespace

void Reassembly::Start(uint32_t seq) {
  next_ = kOrigin + seq;
  acknowledged_ = next_;
}

uint64_t Reassembly::PositionOf(uint32_t seq) const {
  return next_ + static_cast<uint64_t>(int64_t{lunscope_distance(next(), seq)});
}

bool Reassembly::IsPast(uint32_t seq) const {
  return PositionOf(seq) <= std::max(next_, acknowledged_);
}

void Reassembly::Take(const Stretch& stretch) {
  const uint64_t position = PositionOf(stretch.seq);
  if (position <= next_) {
    HandOn(position, stretch);
  } else {
    Wait(position, stretch);
  }
  Release(stretch.time_ns, false);
}

void Reassembly::Acknowledge(uint32_t seq) {
  acknowledged_ = std::max(acknowledged_, PositionOf(seq));
  Release(0, false);
}

void Reassembly::GiveUp() { Release(0, true); }

void Reassembly::Wait(uint64_t position, const Stretch& stretch) {
  const auto [entry, is_new] = waiting_.try_emplace(position);
  Waiting& waiting = entry->second;
  if (!is_new) {
    if (waiting.bytes >= stretch.bytes) return;
    waiting_bytes_ -= kWaitingBytes + waiting.captured.size();
  }
  waiting = {stretch.bytes, stretch.time_ns, {stretch.captured.begin(), stretch.captured.end()}};
  waiting_bytes_ += kWaitingBytes + waiting.captured.size();
}

void Reassembly::HandOn(uint64_t position, const Stretch& stretch) {
  const uint64_t known = next_ > position ? next_ - position : 0;
  if (known >= stretch.bytes) return;  // a repetition
  next_ = position + stretch.bytes;
  const auto cut = static_cast<uint32_t>(known);
  sink_({stretch.seq + cut, stretch.bytes - cut,
         stretch.captured.subspan(std::min<size_t>(cut, stretch.captured.size())),
         stretch.time_ns});
}

// time_ns: of what came just now. Bytes that waited for it are only there with it; those that need
// not wait any longer, because the capture missed what was before them, were there when they came.
void Reassembly::Release(uint64_t time_ns, bool is_over) {
  while (!waiting_.empty()) {
    const auto first = waiting_.begin();
    const bool is_next = first->first <= next_;
    const bool is_given_up =
        is_over || first->first <= acknowledged_ || waiting_bytes_ > max_waiting_bytes_;
    if (!is_next && !is_given_up) return;
    const uint64_t position = first->first;
    const Waiting waiting = std::move(first->second);
    waiting_.erase(first);
    waiting_bytes_ -= kWaitingBytes + waiting.captured.size();
    time_ns = is_next ? std::max(time_ns, waiting.time_ns) : waiting.time_ns;
    HandOn(position, {static_cast<uint32_t>(position), waiting.bytes, waiting.captured, time_ns});
  }
}

}  // namespace lunscope
