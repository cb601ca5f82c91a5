// SPDX-License-Identifier: Apache-2.0
#include "collector/diagnosis/strands.h"

#include <algorithm>
#include <optional>

#include "collector/base/record.h"
#include "collector/model/cdb.h"

namespace lunscope {
namespace {

constexpr uint8_t kStatusBusy = 0x08;
constexpr uint8_t kStatusConflict = 0x18;
constexpr uint8_t kStatusTaskSetFull = 0x28;
constexpr uint8_t kReadCapacity10 = 0x25;
constexpr uint8_t kReportLuns = 0xa0;
constexpr uint8_t kMaintenanceOut = 0xa4;
constexpr uint8_t kSetTargetPortGroups = 0x0a;
constexpr uint8_t kReserve6 = 0x16;
constexpr uint8_t kReserve10 = 0x56;
constexpr uint8_t kPersistentReserveOut = 0x5f;
constexpr uint8_t kReserve = 0x01;  // service action of the last one

// A small command fits into the first segments that TCP sends without an acknowledgement.
constexpr uint64_t kSmallBytes = 8192;
constexpr uint64_t kShortWaitNs = 5'000'000;
// Linux delays an acknowledgement by 40 ms at least (TCP_DELACK_MIN), and its timer may be late by
// a tick or two.
constexpr uint64_t kDelayedAckFromNs = 38'000'000;
constexpr uint64_t kDelayedAckToNs = 48'000'000;

// Fewer reads have no mean that is worth to compare with.
constexpr uint64_t kLeastReads = 10;

bool IsKnown(const lunscope_command_record& command, uint32_t slot) {
  return (command.known_phases >> slot & 1) != 0;
}

// The longest wait between pieces of one PDU, or of a command and its data, that a round trip of
// the network does not explain.
uint64_t LongestShortWait(const lunscope_command_record& command) {
  const bool is_target = command.header.role == LUNSCOPE_ROLE_TARGET;
  uint64_t longest = 0;
  for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_REST; slot++) {
    const uint32_t phase = lunscope_phase_of(command.header.role, slot);
    const bool is_round_trip = phase == LUNSCOPE_PHASE_TRANSFER_IN && command.r2ts != 0;
    const bool is_pieces =
        is_target ? phase != LUNSCOPE_PHASE_QUEUE : phase != LUNSCOPE_PHASE_PICKUP;
    if (is_pieces && !is_round_trip && IsKnown(command, slot))
      longest = std::max(longest, lunscope_phase_ns(&command, slot));
  }
  return longest;
}

void CountPhases(Figures& now, const lunscope_command_record& command, bool is_write) {
  if (!IsKnown(command, LUNSCOPE_PHASE_REST)) return;
  now[kPhased]++;
  for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_SLOTS; slot++) {
    if (IsKnown(command, slot)) now[kPhase0 + slot] += lunscope_phase_ns(&command, slot);
  }
  if (is_write) {
    const uint32_t slot = command.header.role == LUNSCOPE_ROLE_TARGET
                              ? LUNSCOPE_PHASE_TRANSFER_IN % LUNSCOPE_PHASE_SLOTS
                              : LUNSCOPE_PHASE_DATA_OUT % LUNSCOPE_PHASE_SLOTS;
    now[kPhasedWrites]++;
    if (IsKnown(command, slot)) now[kDataWaits] += lunscope_phase_ns(&command, slot);
  }
  if (TransferredBytes(command) > kSmallBytes || command.retransmits != 0) return;
  const uint64_t wait_ns = LongestShortWait(command);
  if (wait_ns < kShortWaitNs) return;
  now[kShortWaits]++;
  if (wait_ns >= kDelayedAckFromNs && wait_ns <= kDelayedAckToNs) now[kDelayedAcks]++;
}

void CountData(Figures& now, const lunscope_command_record& command, bool is_write) {
  now[is_write ? kWrites : kReads]++;
  now[is_write ? kWriteTimes : kReadTimes] += command.duration_ns;
  now[kDataBytes] += TransferredBytes(command);
  if (is_write) {
    now[kWriteBytes] += TransferredBytes(command);
    now[kR2ts] += command.r2ts;
  }
  if (command.retransmits != 0) {
    now[kSentAgain]++;
    now[kSentAgainTimes] += command.duration_ns;
  }
  CountPhases(now, command, is_write);
}

// Commands end in their order, nearly. A part that is left out makes a LUN look less busy than it
// is.
void CountBusyTime(Strand& strand, const lunscope_command_record& command) {
  const uint64_t status_ns = command.header.time_ns;
  const uint64_t start_ns = status_ns > command.duration_ns ? status_ns - command.duration_ns : 0;
  const bool is_picked_up =
      command.header.role == LUNSCOPE_ROLE_INITIATOR && IsKnown(command, LUNSCOPE_PHASE_PICKUP);
  const uint64_t end_ns =
      status_ns + (is_picked_up ? lunscope_phase_ns(&command, LUNSCOPE_PHASE_PICKUP) : 0);
  const uint64_t from_ns = std::max(start_ns, strand.covered_ns);
  if (end_ns <= from_ns) return;
  strand.now[kBusyTimes] += end_ns - from_ns;
  strand.covered_ns = end_ns;
}

void CountStatus(Figures& now, const CommandEnd& end, bool is_data) {
  if (end.status == kStatusBusy || end.status == kStatusTaskSetFull) now[kTurnedAway]++;
  if (end.status == kStatusConflict) now[kConflicts]++;
  const bool is_standby =
      end.sense.valid != 0 && end.sense.key == 2 && end.sense.asc == 0x04 && end.sense.ascq == 0x0b;
  if (is_standby && is_data) now[kStandbys]++;
}

bool IsReserve(const uint8_t* cdb) {
  return cdb[0] == kReserve6 || cdb[0] == kReserve10 ||
         (cdb[0] == kPersistentReserveOut && scsi_service_action(cdb) == kReserve);
}

bool IsReadCapacity(const uint8_t* cdb) {
  return cdb[0] == kReadCapacity10 ||
         (cdb[0] == SCSI_SERVICE_ACTION_IN_16 &&
          scsi_service_action(cdb) == SCSI_SERVICE_ACTION_READ_CAPACITY_16);
}

void Count(Attention& attention) {
  if (attention.since_ns != 0) attention.commands++;
}

bool IsUnitAttention(const scsi_sense& sense, uint8_t asc, uint8_t ascq) {
  return sense.valid != 0 && sense.key == 6 && sense.asc == asc && sense.ascq == ascq;
}

}  // namespace

Figures Strand::Grown() const {
  Figures grown{};
  for (size_t figure = 0; figure < kFigures; figure++) grown[figure] = now[figure] - base[figure];
  return grown;
}

void Strands::Take(const lunscope_record& record, const Applied& applied) {
  if (applied.ended != nullptr) {
    End(record.connection);
    return;
  }
  if (applied.connection == nullptr) return;
  if (const auto* command = RecordAs<lunscope_command_record>(record); command != nullptr)
    TakeCommand(*command, applied);
}

Strand* Strands::StrandOf(const lunscope_command_record& command, const Applied& applied) {
  const Connection& connection = *applied.connection;
  const Key key{connection.id, CanonicalLun(command.lun)};
  auto found = strands_.find(key);
  if (found == strands_.end()) {
    if (strands_.size() >= kMaxStrands) return nullptr;
    found = strands_.try_emplace(key).first;
  }
  Strand& strand = found->second;
  // A name may be learned later than the first command.
  if (strand.named != connection.target || strand.subject.initiator.empty()) {
    const bool is_target = connection.role == LUNSCOPE_ROLE_TARGET;
    strand.named = connection.target;
    strand.subject = {connection.role, connection.target->first.name, connection.initiator,
                      HostOf(is_target ? connection.remote : connection.local), key.second};
  }
  return &strand;
}

void Strands::TakeCommand(const lunscope_command_record& command, const Applied& applied) {
  if (!applied.verdict.is_end()) return;
  Strand* strand = StrandOf(command, applied);
  if (strand == nullptr) {
    left_out_++;
    return;
  }
  Figures& now = strand->now;
  if (!applied.verdict.is_answered()) {
    if (command.no_status != 1 + LUNSCOPE_UNREPORTED_ABORTED) return;
    now[kAborted]++;
    now[kAbortedTimes] += command.duration_ns;
    return;
  }
  const bool is_write = applied.operation == SCSI_OPERATION_WRITE;
  const bool is_data = is_write || applied.operation == SCSI_OPERATION_READ;
  now[kCommands]++;
  now[kDurations] += command.duration_ns;
  if (is_data && !applied.verdict.is_error()) {
    CountData(now, command, is_write);
    CountBusyTime(*strand, command);
  }
  if (applied.operation == SCSI_OPERATION_DISCARD) {
    now[kDiscards]++;
    now[kDiscardTimes] += command.duration_ns;
  }
  CountStatus(now, applied.verdict.end, is_data);
  Follow(*strand, command, applied);
}

// Facts of a command beside counts.
void Strands::Follow(Strand& strand, const lunscope_command_record& command,
                     const Applied& applied) {
  const CommandEnd& end = applied.verdict.end;
  const uint8_t* cdb = command.cdb;
  if (cdb[0] == kMaintenanceOut && scsi_service_action(cdb) == kSetTargetPortGroups)
    strand.now[kPathChanges]++;
  if (IsUnitAttention(end.sense, 0x2a, 0x09)) strand.capacity = {command.header.time_ns, 0};
  if (IsUnitAttention(end.sense, 0x3f, 0x0e)) strand.lun_list = {command.header.time_ns, 0};
  if (applied.verdict.is_error()) return;
  if (IsReserve(cdb)) strand.reserved_ns = command.header.time_ns;
  if (IsReadCapacity(cdb)) strand.capacity = {};
  if (cdb[0] == kReportLuns) EndLunList(applied.connection->id);
  const bool is_write = applied.operation == SCSI_OPERATION_WRITE;
  if (!is_write && applied.operation != SCSI_OPERATION_READ) return;
  Count(strand.capacity);
  Count(strand.lun_list);
  if (!is_write) return;
  const std::span<const uint8_t> bytes(command.cdb);
  const std::optional<uint64_t> lba = LbaOf(bytes, applied.device_type);
  const std::optional<uint64_t> blocks = BlocksOf(bytes, applied.device_type);
  if (lba && blocks) strand.writes[strand.now[kWrites] % Strand::kKeptWrites] = {*lba, *blocks};
}

void Strands::EndLunList(uint64_t connection) {
  for (auto strand = strands_.lower_bound({connection, 0});
       strand != strands_.end() && strand->first.first == connection; ++strand) {
    strand->second.lun_list = {};
  }
}

void Strands::End(uint64_t connection) {
  for (auto strand = strands_.lower_bound({connection, 0});
       strand != strands_.end() && strand->first.first == connection; ++strand) {
    strand->second.is_over = true;
  }
}

void Strands::Turn() {
  for (auto& [key, strand] : strands_) {
    const Figures grown = strand.Grown();
    if (grown[kDiscards] == 0 && grown[kReads] >= kLeastReads)
      strand.quiet_read_ns = grown[kReadTimes] / grown[kReads];
    strand.base = strand.next;
    strand.next = strand.now;
  }
  // One that is over and did nothing in the window.
  std::erase_if(strands_, [](const auto& entry) {
    return entry.second.is_over && entry.second.base == entry.second.now;
  });
}

}  // namespace lunscope
