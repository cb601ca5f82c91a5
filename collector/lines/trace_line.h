// SPDX-License-Identifier: Apache-2.0
//
// The end of one command as one line: a row of a table, or a JSON object. trace_line.cc has one
// table of columns and one of keys, and both are filled from the same facts.
#pragma once

#include <lunscope/records.h>

#include <cstdint>
#include <string>

#include "collector/lines/short_names.h"
#include "collector/model/applied.h"

namespace lunscope {

// Columns that a table has only on request.
struct TableColumns {
  bool wire = false;     // the time above the wire
  bool phases = false;   // the five phases
  bool backend = false;  // with them: what LIO and its backend took
};

// A view of a command and of what the model made of it.
struct TracedCommand {
  const lunscope_command_record& record;  // with sense_bytes: at the front of a sensed record
  Applied applied;               // with a connection; of a SCSI layer's command, with a nexus
  int64_t wall_clock_offset_ns;  // from the record's clock to the epoch
  uint8_t retries = 0;           // of a SCSI layer's command: how often it was dispatched before
  TableColumns columns = {};     // of a row
  ShortNames* names = nullptr;   // of targets, for a row; nullptr: they are shown whole
};

inline constexpr size_t kTargetColumns = 16;

// The table's header and a command's row, printable, without a line end. Most rows have at most 120
// columns, and 9 more for each column on request. A longer value pushes the columns behind it to
// the right.
std::string TableHeader(TableColumns columns = {});
std::string TableRow(const TracedCommand& command);

// The JSON object, on one line without a line end. A key that does not apply to the command is
// absent. Times are in microseconds.
std::string JsonObject(const TracedCommand& command);

}  // namespace lunscope
