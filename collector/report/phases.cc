// SPDX-License-Identifier: Apache-2.0
//
// The phases of a report: where the time of commands goes, at each end, for each target and
// operation.
#include <fmt/format.h>

#include <algorithm>

#include "collector/base/clock.h"
#include "collector/diagnosis/words.h"
#include "collector/names/names.h"
#include "collector/report/report.h"

namespace lunscope {
namespace {

constexpr size_t kMaxGroups = 40;

struct PhaseGroup {
  const TargetKey* target = nullptr;
  size_t operation = 0;
  const PhaseStatistics* phases = nullptr;
  uint64_t sum_ns = 0;
};

uint64_t SumOf(const PhaseStatistics& phases) {
  uint64_t sum_ns = 0;
  for (const LatencyHistogram& phase : phases) sum_ns += phase.sum();
  return sum_ns;
}

std::vector<PhaseGroup> GroupsOf(const Snapshot& snapshot) {
  std::vector<PhaseGroup> groups;
  for (const auto& [key, target] : snapshot.targets) {
    for (size_t operation = 0; operation < SCSI_OPERATIONS; operation++) {
      const auto& phases = target.phases[operation];
      if (phases && SumOf(*phases) != 0)
        groups.push_back({&key, operation, &*phases, SumOf(*phases)});
    }
  }
  std::ranges::stable_sort(groups, std::ranges::greater(), &PhaseGroup::sum_ns);
  return groups;
}

void AddGroup(const PhaseGroup& group, StandIns& names, ReportTable& table, Report& report) {
  const std::string target = names.Of(NameKind::kTarget, group.target->name);
  const std::string role = RoleLabel(group.target->role);
  const std::string operation = OperationLabel(group.operation);
  ReportBar bar{fmt::format("{} of {}, {}'s end: {} in all", operation, target, role,
                            FormatDuration(group.sum_ns)),
                {}};
  for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_SLOTS; slot++) {
    const LatencyHistogram& phase = (*group.phases)[slot];
    const uint64_t commands = phase.count();
    if (commands == 0) continue;
    const std::string name = PhaseLabel(lunscope_phase_of(group.target->role, slot));
    const double share = static_cast<double>(phase.sum()) / static_cast<double>(group.sum_ns);
    bar.parts.emplace_back(name, phase.sum());
    table.rows.push_back({role, target, operation, name, fmt::to_string(commands),
                          FormatDuration(phase.sum() / commands), FormatDuration(phase.sum()),
                          PercentText(share)});
  }
  report.bars.push_back(std::move(bar));
}

}  // namespace

void AddPhases(const Snapshot& snapshot, StandIns& names, Report& report) {
  ReportTable table{"Where the time goes",
                    "Phases of commands, of all LUNs of a target together. docs/METRICS.md says "
                    "whose time each phase is.",
                    {{"End"},
                     {"Target"},
                     {"Operation"},
                     {"Phase"},
                     {"Commands", Align::kRight},
                     {"Mean", Align::kRight},
                     {"Sum", Align::kRight},
                     {"Share", Align::kRight}},
                    {}};
  const std::vector<PhaseGroup> groups = GroupsOf(snapshot);
  for (size_t i = 0; i < std::min(groups.size(), kMaxGroups); i++)
    AddGroup(groups[i], names, table, report);
  if (groups.empty()) table.note = "No phase of a command is known.";
  if (groups.size() > kMaxGroups)
    table.note += fmt::format(" {} more operations are not listed.", groups.size() - kMaxGroups);
  report.tables.push_back(std::move(table));
}

}  // namespace lunscope
