// SPDX-License-Identifier: Apache-2.0
//
// What the records mean: connections, sessions, targets, LUNs and what was done to them.
//
// The model has no clock, no I/O and no lock: one thread at a time calls it. Times come with the
// records. A scrape takes a Snapshot, a value of its own, and renders it without the model.
#pragma once

#include <lunscope/aggregate.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "collector/base/host_session.h"
#include "collector/base/local_process.h"
#include "collector/model/directory.h"
#include "collector/model/lun.h"
#include "collector/model/sessions.h"
#include "collector/model/text_reader.h"
#include "collector/model/wire_join.h"

namespace lunscope {

inline constexpr const char* kNamesFromLogin = "login";
// Stand-ins for names that no login told.
inline constexpr const char* kUnknownName = "unknown";      // the login was before our time
inline constexpr const char* kDiscoveryName = "discovery";  // a discovery session has no target
inline constexpr const char* kOverflowName = "overflow";    // beyond ModelOptions::max_label_sets
inline constexpr uint64_t kOverflowLun = ~uint64_t{0};

struct ModelOptions {
  // Targets, LUNs and LUN-operation pairs that get statistics of their own; what comes after goes
  // to the role's overflow target, so that sums stay right.
  size_t max_label_sets = 10'000;
  // Sessions that ended without a logout and are remembered as down.
  size_t max_down_sessions = 256;
  // Look for the commands of the SCSI mid-layer among those on the wire.
  bool joins_layers = false;
};

enum LoginFailure { kRedirection, kInitiatorError, kTargetError, kLoginFailures };

// What is counted for one target as one role sees it, without what its LUNs are counted for.
struct TargetCounters {
  std::array<SizeHistogram, SCSI_OPERATIONS> sizes;
  uint64_t logins = 0;
  std::array<uint64_t, kLoginFailures> login_failures{};
  uint64_t logouts = 0;
  std::map<uint8_t, uint64_t> rejects;         // by reason
  std::map<uint8_t, uint64_t> task_functions;  // requests, by function
  std::map<uint8_t, uint64_t> async_events;    // by event
  std::array<std::array<uint64_t, 32>, LUNSCOPE_DIRECTIONS> pdus{};
  std::array<uint64_t, LUNSCOPE_DIRECTIONS> bytes{};
  uint64_t retransmits = 0;
  uint64_t unread_bytes = 0;  // as of the last walk
  uint64_t header_digest_errors = 0;
};

struct TargetStatistics : TargetCounters {
  std::map<uint64_t, LunStatistics> luns;
};

struct TargetKey {
  uint8_t role;
  std::string name;
  // "": iSCSI, as its connections tell of it. Else a SCSI layer tells, and this is what is below
  // the mid-layer (a low-level driver) or above LIO (a fabric).
  std::string transport = {};
  auto operator<=>(const TargetKey&) const = default;
};
using Target = std::pair<const TargetKey, TargetStatistics>;

struct alignas(64) Connection {
  static constexpr size_t kMaxDeviceTypes = 256;

  // What every command reads, on one cache line.
  uint64_t id = 0;
  Target* target = nullptr;
  LunStatistics* last_lun =
      nullptr;  // of last_lun_number: most commands go where the last one went
  uint64_t last_lun_number = 0;
  uint8_t role = LUNSCOPE_ROLE_UNKNOWN;
  bool has_own_target = false;  // false: its target stands for any, under a stand-in's name
  bool is_midstream = false;

  std::string local;
  std::string remote;
  std::string initiator;   // "" while unknown
  std::string names_from;  // "login", or the source of a HostSession; "" while unknown
  LocalProcess process;
  uint64_t isid = 0;
  uint16_t requested_tsih = 0;  // 0: its login is to begin a session
  uint16_t requested_cid = 0;
  uint16_t cid = 0;             // in its session
  bool closes_session = false;  // the reason of its Logout Request
  bool logged_out = false;
  std::optional<SessionKey> session;         // once it is logged in
  std::unique_ptr<Negotiation> negotiation;  // while it logs in
  ParameterValues parameters;                // those of a connection
  std::map<uint64_t, int> device_types;      // by LUN: told by the host, or seen here
  std::string listed_target;                 // the last that an answer to SendTargets named
  std::array<TextReader, LUNSCOPE_DIRECTIONS> text;
  lunscope_connection_record counted{};        // what the totals already hold
  std::vector<lunscope_aggregate> aggregates;  // likewise
  uint64_t last_walk = 0;                      // the number of the last walk that found it

  // A nexus of a SCSI layer, which stands here in the place of a connection.
  [[nodiscard]] bool is_nexus() const { return (id & LUNSCOPE_NEXUS_BIT) != 0; }
  bool is_iscsi_host = false;  // nexus: below it is an iSCSI session of this host
  std::string device;          // of the mid-layer: "host:channel:id:lun"
  uint64_t last_used = 0;      // nexus: the lower, the longer ago

  [[nodiscard]] bool has_inferred_names() const {
    return !names_from.empty() && names_from != kNamesFromLogin;
  }
};

// What a snapshot says of a session.
struct SessionState {
  uint8_t role = 0;
  std::string target;
  std::string name;
  std::string initiator;
  std::string portal;
  bool header_digest = false;
  bool data_digest = false;
  bool is_up = false;
};

struct Snapshot {
  std::map<TargetKey, TargetStatistics> targets;
  std::vector<SessionState> sessions;  // in the order of their keys
  uint64_t dropped_series = 0;
  uint64_t tracked_commands = 0;  // in all in-flight tables, as of the last walk
  // Connections by target and by the source of its name, which is no login.
  std::map<std::pair<TargetKey, std::string>, uint64_t> inferred_connections;
  // Connections by target and by who reads them: without its id, for that is no label.
  std::map<std::pair<TargetKey, LocalProcess>, uint64_t> connections;
};

// Called again and again in what takes long with many connections and LUNs, so that records need
// not wait for the end of it: it may apply some, and do nothing else to the model.
using Pause = std::function<void()>;

class Model {
 public:
  explicit Model(ModelOptions options = {})
      : options_(options), sessions_(options.max_down_sessions) {}

  // REQUIRES: the record is whole (CheckRecord).
  void Apply(const lunscope_record& record);

  // What this host says of its sessions names connections that were open before.
  void SetHostSessions(std::vector<HostSession> sessions);

  // Who reads a connection; of one that is gone it is of no use.
  void SetProcess(uint64_t id, LocalProcess process);

  // Around the records of one walk over the live connections, and the commands in flight of the
  // SCSI layers. Records of the rings may come in between: a connection whose end they tell is not
  // brought back by what the walk had read of it before.
  void BeginWalk();
  void ApplyTask(const lunscope_scsi_task& task);
  // is_whole: the walk has come to every connection; those that it did not find are gone.
  void EndWalk(bool is_whole = true, const Pause& pause = {});

  // Each LUN, session and connection is as of one moment, not all of them as of the same.
  [[nodiscard]] Snapshot TakeSnapshot(const Pause& pause = {}) const;

  // The record of a SCSI layer that was applied last: how long the same command was on the wire.
  [[nodiscard]] std::optional<uint64_t> last_wire_ns() const { return last_wire_ns_; }
  // What a host calls a target that the mid-layer has no name for. Before the nexus is applied.
  void NameScsiHost(uint32_t host, std::string target) { host_targets_[host] = std::move(target); }

  // The connection of a record that was applied; nullptr if it is gone.
  [[nodiscard]] const Connection* FindConnection(uint64_t id) const;
  [[nodiscard]] const std::map<uint64_t, Connection>& connections() const { return connections_; }
  [[nodiscard]] const SessionTable& sessions() const { return sessions_; }
  [[nodiscard]] const Directory& directory() const { return directory_; }
  // The peripheral device type of a LUN: what it said on any connection of its target, else what is
  // known on this one; else kUnknownDeviceType.
  [[nodiscard]] int DeviceType(const Connection& connection, uint64_t lun) const;

 private:
  void ApplyCommand(const lunscope_command_record& record);
  void ApplyPdu(const lunscope_pdu_record& record);
  void ApplyConnection(const lunscope_connection_record& record);
  void ApplyAggregates(const lunscope_aggregates_record& record);
  void ApplyInflight(const lunscope_inflight_record& record);
  void ApplyNexus(const lunscope_nexus_record& record);
  void ApplyScsiCommand(const lunscope_scsi_command_record& record);
  void CountCommand(Connection& connection, LunStatistics& lun,
                    const lunscope_command_record& record);
  void ForgetANexus();

  void LearnIdentity(Connection& connection, const lunscope_pdu_record& record);
  void ReadText(Connection& connection, const lunscope_pdu_record& record);
  void TakeKey(Connection& connection, Party party, std::string_view key, const std::string& value);
  void ApplyLoginRequest(Connection& connection, const lunscope_pdu_record& record);
  void ApplyLoginResponse(Connection& connection, const lunscope_pdu_record& record);
  void FailLogin(Connection& connection, const lunscope_pdu_record& record);
  void OpenSession(Connection& connection, const lunscope_pdu_record& record);
  void ApplyLogout(Connection& connection);
  Session* SessionOf(const Connection& connection);
  void Close(uint64_t id);

  [[nodiscard]] bool IsStale(const lunscope_record& record) const;
  void InferNames(Connection& connection);
  Connection& ConnectionOf(const lunscope_record& record);
  Connection& Lookup(uint64_t id);
  void Forget(std::map<uint64_t, Connection>::iterator connection);
  void SetTarget(Connection& connection, const TargetKey& key);
  Target& TargetOf(const TargetKey& key);
  Target& OverflowTarget(const TargetKey& key);
  LunStatistics& LunOf(Connection& connection, uint64_t lun);
  LunStatistics& FindLun(Target& target, uint64_t lun);
  OperationStatistics& OperationOf(Connection& connection, LunStatistics& lun, size_t operation);
  bool ReserveLabelSet();

  // Where the LUN of this number lies, whichever addressing method named it.
  struct RecentLun {
    const Target* target = nullptr;
    uint64_t number = 0;
    LunStatistics* statistics = nullptr;

    static size_t PlaceOf(const Target* target, uint64_t number) {
      const uint64_t mixed = (number >> 48 ^ number) + (reinterpret_cast<uintptr_t>(target) >> 4);
      return mixed * 0x9e37'79b9'7f4a'7c15 >> (64 - kRecentLunBits);
    }
  };
  static constexpr size_t kRecentConnections = 1 << 14;
  static constexpr size_t kRecentLunBits = 12;

  ModelOptions options_;
  // By number and by a hash: what a record speaks of was mostly met before, and is found without a
  // walk through the tables below. Neither targets nor their LUNs are ever taken out of these.
  std::vector<Connection*> recent_ = std::vector<Connection*>(kRecentConnections);
  std::vector<RecentLun> recent_luns_ = std::vector<RecentLun>(1 << kRecentLunBits);
  std::map<uint64_t, Connection> connections_;
  std::map<TargetKey, TargetStatistics> targets_;
  SessionTable sessions_;
  Directory directory_;
  std::vector<HostSession> host_sessions_;
  WireJoin wire_;
  std::optional<uint64_t> last_wire_ns_;
  std::map<uint32_t, std::string> host_targets_;  // names of iSCSI targets by SCSI host
  uint64_t walk_number_ = 0;                      // the number of the last walk
  bool is_walking_ = false;
  std::unordered_set<uint64_t> closed_in_walk_;
  size_t nexuses_ = 0;
  uint64_t records_of_layers_ = 0;
  size_t label_sets_ = 0;
  uint64_t dropped_series_ = 0;
  uint64_t tracked_commands_ = 0;
};

}  // namespace lunscope
