// SPDX-License-Identifier: Apache-2.0
#include "collector/model/commands.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "collector/base/ahs.h"
#include "collector/base/record.h"
#include "collector/model/cdb.h"

namespace lunscope {
namespace {

// Each error is counted once, where its outcome says what it means.
void CountError(LunStatistics& lun, const Verdict& verdict) {
  if (!verdict.is_error()) return;
  const CommandEnd& end = verdict.end;
  switch (verdict.outcome->ending) {
    case Ending::kHostError: lun.host_errors[end.host_status]++; break;
    case Ending::kTargetFailure: lun.target_failures++; break;
    case Ending::kCheckCondition:
    case Ending::kDeferredError: lun.errors[{end.status, end.sense.key}]++; break;
    default: lun.errors[{end.status, std::nullopt}]++; break;
  }
}

// The command has ended, and its extension goes with it.
void TakeExtension(Connection& connection, const lunscope_command_record& record,
                   Applied& applied) {
  const auto found = connection.extensions.find(record.itt);
  if (found == connection.extensions.end()) return;
  connection.extension = std::move(found->second);
  connection.extensions.erase(found);
  applied.extension = &connection.extension;
}

// The command is in flight, and its extension stays.
void ShowExtension(const Connection& connection, const lunscope_command_record& record,
                   Applied& applied) {
  const auto found = connection.extensions.find(record.itt);
  if (found != connection.extensions.end()) applied.extension = &found->second;
}

void CountPhases(TargetCounters& target, const lunscope_command_record& record, size_t operation) {
  if (record.known_phases == 0) return;
  PhaseStatistics& phases = target.phases[operation].Ensure();
  for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_SLOTS; slot++) {
    if ((record.known_phases >> slot & 1) != 0) phases[slot].Add(lunscope_phase_ns(&record, slot));
  }
}

// The same for the commands that were added up between two readings.
void CountPhases(TargetCounters& target, const lunscope_aggregate& before,
                 const lunscope_aggregate& now, size_t operation) {
  const auto& rest = now.phases[LUNSCOPE_PHASE_REST];
  if (std::ranges::equal(rest, before.phases[LUNSCOPE_PHASE_REST])) return;
  PhaseStatistics& phases = target.phases[operation].Ensure();
  for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_SLOTS; slot++) {
    phases[slot].AddGrowth(before.phases[slot], now.phases[slot],
                           now.phase_ns[slot] - before.phase_ns[slot]);
  }
}

// Say of which LUN the command is, and what it does.
void Classify(const LunStatistics& lun, const lunscope_command_record& record, Applied& applied) {
  applied.lun = &lun;
  applied.operation = OperationOf(CdbOf(record, applied), applied.device_type);
}

}  // namespace

Applied CommandCounter::Apply(Connection& connection, const lunscope_command_record& record) {
  LunStatistics& lun = series_.LunOf(connection, record.lun);
  Applied applied{.connection = &connection,
                  .device_type = DeviceTypeOf(connection, record.lun, lun),
                  .verdict = Judge(record)};
  const bool is_end = applied.verdict.is_end();
  if (is_end && !connection.extensions.empty()) TakeExtension(connection, record, applied);
  if (!is_end) ShowExtension(connection, record, applied);
  if (applied.verdict.is_answered()) {
    if (connection.awaits_answer) connection.command_ns = record.header.time_ns;
    Count(connection, lun, record, applied);
    InitiatorCounters& initiator = series_.InitiatorOf(connection, connection.initiator);
    initiator.commands++;
    initiator.duration_ns += record.duration_ns;
    initiator.read_bytes += record.read_bytes;
    initiator.written_bytes += record.written_bytes;
    return applied;
  }
  Classify(lun, record, applied);
  if (is_end) lun.no_status[record.no_status - 1]++;
  if (record.no_status == 1 + LUNSCOPE_UNREPORTED_CONNECTION_CLOSED) connection.cut_off++;
  return applied;
}

OperationStatistics& CommandCounter::Count(const Origin& origin, LunStatistics& lun,
                                           const lunscope_command_record& record,
                                           Applied& applied) {
  Classify(lun, record, applied);
  OperationStatistics& statistics = series_.OperationOf(origin, lun, applied.operation);
  statistics.duration_ns.Add(record.duration_ns);
  origin.target->second.sizes[applied.operation].Add(TransferredBytes(record));
  CountPhases(origin.target->second, record, applied.operation);
  lun.read_bytes += record.read_bytes;
  lun.written_bytes += record.written_bytes;
  CountError(lun, applied.verdict);
  return statistics;
}

Applied CommandCounter::Apply(Connection& connection, const lunscope_aggregates_record& record) {
  InitiatorCounters& initiator = series_.InitiatorOf(connection, connection.initiator);
  connection.aggregates.resize(std::max<size_t>(connection.aggregates.size(), record.count));
  for (uint32_t i = 0; i < record.count; i++) {
    const lunscope_aggregate& now = record.aggregates[i];
    lunscope_aggregate& counted = connection.aggregates[i];
    LunStatistics& lun = series_.LunOf(connection, now.lun);
    const std::array<uint8_t, ISCSI_CDB_BYTES> cdb = {now.opcode, now.byte1};
    const size_t operation = OperationOf(cdb, DeviceTypeOf(connection, now.lun, lun));
    const uint64_t bytes = now.transferred_bytes - counted.transferred_bytes;
    const uint64_t duration_ns = now.duration_ns - counted.duration_ns;
    series_.OperationOf(connection, lun, operation)
        .duration_ns.AddGrowth(counted.durations, now.durations, duration_ns);
    connection.target->second.sizes[operation].AddGrowth(counted.sizes, now.sizes, bytes);
    CountPhases(connection.target->second, counted, now, operation);
    const bool is_read = (now.flags & ISCSI_COMMAND_READ) != 0;
    (is_read ? lun.read_bytes : lun.written_bytes) += bytes;
    (is_read ? initiator.read_bytes : initiator.written_bytes) += bytes;
    initiator.commands += now.commands - counted.commands;
    initiator.duration_ns += duration_ns;
    counted = now;
  }
  return {.connection = &connection};
}

void CommandCounter::Keep(Connection& connection, const lunscope_header_record& record) {
  const bool is_command = iscsi_opcode(record.bhs) == ISCSI_SCSI_COMMAND;
  if (!is_command || record.ahs_bytes == 0 || record.has_wrong_digest != 0) return;
  // A command that never ended left its own behind.
  if (connection.extensions.size() >= LUNSCOPE_TRACKED_COMMANDS)
    connection.extensions.erase(connection.extensions.begin());
  const AhsList list = ReadAhs(record.bhs, std::span(record.ahs, record.ahs_bytes));
  CommandExtension& extension = connection.extensions[iscsi_itt(record.bhs)];
  extension = {};
  if (const Ahs* ahs = list.Find(Ahs::kExtendedCdb); ahs != nullptr) {
    const uint8_t* cdb = iscsi_cdb(record.bhs);
    extension.cdb.assign(cdb, cdb + ISCSI_CDB_BYTES);
    const std::span rest = ahs->ExtendedCdb();
    extension.cdb.insert(extension.cdb.end(), rest.begin(), rest.end());
  }
  if (const Ahs* ahs = list.Find(Ahs::kBidirectionalLength); ahs != nullptr)
    extension.expected_read_bytes = ahs->BidirectionalLength();
}

Applied CommandCounter::Apply(Connection& connection, const lunscope_inflight_record& record) {
  tracked_ += record.count;
  for (const lunscope_waiting& waiting : std::span(record.waiting, record.count)) {
    if (waiting.start_ns == 0) continue;
    series_.LunOf(connection, waiting.lun).CountInFlight(waiting.start_ns);
    connection.in_flight++;
    if (connection.oldest_start_ns == 0 || waiting.start_ns < connection.oldest_start_ns)
      connection.oldest_start_ns = waiting.start_ns;
  }
  return {.connection = &connection};
}

void CommandCounter::Learn(Connection& connection, const lunscope_pdu_record& record) {
  LunStatistics& lun = series_.LunOf(connection, record.lun);
  // A peer that has not logged in may answer, too.
  const bool is_in_session = connection.session || connection.is_midstream;
  if (is_in_session && TrustsIdentity(connection, lun)) {
    lun.IdentityToLearn(connection.portal).Learn(record.cdb, record.chunk, record.chunk_bytes);
    return;
  }
  LunIdentity here;
  here.Learn(record.cdb, record.chunk, record.chunk_bytes);
  LearnDeviceType(connection, record.lun, here.device_type);
}

}  // namespace lunscope
