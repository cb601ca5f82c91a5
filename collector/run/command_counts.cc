// SPDX-License-Identifier: Apache-2.0
#include "collector/run/command_counts.h"

#include <fmt/format.h>

namespace lunscope {

CommandCounts CountCommands(const lunscope_totals& totals) {
  CommandCounts counts;
  for (size_t role = 0; role < LUNSCOPE_ROLES; role++) {
    counts.reported += totals.commands_reported[role];
    for (auto reason : {LUNSCOPE_UNREPORTED_RING_FULL, LUNSCOPE_UNREPORTED_RING_BUSY,
                        LUNSCOPE_UNREPORTED_TABLE_FULL})
      counts.lost += totals.commands_unreported[role][reason];
  }
  return counts;
}

CommandCounts CountCommands(const lunscope_scsi_totals& totals) {
  CommandCounts counts;
  for (size_t role = 0; role < LUNSCOPE_ROLES; role++) {
    counts.reported += totals.commands_reported[role];
    for (auto reason : {LUNSCOPE_SCSI_UNREPORTED_RING_FULL, LUNSCOPE_SCSI_UNREPORTED_RING_BUSY,
                        LUNSCOPE_SCSI_UNREPORTED_TABLE_FULL})
      counts.lost += totals.commands_unreported[role][reason];
  }
  return counts;
}

std::string EndLine(const CommandCounts& counts) {
  return fmt::format("{} commands, {} lost", counts.reported, counts.lost);
}

}  // namespace lunscope
