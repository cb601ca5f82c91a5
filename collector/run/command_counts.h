// SPDX-License-Identifier: Apache-2.0
//
// The one line that ends a run: how many commands were shown, and how many were lost.
#pragma once

#include <lunscope/totals.h>

#include <cstdint>
#include <string>

namespace lunscope {

// Of the commands whose status was seen, how many have a record, and how many have none.
struct CommandCounts {
  uint64_t reported = 0;
  uint64_t lost = 0;
};
CommandCounts CountCommands(const lunscope_totals& totals);
// "1234 commands, 0 lost"
std::string EndLine(const CommandCounts& counts);

}  // namespace lunscope
