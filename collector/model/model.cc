// SPDX-License-Identifier: Apache-2.0
#include "collector/model/model.h"

#include "collector/base/record.h"
#include "collector/model/traffic.h"

namespace lunscope {

Applied Model::Apply(const lunscope_record& record) {
  if (connections_.IsStale(record)) return {};
  return Visit(record,
               Overloaded{
                   [this](const lunscope_command_record& command) { return ApplyCommand(command); },
                   [this](const lunscope_pdu_record& pdu) { return ApplyPdu(pdu); },
                   [this](const lunscope_connection_record& read) { return ApplyConnection(read); },
                   [&](const lunscope_aggregates_record& table) {
                     return commands_.Apply(connections_.Of(record), table);
                   },
                   [&](const lunscope_inflight_record& list) {
                     return commands_.Apply(connections_.Of(record), list);
                   },
                   [this](const lunscope_header_record& header) { return ApplyHeader(header); },
                   [this](const lunscope_nexus_record& nexus) { return layers_.Apply(nexus); },
                   [this](const lunscope_scsi_command_record& scsi) { return layers_.Apply(scsi); },
                   [](const lunscope_record&) { return Applied{}; },
               });
}

Applied Model::ApplyCommand(const lunscope_command_record& record) {
  Connection& connection = connections_.Of(record.header);
  Applied applied = commands_.Apply(connection, record);
  if (applied.verdict.is_answered()) {
    layers_.PutOnWire(connection, record);
    applied.backend_ns = layers_.TakeBackend(connection, record);
  }
  if (profiler_ != nullptr)
    profiler_->Add(connection, series_.LunOf(connection, record.lun), record, applied);
  return applied;
}

Applied Model::ApplyPdu(const lunscope_pdu_record& record) {
  series_.AdvanceTo(record.header.time_ns);
  Connection& connection = connections_.Of(record.header);
  const LoginNews news = logins_.Apply(connection, record);
  CountManagement(connection, record);
  if (iscsi_opcode(record.bhs) == ISCSI_DATA_IN && record.chunk_offset == 0)
    commands_.Learn(connection, record);
  overdue_.Note(connection);
  return {
      .connection = &connection, .redirected_to = news.redirected_to, .beginning = news.beginning};
}

Applied Model::ApplyConnection(const lunscope_connection_record& record) {
  series_.AdvanceTo(record.header.time_ns);
  Connection& connection = connections_.Of(record.header);
  connections_.Describe(connection, record);
  const Troubles troubles = CountTraffic(connection, record);
  logins_.Apply(connection, record);
  if ((record.header.flags & LUNSCOPE_FLAG_CLOSED) == 0)
    return {.connection = &connection, .troubles = troubles};
  const auto end = static_cast<lunscope_end>(record.end % LUNSCOPE_END_COUNT);
  ended_ = {connection.target->first.name,
            connection.initiator,
            connection.local,
            connection.remote,
            connection.process,
            end,
            DuringOf(connection),
            connection.cut_off};
  Close(connection, record.header.time_ns, ended_.end);
  return {.ended = &ended_};
}

// A header is shown. Each PDU that matters here has a record of its own, but for what an AHS says.
Applied Model::ApplyHeader(const lunscope_header_record& record) {
  Connection& connection = connections_.Of(record.header);
  commands_.Keep(connection, record);
  return {.connection = &connection, .device_type = DeviceType(connection, iscsi_lun(record.bhs))};
}

void Model::Close(Connection& connection, uint64_t time_ns, lunscope_end end) {
  connection.pings.GiveUp(connection.target->second.pings);
  connection.target->second.ends[end][static_cast<size_t>(DuringOf(connection))]++;
  logins_.Close(connection, time_ns);
  connections_.Forget(connection);
}

void Model::BeginWalk(uint64_t now_ns) {
  walk_ns_ = now_ns;
  if (profiler_ != nullptr) settles_ns_ = has_own_time_ ? profiler_->latest_ns() : now_ns;
  logins_.Age(now_ns);
  series_.BeginWalk(now_ns);
  connections_.BeginWalk();
  commands_.BeginWalk();
}

void Model::EndWalk(bool is_whole, const Pause& pause) {
  connections_.EndWalk(is_whole, pause,
                       [this](Connection& gone) { Close(gone, walk_ns_, LUNSCOPE_END_UNKNOWN); });
  if (!is_whole) settles_ns_ = std::nullopt;
}

Snapshot Model::TakeSnapshot(const Pause& pause) {
  Snapshot snapshot;
  snapshot.has_profiles = profiler_ != nullptr;
  if (settles_ns_) series_.SettleProfiles(*settles_ns_);
  settles_ns_ = std::nullopt;
  series_.Hold();
  snapshot.dropped_series = series_.dropped();
  snapshot.tracked_commands = commands_.tracked();
  CopyTargets(series_.targets(), pause, snapshot);
  connections_.local_luns().Copy(snapshot);
  CopyInitiators(series_.initiators(), pause, snapshot);
  CopySessions(sessions().all(), max_label_sets_, pause, snapshot);
  CountConnections(connections(), max_label_sets_, pause, snapshot);
  series_.EndHold();
  return snapshot;
}

int Model::DeviceType(const Connection& connection, uint64_t lun) {
  const auto& luns = connection.target->second.luns;
  const auto seen = luns.find(CanonicalLun(lun));
  return seen == luns.end() ? OwnDeviceType(connection, lun)
                            : DeviceTypeOf(connection, lun, seen->second);
}

}  // namespace lunscope
