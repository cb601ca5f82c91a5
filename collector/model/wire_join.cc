// SPDX-License-Identifier: Apache-2.0
#include "collector/model/wire_join.h"

#include <algorithm>

#include "collector/model/lun.h"

namespace lunscope {
namespace {

// The mid-layer completes a command much sooner than this after its status has arrived.
constexpr uint64_t kMaxCompletionNs = 10'000'000'000;

}  // namespace

void WireJoin::Queue::Push(const Wire& wire) {
  if (size_ == ring_.size()) {
    std::rotate(ring_.begin(), ring_.begin() + static_cast<ptrdiff_t>(first_), ring_.end());
    first_ = 0;
    ring_.resize(std::max<size_t>(16, 2 * ring_.size()));
  }
  size_++;
  (*this)[size_ - 1] = wire;
}

void WireJoin::Queue::PopFront() {
  first_ = (first_ + 1) & (ring_.size() - 1);
  size_--;
}

void WireJoin::Queue::Take(size_t i) {
  for (; i > 0; i--) (*this)[i] = (*this)[i - 1];
  PopFront();
}

// nullptr if there are too many LUNs.
WireJoin::Queue* WireJoin::QueueOf(const std::string& target, uint64_t lun) {
  const KeyView key(target, CanonicalLun(lun));
  if (const auto known = waiting_.find(key); known != waiting_.end()) return &known->second;
  if (waiting_.size() >= kMaxLuns) {
    if (empty_ == 0) return nullptr;
    std::erase_if(waiting_, [](const auto& entry) { return entry.second.size() == 0; });
    empty_ = 0;
  }
  empty_++;
  return &waiting_[Key(key)];
}

void WireJoin::Put(const std::string& target, const lunscope_command_record& wire) {
  Queue* waiting = QueueOf(target, wire.lun);
  if (waiting == nullptr) return;
  if (waiting->size() >= kMaxWaiting) waiting->PopFront();
  if (waiting->size() == 0) empty_--;
  const uint64_t end_ns = wire.header.time_ns;
  Wire added{end_ns - wire.duration_ns, end_ns, {}, {}, wire.known_phases};
  std::ranges::copy(wire.cdb, added.cdb.begin());
  for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_SLOTS; slot++) {
    if ((wire.known_phases >> slot & 1) != 0) added.phase_ns[slot] = lunscope_phase_ns(&wire, slot);
  }
  waiting->Push(added);
}

std::optional<OnWire> WireJoin::Take(const std::string& target,
                                     const lunscope_command_record& command) {
  const auto entry = waiting_.find(KeyView(target, CanonicalLun(command.lun)));
  if (entry == waiting_.end()) return std::nullopt;
  Queue& waiting = entry->second;
  const uint64_t end_ns = command.header.time_ns;
  const uint64_t start_ns = end_ns - command.duration_ns;
  while (waiting.size() != 0 && waiting[0].end_ns + kMaxCompletionNs < end_ns) {
    waiting.PopFront();
    if (waiting.size() == 0) empty_++;
  }
  // The mid-layer's records come in the order of their ends, so the tightest fit leaves the other
  // commands theirs.
  size_t found = waiting.size();
  for (size_t i = 0; i < waiting.size(); i++) {
    const Wire& each = waiting[i];
    const bool fits = each.start_ns >= start_ns && each.end_ns <= end_ns &&
                      std::ranges::equal(each.cdb, command.cdb);
    if (fits && (found == waiting.size() || each.start_ns > waiting[found].start_ns)) found = i;
  }
  if (found == waiting.size()) return std::nullopt;
  const Wire& wire = waiting[found];
  const OnWire part{wire.start_ns - start_ns, wire.end_ns - wire.start_ns, end_ns - wire.end_ns,
                    wire.phase_ns, wire.known_phases};
  waiting.Take(found);
  if (waiting.size() == 0) empty_++;
  return part;
}

}  // namespace lunscope
