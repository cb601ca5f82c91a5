// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/kept_bytes.h"

#include <lunscope/bytes.h>

#include <algorithm>
#include <utility>

namespace lunscope {

KeptBytes::~KeptBytes() { Take(); }

void KeptBytes::Keep(uint32_t direction, const Stretch& stretch) {
  if (const auto to = To(direction); to && *to != stretch.seq) Forget(direction);
  if (budget_.left < stretch.captured.size()) return Forget(direction);
  budget_.left -= stretch.captured.size();
  kept_.push_back({direction,
                   stretch.seq,
                   stretch.bytes,
                   {stretch.captured.begin(), stretch.captured.end()},
                   stretch.time_ns});
}

void KeptBytes::ForgetBefore(uint32_t direction, uint32_t seq) {
  std::erase_if(kept_, [&](const Kept& kept) {
    const bool is_before = lunscope_distance(kept.seq + kept.bytes, seq) >= 0;
    if (kept.direction != direction || !is_before) return false;
    budget_.left += kept.captured.size();
    return true;
  });
}

void KeptBytes::Forget(uint32_t direction) {
  if (const auto to = To(direction)) ForgetBefore(direction, *to);
}

std::optional<uint32_t> KeptBytes::From(uint32_t direction) const {
  const auto first = std::ranges::find(kept_, direction, &Kept::direction);
  return first == kept_.end() ? std::nullopt : std::optional(first->seq);
}

std::optional<uint32_t> KeptBytes::To(uint32_t direction) const {
  const auto last = std::find_if(kept_.rbegin(), kept_.rend(),
                                 [&](const Kept& kept) { return kept.direction == direction; });
  return last == kept_.rend() ? std::nullopt : std::optional(last->seq + last->bytes);
}

std::vector<uint8_t> KeptBytes::Joined(uint32_t direction) const {
  std::vector<uint8_t> bytes;
  for (const Kept& kept : kept_) {
    if (kept.direction == direction)
      bytes.insert(bytes.end(), kept.captured.begin(), kept.captured.end());
  }
  return bytes;
}

std::deque<KeptBytes::Kept> KeptBytes::Take() {
  for (const Kept& kept : kept_) budget_.left += kept.captured.size();
  return std::exchange(kept_, {});
}

}  // namespace lunscope
