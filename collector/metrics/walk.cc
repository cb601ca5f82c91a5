// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/walk.h"

#include "collector/names/names.h"

namespace lunscope {
namespace {

// A target that was only ever a place for connections whose login was not seen yet.
bool IsEmpty(const TargetStatistics& target) {
  return target.luns.empty() && target.logins == 0 && target.bytes[0] == 0 &&
         target.bytes[1] == 0 && target.login_failures == decltype(target.login_failures){};
}

Labels LabelsOf(const TargetKey& key) {
  Labels labels = {{"role", RoleLabel(key.role)}};
  if (!key.transport.empty()) labels.push_back({"transport", key.transport});
  labels.push_back({"target", key.name});
  return labels;
}

}  // namespace

bool Walk::IsOver(const TargetKey& key, const TargetStatistics& target) const {
  return of_ == kScsiLayers ? !key.transport.empty() : key.transport.empty() && !IsEmpty(target);
}

void Walk::EachTarget(const TargetVisitor& visit) const {
  for (const auto& [key, target] : snapshot_.targets) {
    if (IsOver(key, target)) visit(LabelsOf(key), key, target);
  }
}

void Walk::EachLun(uint8_t role, const LunVisitor& visit) const {
  EachTarget([&](const Labels& labels, const TargetKey& key, const TargetStatistics& target) {
    if (role != LUNSCOPE_ROLE_UNKNOWN && key.role != role) return;
    for (const auto& [number, lun] : target.luns) visit(With(labels, "lun", LunLabel(number)), lun);
  });
}

void Walk::EachOperation(const OperationVisitor& visit) const {
  EachLun(LUNSCOPE_ROLE_UNKNOWN, [&](const Labels& labels, const LunStatistics& lun) {
    for (size_t i = 0; i < lun.operations.size(); i++) {
      if (lun.operations[i])
        visit(With(labels, "operation", OperationLabel(i)), *lun.operations[i]);
    }
  });
}

double Walk::Outstanding(uint8_t role) const {
  double outstanding = 0;
  EachLun(role, [&](const Labels&, const LunStatistics& lun) {
    outstanding += static_cast<double>(lun.outstanding);
  });
  return outstanding;
}

double OldestSeconds(const LunStatistics& lun, uint64_t now_ns) {
  const uint64_t start = lun.oldest_start_ns;
  if (start == 0 || start > now_ns) return 0;
  return static_cast<double>(now_ns - start) / kNsPerSecond;
}

}  // namespace lunscope
