// SPDX-License-Identifier: Apache-2.0
//
// The line that ends a run: how many commands have a record, and how many lost theirs.
#pragma once

#include <lunscope/totals.h>

#include <cstdint>
#include <string>

namespace lunscope {

// Commands whose end was seen: those that have a record, and those that lost theirs.
struct CommandCounts {
  uint64_t reported = 0;
  uint64_t lost = 0;
};
CommandCounts CountCommands(const lunscope_totals& totals);
CommandCounts CountCommands(const lunscope_scsi_totals& totals);
// "1234 commands, 0 lost"
std::string EndLine(const CommandCounts& counts);

}  // namespace lunscope
