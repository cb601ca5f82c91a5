// SPDX-License-Identifier: Apache-2.0
//
// The table of open iSCSI connections: who they are, when they are gone, and names for those whose
// login was not seen. Not thread-safe: one thread at a time. To find a connection that was met
// before makes no allocation.
#pragma once

#include <lunscope/records.h>

#include <cstdint>
#include <functional>
#include <map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "collector/base/host_session.h"
#include "collector/base/local_process.h"
#include "collector/model/connection.h"
#include "collector/model/local_luns.h"
#include "collector/model/numbered.h"
#include "collector/model/pause.h"
#include "collector/model/series.h"

namespace lunscope {

class Connections {
 public:
  // series: outlives this.
  explicit Connections(Series& series) : series_(series) {}

  // The connection of a record, which may be its first.
  Connection& Of(const lunscope_record& record) {
    Connection& connection = table_.At(record.connection, [&](Connection& met) {
      met.last_walk = walk_number_;
      met.met_ns = record.time_ns;
    });
    // A record may be older than what was learned since: an unknown role takes nothing back.
    const bool is_news = record.role != LUNSCOPE_ROLE_UNKNOWN && connection.role != record.role;
    if (connection.target == nullptr || is_news) SetRole(connection, record.role);
    return connection;
  }

  // Its own record: addresses, and that it is alive.
  void Describe(Connection& connection, const lunscope_connection_record& record);
  // Ignored if the connection has closed.
  void SetProcess(uint64_t id, LocalProcess process);
  // Sessions as this host reports them. They name the connections that were open before lunscope.
  void SetHostSessions(std::vector<HostSession> sessions);
  LocalLunTable& local_luns() { return local_luns_; }
  [[nodiscard]] const LocalLunTable& local_luns() const { return local_luns_; }

  // nullptr if it has closed, or was never met.
  [[nodiscard]] const Connection* Find(uint64_t id) const { return table_.Find(id); }
  Connection* Find(uint64_t id) { return table_.Find(id); }
  [[nodiscard]] const std::map<uint64_t, Connection>& all() const { return table_.all(); }

  void BeginWalk();
  // The walk had read this record before the connection closed, which another record has said
  // since.
  [[nodiscard]] bool IsStale(const lunscope_record& record) const {
    return is_walking_ && closed_in_walk_.contains(record.connection) && IsOfAWalk(record);
  }
  // is_whole: the walk has come to every connection. `close` is called for those that two walks in
  // a row did not find: the record of their end was lost. It must call Forget().
  void EndWalk(bool is_whole, const Pause& pause, const std::function<void(Connection&)>& close);
  void Forget(const Connection& connection);

 private:
  static constexpr size_t kRecent = 1 << 14;

  static bool IsOfAWalk(const lunscope_record& record) {
    return record.kind == LUNSCOPE_RECORD_CONNECTION || record.kind == LUNSCOPE_RECORD_AGGREGATES ||
           record.kind == LUNSCOPE_RECORD_INFLIGHT;
  }
  void SetRole(Connection& connection, uint8_t role);
  void InferNames(Connection& connection);

  Series& series_;
  Numbered<Connection, kRecent> table_;
  std::vector<HostSession> host_sessions_;
  LocalLunTable local_luns_;
  uint64_t walk_number_ = 0;  // of the last walk
  bool is_walking_ = false;
  std::unordered_set<uint64_t> closed_in_walk_;
};

}  // namespace lunscope
