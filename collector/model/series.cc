// SPDX-License-Identifier: Apache-2.0
#include "collector/model/series.h"

namespace lunscope {

void Series::Assign(Origin& origin, const TargetKey& key) {
  origin.target = &TargetOf(key);
  const std::string& name = origin.target->first.name;
  origin.has_own_target = name != kUnknownName && name != kOverflowName;
  origin.last_lun = nullptr;
}

void Series::BeginWalk() {
  for (auto& [key, target] : targets_) {
    target.unread_bytes = 0;
    for (auto& [number, lun] : target.luns) {
      lun.outstanding = 0;
      lun.oldest_start_ns = 0;
    }
  }
}

bool Series::ReserveLabelSet() {
  if (label_sets_ < max_label_sets_) {
    label_sets_++;
    return true;
  }
  dropped_++;
  return false;
}

Target& Series::TargetOf(const TargetKey& key) {
  const auto known = targets_.find(key);
  if (known != targets_.end()) return *known;
  return ReserveLabelSet() ? *targets_.try_emplace(key).first : OverflowTarget(key);
}

Target& Series::OverflowTarget(const TargetKey& key) {
  return *targets_.try_emplace(TargetKey{key.role, kOverflowName, key.transport}).first;
}

LunStatistics& Series::OverflowLun(const TargetKey& key) {
  LunStatistics& lun = OverflowTarget(key).second.luns[kOverflowLun];
  lun.identity.is_shared = true;
  return lun;
}

LunStatistics& Series::FindLun(Target& target, uint64_t lun) {
  auto& luns = target.second.luns;
  const auto known = luns.find(CanonicalLun(lun));
  if (known != luns.end()) return known->second;
  return ReserveLabelSet() ? luns[CanonicalLun(lun)] : OverflowLun(target.first);
}

OperationStatistics& Series::NewOperation(const Target& target, DeepPtr<OperationStatistics>& own,
                                          size_t operation) {
  return ReserveLabelSet() ? own.Ensure()
                           : OverflowLun(target.first).operations[operation].Ensure();
}

}  // namespace lunscope
