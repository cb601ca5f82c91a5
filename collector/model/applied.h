// SPDX-License-Identifier: Apache-2.0
//
// The result of applying one record. A caller that prints or judges the record reads the result and
// does not ask the model again. Pointers are valid until the model takes in the next record.
#pragma once

#include <lunscope/scsi.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "collector/model/connection.h"
#include "collector/model/layer_join.h"
#include "collector/model/nexus.h"
#include "collector/model/outcome.h"
#include "collector/model/overdue.h"
#include "collector/model/traffic.h"

namespace lunscope {

// A connection that has just ended. The model has forgotten it.
struct EndedConnection {
  std::string target;
  std::string initiator;  // "" while unknown
  std::string local;
  std::string remote;
  LocalProcess process;
  lunscope_end end = LUNSCOPE_END_UNKNOWN;
  During during = During::kUnknown;
  uint64_t cut_off = 0;  // commands without an answer
};

struct Applied {
  // At most one of the two. A connection that has closed, with this record or before, has none.
  const Connection* connection = nullptr;
  const Nexus* nexus = nullptr;
  // For a command: the LUN that counts it, and as what.
  const LunStatistics* lun = nullptr;
  scsi_operation operation = SCSI_OPERATION_OTHER;
  // For a command or a PDU: the peripheral device type of its LUN.
  int device_type = kUnknownDeviceType;
  // For a command: how it ended.
  Verdict verdict = {};
  // For a command whose header had an AHS: its content. nullptr: no AHS, or its record was lost.
  const CommandExtension* extension = nullptr;
  // For a Login Response that redirects: the address as the target gave it.
  const std::string* redirected_to = nullptr;
  // For a Login Response that begins a session: what it made of the sessions before.
  const SessionBeginning* beginning = nullptr;
  // For a connection's own record: what has gone wrong since the one before.
  Troubles troubles = {};
  // Instead of a record: an answer is overdue. `connection` is set, too.
  const Overdue* overdue = nullptr;
  // For the record by which a connection ends.
  const EndedConnection* ended = nullptr;
  // For a command of the mid-layer: its part on the wire, if it was found there.
  std::optional<InnerPart> on_wire = std::nullopt;
  // For a command on the wire of LIO: the time that LIO and its backend had it, if that is known.
  std::optional<uint64_t> backend_ns = std::nullopt;

  // REQUIRES: there is a connection or a nexus.
  [[nodiscard]] const Origin& origin() const {
    return connection != nullptr ? static_cast<const Origin&>(*connection) : *nexus;
  }
};

// The bytes of the CDB that are known: 16, or more of an extended one.
inline std::span<const uint8_t> CdbOf(const lunscope_command_record& record,
                                      const Applied& applied) {
  const bool is_extended = applied.extension != nullptr && !applied.extension->cdb.empty();
  return is_extended ? std::span<const uint8_t>(applied.extension->cdb)
                     : std::span<const uint8_t>(record.cdb);
}

}  // namespace lunscope
