// SPDX-License-Identifier: Apache-2.0
//
// Counts for a target besides commands: PDUs, bytes, and the management PDUs by their
// codes. No state of its own: the caller serialises the use of connection and target.
#pragma once

#include <lunscope/records.h>

#include "collector/model/connection.h"
#include "collector/model/target.h"

namespace lunscope {

// Add what the kernel's counters of a connection have grown by since they were last counted.
void CountTraffic(Connection& connection, const lunscope_connection_record& record);

// Count a task management request, a Reject, an Asynchronous Message or a ping. Other PDUs change
// nothing.
void CountManagement(Connection& connection, const lunscope_pdu_record& record);

}  // namespace lunscope
