// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/scopes.h"

#include "collector/names/names.h"

namespace lunscope {
namespace {

// A target that has no LUN and counted nothing: connections stood there until their login was seen.
bool IsEmpty(const TargetStatistics& target) {
  return target.luns.empty() && target.logins == 0 && target.bytes[0] == 0 &&
         target.bytes[1] == 0 && target.login_redirections == 0 &&
         target.login_failures == decltype(target.login_failures){};
}

bool IsOfSource(const TargetKey& key, const TargetStatistics& target, SeriesSource source) {
  return source == SeriesSource::kScsiLayers ? !key.transport.empty()
                                             : key.transport.empty() && !IsEmpty(target);
}

}  // namespace

void WalkTargets(const View& view, const VisitTarget& visit) {
  for (const auto& [key, target] : view.observation.snapshot.targets) {
    if (!IsOfSource(key, target, view.source)) continue;
    Labels labels = RoleLabels(key.role);
    if (!key.transport.empty()) labels.push_back({kTransportLabel.name, key.transport});
    labels.push_back({kTargetLabel.name, key.name});
    visit(labels, key, target);
  }
}

void WalkLuns(const View& view, LunRoles roles, const VisitLun& visit) {
  WalkTargets(view, [&](Labels& labels, const TargetKey& key, const TargetStatistics& target) {
    if (roles == LunRoles::kInitiator && key.role != LUNSCOPE_ROLE_INITIATOR) return;
    for (const auto& [number, lun] : target.luns) {
      const Scoped scoped(labels, kLunLabel, LunLabelValue(number));
      visit(labels, lun);
    }
  });
}

void EachTarget::Walk(const View& view, const ItemVisitor<Item>& visit) {
  WalkTargets(view, [&](const Labels& labels, const TargetKey&, const TargetStatistics& target) {
    visit(labels, target);
  });
}

void EachLun::Walk(const View& view, const ItemVisitor<Item>& visit) {
  WalkLuns(view, LunRoles::kBoth, visit);
}

void EachInitiatorLun::Walk(const View& view, const ItemVisitor<Item>& visit) {
  WalkLuns(view, LunRoles::kInitiator, visit);
}

void EachOperation::Walk(const View& view, const ItemVisitor<Item>& visit) {
  WalkLuns(view, LunRoles::kBoth, [&](Labels& labels, const LunStatistics& lun) {
    for (size_t i = 0; i < lun.operations.size(); i++) {
      if (!lun.operations[i]) continue;
      const Scoped scoped(labels, kOperationLabel, OperationLabel(i));
      visit(labels, *lun.operations[i]);
    }
  });
}

std::vector<uint8_t> RolesOf(const View& view) {
  if (view.source == SeriesSource::kIscsi) return {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_ROLE_TARGET};
  std::vector<uint8_t> roles;
  const auto& layers = view.observation.layers;
  if (layers && layers->has_midlayer) roles.push_back(LUNSCOPE_ROLE_INITIATOR);
  if (layers && layers->has_target) roles.push_back(LUNSCOPE_ROLE_TARGET);
  return roles;
}

std::map<uint8_t, uint64_t> WithZeros(std::map<uint8_t, uint64_t> counts,
                                      std::span<const uint8_t> codes) {
  for (const uint8_t code : codes) counts.try_emplace(code, 0);
  return counts;
}

Labels RoleLabels(uint8_t role) { return {{kRoleLabel.name, RoleLabel(role)}}; }

Labels InitiatorLabels(const InitiatorKey& key) {
  Labels labels = RoleLabels(key.role);
  labels.push_back({kTargetLabel.name, key.target});
  labels.push_back({kInitiatorLabel.name, key.initiator});
  return labels;
}

}  // namespace lunscope
