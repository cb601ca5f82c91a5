// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/kept_bytes.h"

#include <lunscope/bytes.h>

#include <algorithm>
#include <utility>

namespace lunscope {

KeptBytes::~KeptBytes() { Take(); }

void KeptBytes::Keep(uint32_t direction, const Stretch& stretch) {
  if (const auto to = To(direction); to && *to != stretch.seq) Forget(direction);
  if (!HasRoomFor(stretch)) return Forget(direction);
  Add(direction, stretch);
}

void KeptBytes::Add(uint32_t direction, const Stretch& stretch) {
  budget_.left -= stretch.captured.size();
  kept_[direction].push_back({direction,
                              stretch.seq,
                              stretch.bytes,
                              stretches_++,
                              {stretch.captured.begin(), stretch.captured.end()},
                              stretch.time_ns});
}

void KeptBytes::ForgetBefore(uint32_t direction, uint32_t seq) {
  std::deque<Kept>& row = kept_[direction];
  while (!row.empty() && lunscope_distance(row.front().stretch().end(), seq) >= 0) {
    budget_.left += row.front().captured.size();
    row.pop_front();
  }
}

void KeptBytes::Forget(uint32_t direction) {
  if (const auto to = To(direction)) ForgetBefore(direction, *to);
}

std::optional<uint32_t> KeptBytes::From(uint32_t direction) const {
  const std::deque<Kept>& row = kept_[direction];
  return row.empty() ? std::nullopt : std::optional(row.front().seq);
}

std::optional<uint32_t> KeptBytes::To(uint32_t direction) const {
  const std::deque<Kept>& row = kept_[direction];
  return row.empty() ? std::nullopt : std::optional(row.back().stretch().end());
}

std::vector<uint8_t> KeptBytes::Joined(uint32_t direction) const {
  std::vector<uint8_t> bytes;
  for (const Kept& kept : kept_[direction])
    bytes.insert(bytes.end(), kept.captured.begin(), kept.captured.end());
  return bytes;
}

std::vector<KeptBytes::Kept> KeptBytes::Take() {
  std::vector<Kept> all;
  for (uint32_t direction = 0; direction < LUNSCOPE_DIRECTIONS; direction++) {
    for (Kept& kept : Take(direction)) all.push_back(std::move(kept));
  }
  std::ranges::sort(all, {}, &Kept::number);
  return all;
}

std::vector<KeptBytes::Kept> KeptBytes::Take(uint32_t direction) {
  std::vector<Kept> all;
  for (Kept& kept : kept_[direction]) {
    budget_.left += kept.captured.size();
    all.push_back(std::move(kept));
  }
  kept_[direction].clear();
  return all;
}

}  // namespace lunscope
