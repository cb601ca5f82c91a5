// SPDX-License-Identifier: Apache-2.0
#include "collector/run/command_counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <span>

namespace lunscope {

namespace {

#define LUNSCOPE_REASON_LABEL(name, label, help) label,
constexpr const char* kUnreported[] = {LUNSCOPE_UNREPORTED_REASONS(LUNSCOPE_REASON_LABEL)};
constexpr const char* kScsiUnreported[] = {LUNSCOPE_SCSI_UNREPORTED_REASONS(LUNSCOPE_REASON_LABEL)};
#undef LUNSCOPE_REASON_LABEL

// lost: the reasons for which a command has no record, though it was due.
template <typename Totals>
CommandCounts Count(const Totals& totals, std::span<const char* const> labels,
                    std::initializer_list<size_t> lost) {
  CommandCounts counts;
  for (size_t role = 0; role < LUNSCOPE_ROLES; role++) {
    counts.seen += totals.commands_seen[role];
    counts.reported += totals.commands_reported[role];
    for (size_t reason = 0; reason < labels.size(); reason++) {
      const uint64_t commands = totals.commands_unreported[role][reason];
      if (std::ranges::find(lost, reason) != lost.end()) {
        counts.lost += commands;
      } else if (commands != 0) {
        counts.without_status[labels[reason]] += commands;
      }
    }
  }
  counts.in_flight = counts.seen - counts.reported - counts.lost;
  for (const auto& [label, commands] : counts.without_status) counts.in_flight -= commands;
  return counts;
}

}  // namespace

void CommandCounts::Add(const CommandCounts& other) {
  seen += other.seen;
  reported += other.reported;
  lost += other.lost;
  in_flight += other.in_flight;
  gaps += other.gaps;
  for (const auto& [label, commands] : other.without_status) without_status[label] += commands;
}

CommandCounts CountCommands(const lunscope_totals& totals) {
  CommandCounts counts = Count(totals, kUnreported,
                               {LUNSCOPE_UNREPORTED_RING_FULL, LUNSCOPE_UNREPORTED_RING_BUSY,
                                LUNSCOPE_UNREPORTED_TABLE_FULL});
  for (const uint64_t gaps : totals.gaps) counts.gaps += gaps;
  return counts;
}

CommandCounts CountCommands(const lunscope_scsi_totals& totals) {
  return Count(totals, kScsiUnreported,
               {LUNSCOPE_SCSI_UNREPORTED_RING_FULL, LUNSCOPE_SCSI_UNREPORTED_RING_BUSY,
                LUNSCOPE_SCSI_UNREPORTED_TABLE_FULL});
}

std::string EndLine(const CommandCounts& counts) {
  uint64_t without_status = 0;
  std::string reasons;
  for (const auto& [label, commands] : counts.without_status) {
    without_status += commands;
    fmt::format_to(std::back_inserter(reasons), "{}{} {}", reasons.empty() ? " (" : ", ", commands,
                   label);
  }
  if (!reasons.empty()) reasons += ')';
  return fmt::format("{} commands, {} lost; {} seen, {} without a status{}, {} in flight, {} {}",
                     counts.reported, counts.lost, counts.seen, without_status, reasons,
                     counts.in_flight, counts.gaps, counts.gaps == 1 ? "gap" : "gaps");
}

}  // namespace lunscope
