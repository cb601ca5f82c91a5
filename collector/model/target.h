// SPDX-License-Identifier: Apache-2.0
//
// A target as one role sees it: its name, what is counted for it, and its LUNs. Values only;
// whoever owns one serialises its use.
#pragma once

#include <lunscope/aggregate.h>
#include <lunscope/reasons.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "collector/model/deep_ptr.h"
#include "collector/model/histogram.h"
#include "collector/model/lun.h"
#include "collector/names/iscsi_names.h"

namespace lunscope {

// Stand-ins for the name of a target.
inline constexpr const char* kUnknownName = "unknown";      // the login was not seen
inline constexpr const char* kDiscoveryName = "discovery";  // a discovery session has no target
inline constexpr const char* kOverflowName = "overflow";    // beyond the label budget
inline constexpr uint64_t kOverflowLun = ~uint64_t{0};

// How far a connection had come when it ended. kUnansweredLogin: the target owed an answer to the
// login; kLogin: the initiator did.
enum class During : uint8_t {
  kUnknown,
  kConnect,
  kBeforeLogin,
  kUnansweredLogin,
  kLogin,
  kTurnedAway,
  kSession,
  kAfterLogout,
  kCount
};
inline constexpr size_t kDurings = static_cast<size_t>(During::kCount);

// The kernel's TCP and the command windows of all connections to a target, as of the last walk.
struct WalkedConnections {
  uint64_t unread_bytes = 0;
  uint64_t unacknowledged_bytes = 0;
  uint64_t unacknowledged_ns = 0;  // the longest
  uint64_t unsent_bytes = 0;
  uint64_t smoothed_rtt_ns = 0;  // the longest; 0: not measured
  uint64_t closed_send_windows = 0;
  uint64_t closed_command_windows = 0;
  std::optional<uint32_t> command_window;  // the smallest
  // The same of the last one to two minutes, and not of the moment.
  std::optional<uint32_t> smallest_command_window;
  std::optional<uint32_t> unacknowledged_statuses;  // the most
};

// The sender of a ping, which is a NOP that asks for an answer. Also an array index.
enum PingSender : uint8_t { kPingOfInitiator, kPingOfTarget, kPingSenders };

struct PingStatistics {
  LatencyHistogram duration_ns;
  uint64_t given_up = 0;  // never answered: a later one was, or the connection ended
  // As of the last walk.
  uint64_t waiting = 0;
  uint64_t oldest_ns = 0;  // when the oldest of them was sent; 0: none waits
};

// Whose session a login took over: that of its own host address, or of another one.
enum TakenFrom { kFromSameAddress, kFromElsewhere, kTakenFroms };

// How long the phases of commands lasted (lunscope/phases.h), by slot.
using PhaseStatistics = std::array<LatencyHistogram, LUNSCOPE_PHASE_SLOTS>;

// The counts of one target, without the statistics of its LUNs.
struct TargetCounters {
  std::array<SizeHistogram, SCSI_OPERATIONS> sizes;
  std::array<DeepPtr<PhaseStatistics>, SCSI_OPERATIONS> phases;  // none: not known
  uint64_t logins = 0;
  std::array<uint64_t, kLoginFailures> login_failures{};  // by LoginFailureOf()
  uint64_t login_redirections = 0;
  std::map<uint8_t, uint64_t> logouts;                         // by the reason of the request
  std::array<uint64_t, kTakenFroms> session_reinstatements{};  // of sessions that were up
  uint64_t outages = 0;  // that ended: the initiator of a session that was down is back
  uint64_t outage_ns = 0;
  std::array<PingStatistics, kPingSenders> pings;
  std::map<uint8_t, uint64_t> rejects;         // by reason
  std::map<uint8_t, uint64_t> task_functions;  // requests, by function
  std::map<uint8_t, uint64_t> async_events;    // by event
  std::array<std::array<uint64_t, 32>, LUNSCOPE_DIRECTIONS> pdus{};
  std::array<uint64_t, LUNSCOPE_DIRECTIONS> bytes{};
  uint64_t retransmits = 0;
  uint64_t window_closed_ns = 0;
  uint64_t commands_beyond = 0;
  WalkedConnections walked;
  uint64_t header_digest_errors = 0;
  uint64_t unmatched_responses = 0;
  std::array<uint64_t, LUNSCOPE_LOSS_COUNT> records_lost{};               // by lunscope_loss
  std::array<std::array<uint64_t, kDurings>, LUNSCOPE_END_COUNT> ends{};  // by lunscope_end
};

// Whether a target may give its place to another one (series.h).
struct TargetUse {
  size_t origins = 0;      // connections and nexuses that it counts for
  bool is_proven = false;  // a login to it succeeded, or this host says that it is there
  uint64_t idle_turn = 0;  // the lower, the longer ago its last origin went
  uint64_t idle_ns = 0;    // when that was
};

struct TargetStatistics : TargetCounters {
  std::map<uint64_t, LunStatistics> luns;  // by CanonicalLun()
  TargetUse use;
};

// Adds all that has been counted. A LUN's identity and what is as of the last walk stay as they
// are.
void AddCounts(const TargetCounters& from, TargetCounters& to);
void AddCounts(const LunStatistics& from, LunStatistics& to);

// A name from the wire. A stand-in's name cannot be claimed: its first character becomes an escape.
std::string NameFromWire(std::string name);

struct TargetKey {
  uint8_t role;
  std::string name;
  // "": a target of iSCSI. Else a target of a SCSI layer: the low-level driver below the mid-layer,
  // or the fabric above LIO.
  std::string transport = {};
  auto operator<=>(const TargetKey&) const = default;
};
using Target = std::pair<const TargetKey, TargetStatistics>;

}  // namespace lunscope
