// SPDX-License-Identifier: Apache-2.0
//
// One completed command as one line: a table row of at most 120 columns, or a JSON object.
#pragma once

#include <lunscope/records.h>

#include <cstdint>
#include <optional>
#include <string>

#include "collector/model/model.h"

namespace lunscope {

// What only a SCSI layer knows of a command.
struct LayerFacts {
  uint8_t host_status;
  uint8_t retries;
  bool is_timeout;  // its timer ran out: no completion, yet
  // The same command on the wire: from its PDU to its status PDU.
  std::optional<uint64_t> wire_ns;
};

// A command, and what the model knows around it.
struct TracedCommand {
  const lunscope_command_record& record;
  const Connection& connection;
  int device_type;
  int64_t wall_clock_offset_ns;  // from the record's clock to the epoch
  // Of a SCSI layer's command, whose connection is a nexus.
  std::optional<LayerFacts> layer = std::nullopt;
  bool has_wire_column = false;
};

// has_wire_column: with the time above the wire, in 9 columns more.
std::string TableHeader(bool has_wire_column = false);
std::string TableRow(const TracedCommand& command);
// Keys: time, role, initiator, target, local, remote, lun, itt, cmdsn, command, cdb, lba, blocks,
// expected_bytes, transferred_bytes, status, response, sense, residual_bytes, duration_us; of a
// SCSI layer, in the place of what is iSCSI's alone: source, transport, device, host_status,
// retries, timed_out, wire_us, above_wire_us. A key that does not apply to the command is absent.
// No line end.
std::string JsonObject(const TracedCommand& command);

// "87.1us", "1.2ms", "3.4s"
std::string FormatDuration(uint64_t ns);

}  // namespace lunscope
