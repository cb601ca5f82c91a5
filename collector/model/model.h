// SPDX-License-Identifier: Apache-2.0
//
// The model gives the records their meaning. It hands each record to the part whose topic it is,
// and leads the walk over live connections. The parts, each with a header of its own, one below the
// other:
//
//   series <- connections <- commands, traffic, logins, layers <- model
//
// The model has no clock, no I/O and no lock: one thread at a time calls it. Times come with the
// records. A scrape takes a Snapshot, a value of its own, and renders it without the model.
#pragma once

#include <lunscope/aggregate.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/host_session.h"
#include "collector/base/local_process.h"
#include "collector/model/applied.h"
#include "collector/model/commands.h"
#include "collector/model/connections.h"
#include "collector/model/directory.h"
#include "collector/model/layers.h"
#include "collector/model/logins.h"
#include "collector/model/pause.h"
#include "collector/model/profiler.h"
#include "collector/model/series.h"
#include "collector/model/snapshot.h"

namespace lunscope {

struct ModelOptions {
  // Targets, LUNs and LUN-operation pairs that get statistics of their own. Those beyond
  // this budget share the role's overflow target, so that sums stay right. As many initiators have
  // counts of their own, and a snapshot names as many sessions and as many processes.
  size_t max_label_sets = 10'000;
  // Sessions that ended without a logout and are remembered as down.
  size_t max_down_sessions = 256;
  // Profiles of the workload of iSCSI LUNs (profile.h).
  bool profiles = false;
  // The records have times of another clock than walks, as those of a capture file.
  bool has_own_time = false;
  Joins joins;
};

class Model {
 public:
  explicit Model(ModelOptions options = {})
      : max_label_sets_(options.max_label_sets),
        has_own_time_(options.has_own_time),
        profiler_(options.profiles ? std::make_unique<Profiler>() : nullptr),
        series_(options.max_label_sets, profiler_.get()),
        connections_(series_),
        commands_(series_),
        logins_(series_, options.max_down_sessions),
        layers_(series_, commands_, options.joins) {}
  // Its parts refer to each other.
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  ~Model() = default;

  // REQUIRES: the record is whole (CheckRecord).
  Applied Apply(const lunscope_record& record);

  // Visit each answer that has become overdue since the last call.
  void LookForOverdue(uint64_t now_ns, const std::function<void(const Overdue&)>& visit) {
    overdue_.Look(now_ns, connections_, visit);
  }

  // Sessions as this host reports them. They name the connections that were open before lunscope.
  void SetHostSessions(std::vector<HostSession> sessions) {
    connections_.local_luns().SetLasting(sessions);
    connections_.SetHostSessions(std::move(sessions));
  }
  // The LUNs of this host's sessions, as the host describes them now.
  void SetLocalLuns(std::vector<HostSession> sessions) {
    connections_.local_luns().Set(std::move(sessions));
  }
  // The process that reads a connection. Ignored if the connection has closed.
  void SetProcess(uint64_t id, LocalProcess process) {
    connections_.SetProcess(id, std::move(process));
  }
  // The name of a host's iSCSI target, which the mid-layer does not know (layers.h).
  void NameScsiHost(uint32_t host, const std::string& target) {
    layers_.NameScsiHost(host, target);
  }

  // Around the records of one walk over the live connections, and the commands in flight of the
  // SCSI layers. Records of the rings may come in between. If one of them ends a connection, what
  // the walk had read of that connection before does not bring it back. now_ns: the time, by which
  // what has been over for long is forgotten.
  void BeginWalk(uint64_t now_ns);
  void ApplyInFlight(const lunscope_scsi_command& command) { layers_.ApplyInFlight(command); }
  // is_whole: the walk has come to every connection. Those that it did not find are gone.
  void EndWalk(bool is_whole = true, const Pause& pause = {});

  // Each LUN, session and connection is as of one moment, not all of them as of the same. Profiles
  // reach up to the last walk. REQUIRES for these: all records that were made before that walk
  // ended are in.
  [[nodiscard]] Snapshot TakeSnapshot(const Pause& pause = {});

  // nullptr if it has closed, or was never met.
  [[nodiscard]] const Connection* FindConnection(uint64_t id) const {
    return connections_.Find(id);
  }
  [[nodiscard]] const Nexus* FindNexus(uint64_t id) const { return layers_.Find(id); }
  [[nodiscard]] const std::map<uint64_t, Connection>& connections() const {
    return connections_.all();
  }
  [[nodiscard]] const LocalLunTable& local_luns() const { return connections_.local_luns(); }
  [[nodiscard]] const SessionTable& sessions() const { return logins_.sessions(); }
  [[nodiscard]] const Directory& directory() const { return logins_.directory(); }
  // The peripheral device type of the LUN of this number, else kUnknownDeviceType.
  [[nodiscard]] static int DeviceType(const Connection& connection, uint64_t lun);

 private:
  Applied ApplyCommand(const lunscope_command_record& record);
  Applied ApplyPdu(const lunscope_pdu_record& record);
  Applied ApplyConnection(const lunscope_connection_record& record);
  [[nodiscard]] Applied ApplyHeader(const lunscope_header_record& record);
  void Close(Connection& connection, uint64_t time_ns, lunscope_end end);

  const size_t max_label_sets_;
  const bool has_own_time_;
  const std::unique_ptr<Profiler> profiler_;  // none: profiles are not asked for
  Series series_;
  Connections connections_;
  CommandCounter commands_;
  Logins logins_;
  Layers layers_;
  OverdueAnswers overdue_;
  uint64_t walk_ns_ = 0;
  std::optional<uint64_t> settles_ns_;  // of the walk: profiles will reach up to this time
  EndedConnection ended_;               // the connection that ended last
};

}  // namespace lunscope
