// SPDX-License-Identifier: Apache-2.0
#include "collector/model/connections.h"

#include "collector/base/address.h"
#include "collector/base/printable.h"

namespace lunscope {
namespace {

// A connection that two walks in a row did not find has closed, and the record of its end was lost.
constexpr uint64_t kMaxWalksMissed = 2;
// Between two pauses. To find one's place again costs more than to look at a connection.
constexpr uint64_t kConnectionsAtOnce = 32;

}  // namespace

void Connections::SetRole(Connection& connection, uint8_t role) {
  connection.role = role;
  series_.Assign(connection, {role, kUnknownName});
  InferNames(connection);
}

void Connections::Describe(Connection& connection, const lunscope_connection_record& record) {
  if (connection.local.empty()) {
    connection.local = FormatAddress(record.local_address, record.is_ipv6, record.local_port);
    connection.remote = FormatAddress(record.remote_address, record.is_ipv6, record.remote_port);
  }
  const bool is_target = connection.role == LUNSCOPE_ROLE_TARGET;
  connection.portal =
      PackedAddress::Of(is_target ? record.local_address : record.remote_address, record.is_ipv6,
                        is_target ? record.local_port : record.remote_port);
  connection.last_walk = walk_number_;
  connection.tcp = record.tcp;
  connection.window.reset();
  if (record.has_window != 0) connection.window = record.window;
  connection.unread_bytes = record.unread_bytes;
  connection.in_flight = 0;
  connection.oldest_start_ns = 0;
  connection.smallest_window = record.smallest_window;
  connection.seen = {record.largest_segment[is_target ? LUNSCOPE_SENT : LUNSCOPE_RECEIVED],
                     record.largest_segment[is_target ? LUNSCOPE_RECEIVED : LUNSCOPE_SENT],
                     record.largest_immediate, record.largest_r2t};
  connection.unacknowledged_statuses.reset();
  if (record.has_unacknowledged_statuses != 0)
    connection.unacknowledged_statuses = record.unacknowledged_statuses;
  connection.is_midstream = (record.header.flags & LUNSCOPE_FLAG_MIDSTREAM) != 0;
  connection.never_came_about = (record.header.flags & LUNSCOPE_FLAG_CONNECTING) != 0;
  InferNames(connection);
}

void Connections::SetProcess(uint64_t id, LocalProcess process) {
  if (Connection* connection = table_.Find(id)) connection->process = std::move(process);
}

void Connections::SetHostSessions(std::vector<HostSession> sessions) {
  host_sessions_ = std::move(sessions);
  for (auto& [id, connection] : table_.all()) InferNames(connection);
}

// Only a connection that was open before lunscope gets such a name: the login names all others.
// names_from marks the name as one that no login gave.
void Connections::InferNames(Connection& connection) {
  if (!connection.is_midstream || !connection.names_from.empty() || connection.local.empty() ||
      connection.role == LUNSCOPE_ROLE_UNKNOWN)
    return;
  const HostSession found =
      FindHostSession(host_sessions_, connection.role, connection.local, connection.remote);
  if (found.target.empty() && found.initiator.empty()) return;
  connection.names_from = found.source;
  for (const auto& [lun, type] : found.device_types) LearnDeviceType(connection, lun, type);
  series_.Rename(connection);
  connection.initiator = NameFromWire(Printable(found.initiator));
  if (found.target.empty()) return;
  series_.Assign(connection, {connection.role, NameFromWire(Printable(found.target))});
  Series::Prove(connection);
}

void Connections::BeginWalk() {
  walk_number_++;
  is_walking_ = true;
  closed_in_walk_.clear();
}

void Connections::EndWalk(bool is_whole, const Pause& pause,
                          const std::function<void(Connection&)>& close) {
  is_walking_ = false;
  if (!is_whole) return;
  auto& all = table_.all();
  for (auto next = all.begin(); next != all.end();) {
    const uint64_t id = next->first;
    Connection& connection = next->second;
    ++next;
    if (walk_number_ - connection.last_walk >= kMaxWalksMissed) close(connection);
    if (!pause || id % kConnectionsAtOnce != 0) continue;
    pause();
    next = all.upper_bound(id);
  }
}

void Connections::Forget(const Connection& connection) {
  if (is_walking_) closed_in_walk_.insert(connection.id);
  series_.Release(connection);
  table_.Forget(connection.id);
}

}  // namespace lunscope
