// SPDX-License-Identifier: Apache-2.0
//
// One iSCSI connection as its records describe it. Data only. Connections fills in who and where,
// Logins what a login and its texts say. CommandCounter and CountTraffic keep what they have
// counted.
#pragma once

#include <lunscope/aggregate.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collector/base/local_process.h"
#include "collector/model/parameters.h"
#include "collector/model/pings.h"
#include "collector/model/series.h"
#include "collector/model/sessions.h"
#include "collector/model/text_reader.h"

namespace lunscope {

inline constexpr const char* kNamesFromLogin = "login";

// The content of the login PDUs and texts of a connection so far.
struct LoginState {
  uint64_t isid = 0;
  uint16_t requested_tsih = 0;  // 0: the login asks for a new session
  uint16_t requested_cid = 0;
  bool is_overdue = false;      // and that is said
  uint64_t asked_ns = 0;        // when the last Login Request passed; 0: it was answered
  uint8_t logout_reason = 0;    // of the last Logout Request
  bool declared_again = false;  // MaxRecvDataSegmentLength, since the last login
  bool succeeded = false;       // the last login did
  bool turned_away = false;     // the last login was refused or redirected
  bool logged_out = false;      // a Logout Response reported success
  std::unique_ptr<Negotiation> negotiation;  // only while the connection logs in
  std::string listed_target;                 // the last name in an answer to SendTargets
  std::array<TextReader, LUNSCOPE_DIRECTIONS> text;
};

// The AHS of a SCSI Command (RFC 7143 sections 11.2.2.3 and 11.2.2.4).
struct CommandExtension {
  std::vector<uint8_t> cdb;                     // all of it; empty: there is no extended CDB
  std::optional<uint32_t> expected_read_bytes;  // of a bidirectional command
};

// The most bytes that were seen at once. They show what was negotiated where no login was seen.
struct SeenLengths {
  uint32_t data_in = 0;  // data segment of a Data-In
  uint32_t data_out = 0;
  uint32_t immediate = 0;  // of a SCSI Command
  uint32_t r2t = 0;        // that an R2T asked for
};

struct alignas(64) Connection : Origin {
  static constexpr size_t kMaxDeviceTypes = 256;

  // Each command reads Origin and these: they share one cache line.
  bool is_midstream = false;   // it was open before lunscope
  bool awaits_answer = false;  // one of the peers owes the other an answer (overdue.h)
  uint64_t id = 0;

  bool never_came_about = false;  // its connect failed
  uint64_t command_ns = 0;        // when a command ended with a status, while an answer was awaited
  std::string local;
  std::string remote;
  std::string initiator;   // "" while unknown
  std::string names_from;  // "login", or the source of a HostSession; "" while unknown
  LocalProcess process;
  std::map<uint64_t, int> device_types;  // by LUN: from the host, or seen on this connection
  uint64_t last_walk = 0;                // the number of the last walk that found it
  uint64_t met_ns = 0;                   // the time of its first record
  uint64_t cut_off = 0;                  // commands that its end left without an answer
  lunscope_tcp tcp{};                    // as of the last walk
  std::optional<uint32_t> window;        // the same: commands that the target still takes
  uint32_t unread_bytes = 0;             // the same: that wait for their reader
  uint32_t in_flight = 0;                // the same: commands
  uint64_t oldest_start_ns = 0;          // of those; 0: none
  uint32_t smallest_window = 0;          // the same, of the last one to two minutes
  SeenLengths seen;
  std::optional<uint32_t> unacknowledged_statuses;  // as of the last walk

  LoginState login;
  Pings pings;
  std::optional<SessionKey> session;  // once it is logged in
  uint16_t cid = 0;                   // in its session
  ParameterValues parameters;         // those whose scope is a connection
  Offers offered;                     // in the login that succeeded

  std::map<uint32_t, CommandExtension> extensions;  // of commands in flight, by their tag
  CommandExtension extension;                       // of the command that ended last

  // Its counts that the series hold already.
  lunscope_connection_record counted{};
  std::vector<lunscope_aggregate> aggregates;

  [[nodiscard]] bool has_inferred_names() const {
    return !names_from.empty() && names_from != kNamesFromLogin;
  }
};

// Keep the device type of a LUN for this connection alone. An unknown type changes nothing.
void LearnDeviceType(Connection& connection, uint64_t lun, int device_type);

// The known type of a LUN on this connection alone; else kUnknownDeviceType.
int OwnDeviceType(const Connection& connection, uint64_t lun);

// Is what the LUN said of itself true for this origin? Only if its target is one target and the LUN
// is one LUN. Else another device may have answered.
inline bool TrustsIdentity(const Origin& origin, const LunStatistics& lun) {
  return origin.has_own_target && !lun.identity.is_shared;
}

// The peripheral device type of the LUN of this number: what it said on any connection of its
// target through the same portal, else what is known on this connection.
inline int DeviceTypeOf(const Connection& connection, uint64_t number, const LunStatistics& lun) {
  const LunIdentity* said = lun.IdentityAt(connection.portal);
  if (said != nullptr && said->device_type != kUnknownDeviceType && TrustsIdentity(connection, lun))
    return said->device_type;
  return OwnDeviceType(connection, number);
}

// How far the connection has come.
During DuringOf(const Connection& connection);

// The address of the target's end.
inline const std::string& PortalOf(const Connection& connection) {
  return connection.role == LUNSCOPE_ROLE_TARGET ? connection.local : connection.remote;
}

}  // namespace lunscope
