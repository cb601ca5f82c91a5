// SPDX-License-Identifier: Apache-2.0
#include "collector/model/series.h"

#include <algorithm>

#include "collector/model/profiler.h"

namespace lunscope {

namespace {

// A login that fails again and again keeps its target. Random names of an attacker go.
constexpr uint64_t kMaxIdleUnprovenNs = 600'000'000'000;
// New series that come in while a scrape copies the table.
constexpr size_t kMoreWhileHeld = 1000;

bool IsStandIn(const TargetKey& key) {
  return key.name == kUnknownName || key.name == kOverflowName || key.name == kDiscoveryName;
}

size_t LabelSetsOf(const TargetStatistics& target) {
  size_t label_sets = 1;
  for (const auto& [number, lun] : target.luns) {
    label_sets++;
    for (const auto& operation : lun.operations) label_sets += operation ? 1 : 0;
  }
  return label_sets;
}

}  // namespace

void Series::Assign(Origin& origin, const TargetKey& key) {
  Target* const before = origin.target;
  Target& target = TargetOf(key);
  if (target.second.use.origins++ == 0) idle_.erase(&target);
  if (before != nullptr) Release(origin);
  origin.target = &target;
  const std::string& name = target.first.name;
  origin.has_own_target = name != kUnknownName && name != kOverflowName;
  origin.last_lun = nullptr;
  origin.initiator = nullptr;
}

void Series::Rename(Origin& origin) {
  if (origin.initiator != nullptr) initiators_.Leave(*origin.initiator);
  origin.initiator = nullptr;
}

void Series::Release(const Origin& origin) {
  if (origin.initiator != nullptr) initiators_.Leave(*origin.initiator);
  if (origin.target == nullptr) return;
  TargetUse& use = origin.target->second.use;
  if (--use.origins != 0 || IsStandIn(origin.target->first)) return;
  use.idle_turn = ++idle_turns_;
  use.idle_ns = now_ns_;
  idle_.insert(origin.target);
}

void Series::BeginWalk(uint64_t now_ns) {
  AdvanceTo(now_ns);
  while (!idle_.empty() && !is_held_) {
    const TargetUse& use = (*idle_.begin())->second.use;
    if (use.is_proven || now_ns_ - use.idle_ns < kMaxIdleUnprovenNs) break;
    GiveUpOne();
  }
  for (auto& [key, target] : targets_) {
    target.walked = {};
    for (PingStatistics& pings : target.pings) pings.waiting = pings.oldest_ns = 0;
    for (auto& [number, lun] : target.luns) {
      lun.outstanding = 0;
      lun.oldest_start_ns = 0;
    }
  }
}

void Series::SettleProfiles(uint64_t now_ns) {
  const auto each_profile = [this](const auto& visit) {
    for (auto& [key, target] : targets_) {
      for (auto& [number, lun] : target.luns) {
        if (lun.profile) visit(lun, *lun.profile);
      }
    }
  };
  each_profile([now_ns](const LunStatistics& lun, LunProfile& profile) {
    // A command that began together with one in flight may be the later one of the two.
    const uint64_t oldest_ns = lun.oldest_start_ns;
    profile.horizon_ns = oldest_ns == 0 ? now_ns : std::min(now_ns, oldest_ns - 1);
  });
  profiler_->Settle();
  each_profile([](const LunStatistics&, LunProfile& profile) {
    profile.sweep.AdvanceTo(profile.horizon_ns, profile.depth);
  });
}

void Series::EndHold() {
  is_held_ = false;
  initiators_.EndHold();
  while (label_sets_ > max_label_sets_ && !idle_.empty()) GiveUpOne();
}

bool Series::ReserveLabelSet() {
  const size_t limit =
      is_held_ && max_label_sets_ != 0 ? max_label_sets_ + kMoreWhileHeld : max_label_sets_;
  while (label_sets_ >= limit && !is_held_ && !idle_.empty()) GiveUpOne();
  if (label_sets_ < limit) {
    label_sets_++;
    return true;
  }
  dropped_++;
  return false;
}

void Series::GiveUpOne() {
  Target& target = **idle_.begin();
  idle_.erase(idle_.begin());
  dropped_++;
  label_sets_ -= LabelSetsOf(target.second);
  for (auto& [number, lun] : target.second.luns) {
    if (lun.profile) profiler_->Settle(*lun.profile);
  }
  AddCounts(target.second, OverflowTarget(target.first).second);
  for (const auto& [number, lun] : target.second.luns) AddCounts(lun, OverflowLun(target.first));
  ForgetLunsOf(target);
  targets_.erase(targets_.find(target.first));
}

void Series::ForgetLunsOf(const Target& target) {
  if (target.second.luns.empty()) return;
  for (RecentLun& recent : recent_luns_) {
    if (recent.target == &target) recent = {};
  }
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
