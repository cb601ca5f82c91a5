// SPDX-License-Identifier: Apache-2.0
//
// The one place where bytes become a typed record: CheckRecord() says whether they are one, Visit()
// and RecordAs() give its type. All of it is made from LUNSCOPE_RECORDS, so a new kind of record
// is a row there, and a line in IsWhole() only if the record has lengths inside.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include <lunscope/reasons.h>
#include <lunscope/records.h>

namespace lunscope {

// Do the lengths inside fit the record? bytes: how many are there, a header at least. Overloads for
// the records that have such lengths; all others have the size of their struct.
template <typename Record>
bool IsWhole(const Record& record, size_t /*bytes*/) {
  return record.header.bytes == sizeof(record);
}

inline bool IsWhole(const lunscope_pdu_record& record, size_t /*bytes*/) {
  return record.header.bytes == sizeof(record) && record.chunk_bytes <= sizeof(record.chunk);
}

inline bool IsWhole(const lunscope_header_record& record, size_t /*bytes*/) {
  return record.header.bytes == sizeof(record) && record.ahs_bytes <= sizeof(record.ahs);
}

inline bool IsWhole(const lunscope_inflight_record& record, size_t bytes) {
  return bytes >= offsetof(lunscope_inflight_record, waiting) &&
         record.count <= LUNSCOPE_TRACKED_COMMANDS &&
         record.header.bytes == lunscope_inflight_list_bytes(&record);
}

inline bool IsWhole(const lunscope_aggregates_record& record, size_t bytes) {
  return bytes >= offsetof(lunscope_aggregates_record, aggregates) &&
         record.count <= LUNSCOPE_AGGREGATES &&
         record.header.bytes == lunscope_aggregates_bytes(&record);
}

inline bool IsWhole(const lunscope_scsi_command_record& record, size_t /*bytes*/) {
  return record.sensed.command.header.bytes == sizeof(record) &&
         record.sensed.command.sense_bytes <= LUNSCOPE_SENSE_BYTES;
}

inline bool IsWhole(const lunscope_command_record& record, size_t /*bytes*/) {
  if (record.header.bytes == sizeof(record))
    return record.sense_bytes == 0 &&
           (record.no_status <= LUNSCOPE_UNREPORTED_COUNT || record.no_status == LUNSCOPE_OPEN);
  return record.header.bytes == sizeof(lunscope_sensed_command_record) &&
         record.sense_bytes <= LUNSCOPE_SENSE_BYTES && record.no_status == 0;
}

// Call visitor(typed record). A record of an unknown kind is visited as a lunscope_record, so a
// visitor takes that as well: a generic lambda takes all that it has no case for.
// REQUIRES: CheckRecord() returned this record.
template <typename Visitor>
decltype(auto) Visit(const lunscope_record& record, Visitor&& visitor) {
  const void* data = &record;
  switch (record.kind) {
#define LUNSCOPE_VISIT(name, type, bytes) \
  case LUNSCOPE_RECORD_##name: return visitor(*static_cast<const type*>(data));
    LUNSCOPE_RECORDS(LUNSCOPE_VISIT)
#undef LUNSCOPE_VISIT
    default: return visitor(record);
  }
}

// One lambda for each type that a visitor has a case for.
template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

// The record as this type, or nullptr if it is of another kind. REQUIRES: as Visit().
template <typename Record>
const Record* RecordAs(const lunscope_record& record) {
  return Visit(record, [](const auto& typed) -> const Record* {
    if constexpr (std::is_same_v<decltype(typed), const Record&>) return &typed;
    return nullptr;
  });
}

// The sense that a command's record ends with; empty if it has none.
inline std::span<const uint8_t> SenseBytes(const lunscope_command_record& record) {
  if (record.sense_bytes == 0) return {};
  const void* data = &record;
  const auto* sensed = static_cast<const lunscope_sensed_command_record*>(data);
  return {sensed->sense, record.sense_bytes};
}

// Bytes in data segments, both ways.
inline uint64_t TransferredBytes(const lunscope_command_record& record) {
  return uint64_t{record.read_bytes} + record.written_bytes;
}

// The header that a record of any type begins with.
template <typename Record>
auto& HeaderOf(Record& record) {
  static_assert(std::is_standard_layout_v<Record>);
  if constexpr (requires { record.header; }) return record.header;
  if constexpr (requires { record.command; }) return record.command.header;
  if constexpr (requires { record.sensed; }) return record.sensed.command.header;
}

// The record at the beginning of these bytes, or nullptr if ABI, kind and length do not fit each
// other: such bytes are counted as malformed and never applied.
inline const lunscope_record* CheckRecord(const void* data, size_t bytes) {
  const auto* record = static_cast<const lunscope_record*>(data);
  if (bytes < sizeof(*record) || record->abi != LUNSCOPE_ABI || record->bytes > bytes)
    return nullptr;
  const bool is_whole =
      Visit(*record, Overloaded{[](const lunscope_record&) { return false; },
                                [bytes](const auto& typed) { return IsWhole(typed, bytes); }});
  return is_whole ? record : nullptr;
}

// The record that begins here. REQUIRES: a whole record lies there, as a queue of records has it.
inline const lunscope_record& RecordAt(const void* data) {
  return *static_cast<const lunscope_record*>(data);
}

}  // namespace lunscope
