// SPDX-License-Identifier: Apache-2.0
#include "collector/model/layer_join.h"

#include <algorithm>

#include "collector/model/lun.h"

namespace lunscope {
namespace {

// The outer layer completes a command much sooner than this after the inner one.
constexpr uint64_t kMaxCompletionNs = 10'000'000'000;

}  // namespace

void LayerJoin::Queue::Push(const Inner& inner) {
  if (size_ == ring_.size()) {
    std::rotate(ring_.begin(), ring_.begin() + static_cast<ptrdiff_t>(first_), ring_.end());
    first_ = 0;
    ring_.resize(std::max<size_t>(16, 2 * ring_.size()));
  }
  size_++;
  (*this)[size_ - 1] = inner;
}

void LayerJoin::Queue::PopFront() {
  first_ = (first_ + 1) & (ring_.size() - 1);
  size_--;
}

void LayerJoin::Queue::Take(size_t i) {
  for (; i > 0; i--) (*this)[i] = (*this)[i - 1];
  PopFront();
}

// nullptr if there are too many LUNs.
LayerJoin::Queue* LayerJoin::QueueOf(const std::string& target, uint64_t lun) {
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

void LayerJoin::Put(const std::string& target, const lunscope_command_record& inner) {
  Queue* waiting = QueueOf(target, inner.lun);
  if (waiting == nullptr) return;
  if (waiting->size() >= kMaxWaiting) waiting->PopFront();
  if (waiting->size() == 0) empty_--;
  const uint64_t end_ns = inner.header.time_ns;
  Inner added{end_ns - inner.duration_ns, end_ns, {}, {}, inner.known_phases};
  std::ranges::copy(inner.cdb, added.cdb.begin());
  for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_SLOTS; slot++) {
    if ((inner.known_phases >> slot & 1) != 0)
      added.phase_ns[slot] = lunscope_phase_ns(&inner, slot);
  }
  waiting->Push(added);
}

std::optional<InnerPart> LayerJoin::Take(const std::string& target,
                                         const lunscope_command_record& outer) {
  const auto entry = waiting_.find(KeyView(target, CanonicalLun(outer.lun)));
  if (entry == waiting_.end()) return std::nullopt;
  Queue& waiting = entry->second;
  const uint64_t end_ns = outer.header.time_ns;
  const uint64_t start_ns = end_ns - outer.duration_ns;
  while (waiting.size() != 0 && waiting[0].end_ns + kMaxCompletionNs < end_ns) {
    waiting.PopFront();
    if (waiting.size() == 0) empty_++;
  }
  // The outer layer's records come in the order of their ends, so the tightest fit leaves the other
  // commands theirs.
  size_t found = waiting.size();
  for (size_t i = 0; i < waiting.size(); i++) {
    const Inner& each = waiting[i];
    const bool fits = each.start_ns >= start_ns && each.end_ns <= end_ns &&
                      std::ranges::equal(each.cdb, outer.cdb);
    if (fits && (found == waiting.size() || each.start_ns > waiting[found].start_ns)) found = i;
  }
  if (found == waiting.size()) return std::nullopt;
  const Inner& inner = waiting[found];
  const InnerPart part{inner.start_ns - start_ns, inner.end_ns - inner.start_ns,
                       end_ns - inner.end_ns, inner.phase_ns, inner.known_phases};
  waiting.Take(found);
  if (waiting.size() == 0) empty_++;
  return part;
}

std::optional<uint64_t> BackendNs(const lunscope_command_record& wire, const InnerPart& lio) {
  if ((wire.known_phases >> LUNSCOPE_PHASE_REST & 1) == 0) return std::nullopt;
  const auto of = [&wire](lunscope_phase phase) {
    return lunscope_phase_ns(&wire, phase % LUNSCOPE_PHASE_SLOTS);
  };
  const auto less = [](uint64_t from, uint64_t what) { return from - std::min(from, what); };
  const uint64_t before = less(lio.before_ns, of(LUNSCOPE_PHASE_ARRIVAL));
  const uint64_t of_others =
      less(of(LUNSCOPE_PHASE_QUEUE) + of(LUNSCOPE_PHASE_TRANSFER_IN), before);
  return std::min(less(lio.within_ns, of_others), of(LUNSCOPE_PHASE_SERVICE));
}

}  // namespace lunscope
