// SPDX-License-Identifier: Apache-2.0
//
// Is a record what it says it is? The one place where bytes become a typed record.
#pragma once

#include <cstddef>

#include <lunscope/command.h>

namespace lunscope {

// The record at data, or nullptr if ABI, kind and length do not fit each other.
inline const lunscope_event* CheckRecord(const void* data, size_t bytes) {
  const auto* event = static_cast<const lunscope_event*>(data);
  if (bytes < sizeof(*event) || event->abi != LUNSCOPE_ABI || event->bytes > bytes) return nullptr;
  switch (event->kind) {
    case LUNSCOPE_EVENT_CONNECTION:
      return event->bytes == sizeof(lunscope_connection_event) ? event : nullptr;
    case LUNSCOPE_EVENT_PDU: return event->bytes == sizeof(lunscope_pdu_event) ? event : nullptr;
    case LUNSCOPE_EVENT_INFLIGHT:
      return event->bytes == sizeof(lunscope_inflight) ? event : nullptr;
    case LUNSCOPE_EVENT_COMMAND:
      return event->bytes == sizeof(lunscope_command_event) ||
                     event->bytes == sizeof(lunscope_sensed_command_event)
                 ? event
                 : nullptr;
    default: return nullptr;
  }
}

}  // namespace lunscope
