// SPDX-License-Identifier: Apache-2.0
#include "collector/model/profile.h"

#include <algorithm>
#include <span>

namespace lunscope {
namespace {

constexpr uint64_t kAlignmentBytes = 4096;

// From the last block before to the first block of this one: 1 is the next block.
void AddSeek(const Extent& before, const Extent& now, OperationProfile& profile) {
  const uint64_t last_block = before.end() - 1;
  if (now.lba > last_block) {
    profile.seeks[kSeekForward].Add(now.lba - last_block);
  } else {
    profile.seeks[kSeekBackward].Add(last_block - now.lba);
  }
}

}  // namespace

Alignment AlignmentOf(const Extent& extent, uint32_t block_bytes) {
  if (block_bytes == 0) return kAlignmentUnknown;
  // Modulo 2^64 does not matter to the lowest bits.
  const uint64_t ends = extent.lba * block_bytes | extent.blocks * block_bytes;
  return ends % kAlignmentBytes == 0 ? kAligned : kUnaligned;
}

std::optional<uint64_t> LunOrder::Since(uint64_t start_ns) {
  std::optional<uint64_t> since;
  if (has_begun_) since = start_ns - start_ns_;
  start_ns_ = start_ns;
  has_begun_ = true;
  return since;
}

bool LunOrder::IsBack(uint64_t end_ns) const { return has_begun_ && IsStepBack(start_ns_, end_ns); }

bool LunOrder::IsSequential(const Extent& extent) const {
  const std::span known(extents_.data(), std::min(placed_, kRemembered));
  return std::ranges::any_of(known,
                             [&](const Extent& before) { return before.end() == extent.lba; });
}

std::optional<Extent> LunOrder::last() const {
  if (placed_ == 0) return std::nullopt;
  return extents_[(placed_ - 1) % kRemembered];
}

void LunOrder::Remember(const Extent& extent) { extents_[placed_++ % kRemembered] = extent; }

void LunProfile::Begin(const Begun& command) {
  if (order.IsBack(command.end_ns)) {
    order = {};
    sweep.Finish(depth);
  }
  const bool is_late = order.IsLate(command.start_ns);
  const bool fits = sweep.Begin(command.start_ns, command.end_ns, depth);
  if (is_late || !fits) unordered[is_late ? kLate : kTooDeep]++;
  if (is_late) return;
  OperationProfile& profile = operations[command.operation].Ensure();
  if (const auto since = order.Since(command.start_ns)) profile.interarrival_ns.Add(*since);
  if (command.extent.blocks == 0) return;
  if (const auto before = order.last()) AddSeek(*before, command.extent, profile);
  if (order.IsSequential(command.extent)) profile.sequential++;
  order.Remember(command.extent);
}

}  // namespace lunscope
