// SPDX-License-Identifier: Apache-2.0
#include "collector/run/command_counts.h"

#include <fmt/format.h>

#include <cstddef>
#include <initializer_list>

namespace lunscope {

namespace {

// lost: the reasons for which a command that ended has no record, though it was due.
template <typename Totals>
CommandCounts Count(const Totals& totals, std::initializer_list<size_t> lost) {
  CommandCounts counts;
  for (size_t role = 0; role < LUNSCOPE_ROLES; role++) {
    counts.reported += totals.commands_reported[role];
    for (const size_t reason : lost) counts.lost += totals.commands_unreported[role][reason];
  }
  return counts;
}

}  // namespace

CommandCounts CountCommands(const lunscope_totals& totals) {
  return Count(totals, {LUNSCOPE_UNREPORTED_RING_FULL, LUNSCOPE_UNREPORTED_RING_BUSY,
                        LUNSCOPE_UNREPORTED_TABLE_FULL});
}

CommandCounts CountCommands(const lunscope_scsi_totals& totals) {
  return Count(totals, {LUNSCOPE_SCSI_UNREPORTED_RING_FULL, LUNSCOPE_SCSI_UNREPORTED_RING_BUSY,
                        LUNSCOPE_SCSI_UNREPORTED_TABLE_FULL});
}

std::string EndLine(const CommandCounts& counts) {
  return fmt::format("{} commands, {} lost", counts.reported, counts.lost);
}

}  // namespace lunscope
