// SPDX-License-Identifier: Apache-2.0
//
// The line that ends a run: how many commands were seen, and what became of them.
#pragma once

#include <lunscope/totals.h>

#include <cstdint>
#include <map>
#include <string>

namespace lunscope {

// At every moment: seen = reported + lost + without_status (all reasons) + in_flight.
struct CommandCounts {
  uint64_t seen = 0;
  uint64_t reported = 0;                           // they ended and have a record
  uint64_t lost = 0;                               // they lost their record, or were not tracked
  std::map<std::string, uint64_t> without_status;  // by reason (reasons.h): no status was seen
  uint64_t in_flight = 0;
  uint64_t gaps = 0;       // times that PDU boundaries were lost
  uint64_t untracked = 0;  // connections that had no memory for their state
  uint64_t left_out = 0;   // records that were no command's status, so that those had room

  void Add(const CommandCounts& other);
};
CommandCounts CountCommands(const lunscope_totals& totals);
CommandCounts CountCommands(const lunscope_scsi_totals& totals);
// "5 commands, 0 lost; 9 seen, 3 without a status (2 aborted, 1 rejected), 1 in flight, 0 gaps",
// and if there were any: ", 7 records of PDUs left out", ", 2 connections not watched".
std::string EndLine(const CommandCounts& counts);

}  // namespace lunscope
