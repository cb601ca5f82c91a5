// SPDX-License-Identifier: Apache-2.0
//
// One completed command as one line: a table row of at most 120 columns, or a JSON object.
#pragma once

#include <lunscope/event.h>

#include <cstdint>
#include <string>

#include "collector/model/model.h"

namespace lunscope {

// A command, and what the model knows around it.
struct TracedCommand {
  const lunscope_command_event& event;
  const Connection& connection;
  int device_type;
  int64_t wall_clock_offset_ns;  // from the event's clock to the epoch
};

std::string TableHeader();
std::string TableRow(const TracedCommand& command);
// Keys: time, role, initiator, target, local, remote, lun, itt, cmdsn, command, cdb, lba, blocks,
// expected_bytes, transferred_bytes, status, response, sense, residual_bytes, duration_us. A key
// that does not apply to the command is absent. No line end.
std::string JsonObject(const TracedCommand& command);

// "87.1us", "1.2ms", "3.4s"
std::string FormatDuration(uint64_t ns);

}  // namespace lunscope
