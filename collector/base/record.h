// SPDX-License-Identifier: Apache-2.0
//
// Is a record what it says it is? The one place where bytes become a typed record.
#pragma once

#include <cstddef>

#include <lunscope/aggregate.h>

namespace lunscope {

// Do length and contents fit the kind? bytes: so many are there, a header at least.
inline bool IsWhole(const lunscope_record* record, size_t bytes) {
  const void* data = record;
  switch (record->kind) {
    case LUNSCOPE_RECORD_CONNECTION: return record->bytes == sizeof(lunscope_connection_record);
    case LUNSCOPE_RECORD_NEXUS: return record->bytes == sizeof(lunscope_nexus_record);
    case LUNSCOPE_RECORD_PDU: {
      const auto* pdu = static_cast<const lunscope_pdu_record*>(data);
      return record->bytes == sizeof(*pdu) && pdu->chunk_bytes <= sizeof(pdu->chunk);
    }
    case LUNSCOPE_RECORD_HEADER: {
      const auto* header = static_cast<const lunscope_header_record*>(data);
      return record->bytes == sizeof(*header) && header->ahs_bytes <= sizeof(header->ahs);
    }
    case LUNSCOPE_RECORD_INFLIGHT: {
      const auto* list = static_cast<const lunscope_inflight_record*>(data);
      return bytes >= offsetof(lunscope_inflight_record, waiting) &&
             list->count <= LUNSCOPE_TRACKED_COMMANDS &&
             record->bytes == lunscope_inflight_list_bytes(list);
    }
    case LUNSCOPE_RECORD_AGGREGATES: {
      const auto* table = static_cast<const lunscope_aggregates_record*>(data);
      return bytes >= offsetof(lunscope_aggregates_record, aggregates) &&
             table->count <= LUNSCOPE_AGGREGATES &&
             record->bytes == lunscope_aggregates_bytes(table);
    }
    case LUNSCOPE_RECORD_SCSI_COMMAND: {
      const auto* scsi = static_cast<const lunscope_scsi_command_record*>(data);
      return record->bytes == sizeof(*scsi) &&
             scsi->sensed.command.sense_bytes <= LUNSCOPE_SENSE_BYTES;
    }
    case LUNSCOPE_RECORD_COMMAND: {
      const auto* command = static_cast<const lunscope_command_record*>(data);
      if (record->bytes == sizeof(*command)) return command->sense_bytes == 0;
      return record->bytes == sizeof(lunscope_sensed_command_record) &&
             command->sense_bytes <= LUNSCOPE_SENSE_BYTES;
    }
    default: return false;
  }
}

// The record at data, or nullptr if ABI, kind and length do not fit each other.
inline const lunscope_record* CheckRecord(const void* data, size_t bytes) {
  const auto* record = static_cast<const lunscope_record*>(data);
  if (bytes < sizeof(*record) || record->abi != LUNSCOPE_ABI || record->bytes > bytes)
    return nullptr;
  return IsWhole(record, bytes) ? record : nullptr;
}

}  // namespace lunscope
