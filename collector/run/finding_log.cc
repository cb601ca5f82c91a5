// SPDX-License-Identifier: Apache-2.0
#include "collector/run/finding_log.h"

#include <algorithm>
#include <utility>

#include "collector/diagnosis/report.h"

namespace lunscope {
namespace {

// The address of a connection has a port of its own each time, which is too much for a label.
FindingLabels LabelsOf(const Finding& finding) {
  const Subject& subject = finding.subject;
  const bool is_connection = finding.rule->kind == SubjectKind::kConnection;
  return {std::string(finding.rule->id),
          std::string(SeverityName(finding.severity)),
          subject.role,
          subject.target,
          subject.lun,
          subject.initiator,
          is_connection ? "" : subject.address};
}

}  // namespace

FindingLog::FindingLog(LogLevel least, bool sees_commands)
    : sees_commands_(sees_commands), begun_(AllRules().size()), notices_(least) {
  Publish({.findings = {}, .left_out = "", .begun = begun_});
}

void FindingLog::Take(const lunscope_record& record, const Applied& applied) {
  is_busy_.store(true, std::memory_order_relaxed);
  if (sees_commands_ || record.kind != LUNSCOPE_RECORD_COMMAND) diagnosis_.Take(record, applied);
}

bool FindingLog::IsDue(uint64_t now_ns) const {
  const bool is_busy = is_busy_.load(std::memory_order_relaxed);
  return looked_ns_ == 0 || now_ns >= looked_ns_ + (is_busy ? kLookNs : kIdleLookNs);
}

void FindingLog::Look(const Model& model, uint64_t now_ns) {
  looked_ns_ = now_ns;
  diagnosis_.Look(model, now_ns);
  for (const Finding& finding : diagnosis_.news()) {
    if (finding.until_ns == 0) begun_[RowOf(*finding.rule)]++;
    notices_.Take(finding, now_ns);
  }
  Found found{diagnosis_.All(), diagnosis_.LeftOut(), begun_};
  const bool holds = std::ranges::any_of(
      found.findings, [](const Finding& finding) { return finding.until_ns == 0; });
  const bool is_waited_for = std::ranges::any_of(
      model.connections(), [](const auto& entry) { return entry.second.in_flight != 0; });
  is_busy_.store(holds || is_waited_for, std::memory_order_relaxed);
  Publish(std::move(found));
}

void FindingLog::Publish(Found found) {
  auto published = std::make_shared<const Found>(std::move(found));
  const std::lock_guard lock(mutex_);
  found_ = std::move(published);
}

std::shared_ptr<const FindingLog::Found> FindingLog::Get() const {
  const std::lock_guard lock(mutex_);
  return found_;
}

std::string FindingLog::Text(int64_t wall_clock_offset_ns) const {
  const auto found = Get();
  return FindingsText(found->findings, found->left_out, wall_clock_offset_ns);
}

std::string FindingLog::Json(int64_t wall_clock_offset_ns) const {
  const auto found = Get();
  return FindingsJson(found->findings, found->left_out, wall_clock_offset_ns);
}

FindingsObservation FindingLog::Observe(uint64_t now_ns) const {
  const auto found = Get();
  FindingsObservation observed;
  for (const Finding& finding : found->findings) {
    const bool holds = finding.until_ns == 0;
    const uint64_t ended_ns = finding.until_ns + finding.rule->lasts_ns;
    if (!holds && now_ns >= ended_ns + kShownNs) continue;
    bool& series = observed.holds[LabelsOf(finding)];
    series = series || holds;
  }
  const std::vector<const Rule*>& rules = AllRules();
  for (size_t row = 0; row < rules.size(); row++)
    observed.begun.emplace_back(rules[row]->id, found->begun[row]);
  return observed;
}

}  // namespace lunscope
