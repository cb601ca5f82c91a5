// SPDX-License-Identifier: Apache-2.0
//
// Counts for a target besides commands: PDUs, bytes, and the management PDUs by their
// codes. No state of its own: the caller serialises the use of connection and target.
#pragma once

#include <lunscope/records.h>

#include "collector/model/connection.h"
#include "collector/model/target.h"

namespace lunscope {

// Growth of those counters of a connection that are events, since they were last counted.
struct Troubles {
  uint32_t gaps = 0;
  uint32_t header_digest_errors = 0;
  [[nodiscard]] bool any() const { return gaps != 0 || header_digest_errors != 0; }
};

// Add what the kernel's counters of a connection have grown by since they were last counted.
Troubles CountTraffic(Connection& connection, const lunscope_connection_record& record);

// Count a task management request, a Reject, an Asynchronous Message or a ping. Other PDUs change
// nothing.
void CountManagement(Connection& connection, const lunscope_pdu_record& record);

}  // namespace lunscope
