// SPDX-License-Identifier: Apache-2.0
#include "collector/run/command_counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>

#include "collector/names/names.h"

namespace lunscope {

namespace {

const char* ScsiLabel(uint8_t reason) {
#define LUNSCOPE_REASON_LABEL(name, label, help) label,
  constexpr const char* kLabels[] = {LUNSCOPE_SCSI_UNREPORTED_REASONS(LUNSCOPE_REASON_LABEL)};
#undef LUNSCOPE_REASON_LABEL
  return kLabels[reason];
}

// lost: the reasons for which a command has no record, though it was due.
template <typename Totals>
CommandCounts Count(const Totals& totals, const char* (*label_of)(uint8_t reason),
                    std::initializer_list<size_t> lost) {
  CommandCounts counts;
  for (size_t role = 0; role < LUNSCOPE_ROLES; role++) {
    counts.seen += totals.commands_seen[role];
    counts.reported += totals.commands_reported[role];
    for (size_t reason = 0; reason < std::size(totals.commands_unreported[role]); reason++) {
      const uint64_t commands = totals.commands_unreported[role][reason];
      if (std::ranges::find(lost, reason) != lost.end()) {
        counts.lost += commands;
      } else if (commands != 0) {
        counts.without_status[label_of(static_cast<uint8_t>(reason))] += commands;
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
  left_out += other.left_out;
  untracked += other.untracked;
  for (const auto& [label, commands] : other.without_status) without_status[label] += commands;
}

CommandCounts CountCommands(const lunscope_totals& totals) {
  CommandCounts counts = Count(totals, NoStatusLabel,
                               {LUNSCOPE_UNREPORTED_RING_FULL, LUNSCOPE_UNREPORTED_RING_BUSY,
                                LUNSCOPE_UNREPORTED_TABLE_FULL});
  for (const uint64_t gaps : totals.gaps) counts.gaps += gaps;
  counts.untracked = totals.untracked_connections;
  counts.left_out =
      totals.records_lost[LUNSCOPE_LOSS_RESERVED] + totals.records_lost[LUNSCOPE_LOSS_RATE];
  return counts;
}

CommandCounts CountCommands(const lunscope_scsi_totals& totals) {
  return Count(totals, ScsiLabel,
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
  std::string line =
      fmt::format("{} commands, {} lost; {} seen, {} without a status{}, {} in flight, {} {}",
                  counts.reported, counts.lost, counts.seen, without_status, reasons,
                  counts.in_flight, counts.gaps, counts.gaps == 1 ? "gap" : "gaps");
  if (counts.left_out != 0) line += fmt::format(", {} records of PDUs left out", counts.left_out);
  if (counts.untracked != 0) line += fmt::format(", {} connections not watched", counts.untracked);
  return line;
}

}  // namespace lunscope
