// SPDX-License-Identifier: Apache-2.0
#include "collector/model/wire_join.h"

#include <algorithm>

#include "collector/model/lun.h"

namespace lunscope {
namespace {

// The mid-layer completes a command well within this after its status has arrived.
constexpr uint64_t kMaxCompletionNs = 10'000'000'000;

}  // namespace

void WireJoin::Put(const std::string& target, const lunscope_command_event& wire) {
  const auto key = std::pair(target, CanonicalLun(wire.lun));
  if (waiting_.size() >= kMaxLuns && !waiting_.contains(key)) return;
  std::deque<Wire>& waiting = waiting_[key];
  if (waiting.size() >= kMaxWaiting) waiting.pop_front();
  const uint64_t end_ns = wire.header.time_ns;
  Wire& added = waiting.emplace_back(Wire{end_ns - wire.duration_ns, end_ns, {}});
  std::ranges::copy(wire.cdb, added.cdb.begin());
}

std::optional<uint64_t> WireJoin::Take(const std::string& target,
                                       const lunscope_command_event& command) {
  const auto entry = waiting_.find({target, CanonicalLun(command.lun)});
  if (entry == waiting_.end()) return std::nullopt;
  std::deque<Wire>& waiting = entry->second;
  const uint64_t end_ns = command.header.time_ns;
  const uint64_t start_ns = end_ns - command.duration_ns;
  while (!waiting.empty() && waiting.front().end_ns + kMaxCompletionNs < end_ns)
    waiting.pop_front();
  // The mid-layer's records come in the order of their ends, so the one that fits most tightly
  // leaves the others theirs.
  auto found = waiting.end();
  for (auto each = waiting.begin(); each != waiting.end(); ++each) {
    const bool fits = each->start_ns >= start_ns && each->end_ns <= end_ns &&
                      std::ranges::equal(each->cdb, command.cdb);
    if (fits && (found == waiting.end() || each->start_ns > found->start_ns)) found = each;
  }
  if (found == waiting.end()) return std::nullopt;
  const uint64_t wire_ns = found->end_ns - found->start_ns;
  waiting.erase(found);
  if (waiting.empty()) waiting_.erase(entry);
  return wire_ns;
}

}  // namespace lunscope
