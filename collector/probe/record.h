// SPDX-License-Identifier: Apache-2.0
//
// Is a record what it says it is? The one place where bytes become a typed record.
#pragma once

#include <cstddef>

#include <lunscope/aggregate.h>

namespace lunscope {

// Do length and contents fit the kind? bytes: so many are there, a header at least.
inline bool IsWhole(const lunscope_event* event, size_t bytes) {
  const void* data = event;
  switch (event->kind) {
    case LUNSCOPE_EVENT_CONNECTION: return event->bytes == sizeof(lunscope_connection_event);
    case LUNSCOPE_EVENT_NEXUS: return event->bytes == sizeof(lunscope_nexus_event);
    case LUNSCOPE_EVENT_PDU: {
      const auto* pdu = static_cast<const lunscope_pdu_event*>(data);
      return event->bytes == sizeof(*pdu) && pdu->chunk_bytes <= sizeof(pdu->chunk);
    }
    case LUNSCOPE_EVENT_HEADER: {
      const auto* header = static_cast<const lunscope_header_event*>(data);
      return event->bytes == sizeof(*header) && header->ahs_bytes <= sizeof(header->ahs);
    }
    case LUNSCOPE_EVENT_INFLIGHT: {
      const auto* list = static_cast<const lunscope_inflight_event*>(data);
      return bytes >= offsetof(lunscope_inflight_event, waiting) &&
             list->count <= LUNSCOPE_TRACKED_COMMANDS &&
             event->bytes == lunscope_inflight_list_bytes(list);
    }
    case LUNSCOPE_EVENT_AGGREGATES: {
      const auto* table = static_cast<const lunscope_aggregates_event*>(data);
      return bytes >= offsetof(lunscope_aggregates_event, aggregates) &&
             table->count <= LUNSCOPE_AGGREGATES &&
             event->bytes == lunscope_aggregates_bytes(table);
    }
    case LUNSCOPE_EVENT_SCSI_COMMAND: {
      const auto* scsi = static_cast<const lunscope_scsi_command_event*>(data);
      return event->bytes == sizeof(*scsi) &&
             scsi->sensed.command.sense_bytes <= LUNSCOPE_SENSE_BYTES;
    }
    case LUNSCOPE_EVENT_COMMAND: {
      const auto* command = static_cast<const lunscope_command_event*>(data);
      if (event->bytes == sizeof(*command)) return command->sense_bytes == 0;
      return event->bytes == sizeof(lunscope_sensed_command_event) &&
             command->sense_bytes <= LUNSCOPE_SENSE_BYTES;
    }
    default: return false;
  }
}

// The record at data, or nullptr if ABI, kind and length do not fit each other.
inline const lunscope_event* CheckRecord(const void* data, size_t bytes) {
  const auto* event = static_cast<const lunscope_event*>(data);
  if (bytes < sizeof(*event) || event->abi != LUNSCOPE_ABI || event->bytes > bytes) return nullptr;
  return IsWhole(event, bytes) ? event : nullptr;
}

}  // namespace lunscope
