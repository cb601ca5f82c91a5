// SPDX-License-Identifier: Apache-2.0
//
// Logins, PDUs and bytes of iSCSI targets.
#include <array>
#include <map>
#include <type_traits>
#include <utility>

#include "collector/metrics/catalogue.h"

namespace lunscope {
namespace {

using enum prometheus::MetricType;
using enum Unit;
using enum Available;

struct EachLoginFailure {
  using Item = uint64_t;
  static constexpr std::array<const Label*, 4> kLabels = {&kRoleLabel, &kTransportLabel,
                                                          &kTargetLabel, &kLoginFailureLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkTargets(view, [&](Labels& labels, const TargetKey&, const TargetStatistics& target) {
      for (uint8_t i = 0; i < kLoginFailures; i++) {
        const Scoped scoped(labels, kLoginFailureLabel, kLoginFailureLabel.value_of(i));
        visit(labels, target.login_failures[i]);
      }
    });
  }
};

// Counts by a code of the wire. trouble: the codes that have a series from the beginning, so that
// the first count of each is an increase of a counter.
template <std::map<uint8_t, uint64_t> TargetCounters::*counts, const CodeLabel& label,
          const auto& trouble>
struct EachCode {
  using Item = uint64_t;
  static constexpr std::array<const Label*, 4> kLabels = {&kRoleLabel, &kTransportLabel,
                                                          &kTargetLabel, &label};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkTargets(view, [&](Labels& labels, const TargetKey&, const TargetStatistics& target) {
      for (const auto& [code, count] : WithZeros(target.*counts, trouble)) {
        const Scoped scoped(labels, label, label.value_of(code));
        visit(labels, count);
      }
    });
  }
};

// The PDUs of one direction, by opcode.
template <lunscope_direction direction>
struct EachOpcode {
  using Item = uint64_t;
  static constexpr std::array<const Label*, 4> kLabels = {&kRoleLabel, &kTransportLabel,
                                                          &kTargetLabel, &kOpcodeLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkTargets(view, [&](Labels& labels, const TargetKey& key, const TargetStatistics& target) {
      const bool from_target = (key.role == LUNSCOPE_ROLE_TARGET) == (direction == LUNSCOPE_SENT);
      for (size_t i = 0; i < target.pdus[direction].size(); i++) {
        const uint64_t count = target.pdus[direction][i];
        if (count == 0) continue;
        const auto opcode = static_cast<uint8_t>(from_target ? i | ISCSI_OPCODE_FROM_TARGET : i);
        const Scoped scoped(labels, kOpcodeLabel, kOpcodeLabel.value_of(opcode));
        visit(labels, count);
      }
    });
  }
};

// One item for each number of an array, and the label that says what the number means.
template <auto items, const ReasonLabel& label>
struct EachNumber {
  using Item = std::remove_cvref_t<decltype((std::declval<TargetStatistics>().*items)[0])>;
  static constexpr std::array<const Label*, 4> kLabels = {&kRoleLabel, &kTransportLabel,
                                                          &kTargetLabel, &label};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkTargets(view, [&](Labels& labels, const TargetKey&, const TargetStatistics& target) {
      for (size_t i = 0; i < (target.*items).size(); i++) {
        const Scoped scoped(labels, label, label.value_of(i));
        visit(labels, (target.*items)[i]);
      }
    });
  }
};
using EachRecordLoss = EachNumber<&TargetCounters::records_lost, kLossLabel>;
using EachTakenFrom = EachNumber<&TargetCounters::session_reinstatements, kTakenFromLabel>;
using EachPingSender = EachNumber<&TargetCounters::pings, kPingSenderLabel>;

// The ends of connections. Those that tell of trouble have a series with 0 from the beginning.
struct EachEnd {
  using Item = uint64_t;
  static constexpr std::array<const Label*, 4> kLabels = {&kRoleLabel, &kTargetLabel, &kEndLabel,
                                                          &kDuringLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkTargets(view, [&](Labels& labels, const TargetKey& key, const TargetStatistics& target) {
      for (size_t end = 0; end < target.ends.size(); end++) {
        const Scoped scoped(labels, kEndLabel, kEndLabel.value_of(end));
        WalkEnd(labels, key.role, target.ends[end], end, visit);
      }
    });
  }

  static bool IsOfConnect(size_t end) {
    return end == LUNSCOPE_END_REFUSED || end == LUNSCOPE_END_UNANSWERED;
  }
  static bool IsTrouble(uint8_t role, size_t end, During during) {
    if (IsOfConnect(end)) return during == During::kConnect && role == LUNSCOPE_ROLE_INITIATOR;
    return during == During::kSession && end != LUNSCOPE_END_UNKNOWN;
  }
  static void WalkEnd(Labels& labels, uint8_t role, const std::array<uint64_t, kDurings>& counts,
                      size_t end, const ItemVisitor<Item>& visit) {
    for (size_t i = 0; i < counts.size(); i++) {
      if (counts[i] == 0 && !IsTrouble(role, end, static_cast<During>(i))) continue;
      const Scoped during(labels, kDuringLabel, kDuringLabel.value_of(i));
      visit(labels, counts[i]);
    }
  }
};

bool HasPings(const PingStatistics& pings) { return pings.duration_ns.count() != 0; }

uint64_t OldestPing(const PingStatistics& pings, const View& view) {
  return AgeNs(pings.oldest_ns, view);
}

// All connections to a target, as of the last walk.
template <auto member>
uint64_t Walked(const TargetStatistics& target) {
  return target.walked.*member;
}

bool HasWindow(const TargetStatistics& target) { return target.walked.command_window.has_value(); }
bool HasStatuses(const TargetStatistics& target) {
  return target.walked.unacknowledged_statuses.has_value();
}
template <auto member>
uint64_t Known(const TargetStatistics& target) {
  return *(target.walked.*member);
}

template <lunscope_direction direction>
uint64_t Bytes(const TargetStatistics& target) {
  return target.bytes[direction];
}

// All that the RFC has.
constexpr std::array<uint8_t, 3> kLogoutReasons = {ISCSI_LOGOUT_CLOSE_SESSION, 1, 2};
// Data digest error, protocol error, invalid PDU field (RFC 7143 section 11.17.1).
constexpr std::array<uint8_t, 3> kRejects = {0x02, 0x04, 0x09};
constexpr std::array<uint8_t, 5> kTaskFunctions = {
    ISCSI_TASK_ABORT_TASK, ISCSI_TASK_ABORT_TASK_SET, ISCSI_TASK_LUN_RESET,
    ISCSI_TASK_TARGET_WARM_RESET, ISCSI_TASK_TARGET_COLD_RESET};
// Logout requested, connection dropped, all connections dropped (section 11.9.1).
constexpr std::array<uint8_t, 3> kAsyncEvents = {1, 2, 3};

constexpr Metric kTargetMetrics[] = {
    {"logins_total", Counter, kCount, kIscsi, "Logins that reached the full feature phase.",
     Of<EachTarget, &TargetStatistics::logins>()},
    {"login_failures_total", Counter, kCount, kIscsi,
     "Login Responses by which a login failed, by status.", Of<EachLoginFailure>()},
    {"login_redirections_total", Counter, kCount, kIscsi,
     "Login Responses that send the initiator to another address, which is no failure.",
     Of<EachTarget, &TargetStatistics::login_redirections>()},
    {"logouts_total", Counter, kCount, kIscsi,
     "Logout Responses that report success, by the reason of the request.",
     Of<EachCode<&TargetCounters::logouts, kLogoutReasonLabel, kLogoutReasons>>()},
    {"session_reinstatements_total", Counter, kCount, kIscsi,
     "Sessions that were up when a login with their initiator's name and ISID took their place.",
     Of<EachTakenFrom>()},
    {"session_outages_total", Counter, kCount, kIscsi,
     "Sessions that were lost and whose initiator came back.",
     Of<EachTarget, &TargetStatistics::outages>()},
    {"session_outage_seconds_total", Counter, kSeconds, kIscsi,
     "For how long those sessions were down, in sum.",
     Of<EachTarget, &TargetStatistics::outage_ns>()},
    {"ping_seconds", Histogram, kSeconds, kIscsi,
     "Round-trip time of a ping, which is a NOP that asks for an answer.",
     Of<Where<EachPingSender, &HasPings>, &PingStatistics::duration_ns>()},
    {"unanswered_pings", Gauge, kCount, kIscsi, "Pings that wait for their answer.",
     Of<EachPingSender, &PingStatistics::waiting>()},
    {"oldest_unanswered_ping_seconds", Gauge, kSeconds, kIscsi,
     "Age of the oldest ping that waits for its answer; 0 if none does.",
     Of<EachPingSender, &OldestPing>()},
    {"pings_given_up_total", Counter, kCount, kIscsi,
     "Pings that were never answered: a later one was, or the connection ended.",
     Of<EachPingSender, &PingStatistics::given_up>()},
    {"rejects_total", Counter, kCount, kIscsi, "Reject PDUs.",
     Of<EachCode<&TargetCounters::rejects, kRejectReasonLabel, kRejects>>()},
    {"task_management_requests_total", Counter, kCount, kIscsi,
     "Task Management Function Requests.",
     Of<EachCode<&TargetCounters::task_functions, kTaskFunctionLabel, kTaskFunctions>>()},
    {"async_messages_total", Counter, kCount, kIscsi, "Asynchronous Messages.",
     Of<EachCode<&TargetCounters::async_events, kAsyncEventLabel, kAsyncEvents>>()},
    {"pdus_sent_total", Counter, kCount, kIscsi, "PDUs handed to the network.",
     Of<EachOpcode<LUNSCOPE_SENT>>()},
    {"pdus_received_total", Counter, kCount, kIscsi, "PDUs received, each counted once.",
     Of<EachOpcode<LUNSCOPE_RECEIVED>>()},
    {"sent_bytes_total", Counter, kBytes, kIscsi, "Bytes of PDUs sent, headers included.",
     Of<EachTarget, &Bytes<LUNSCOPE_SENT>>()},
    {"received_bytes_total", Counter, kBytes, kIscsi, "Bytes of PDUs received, headers included.",
     Of<EachTarget, &Bytes<LUNSCOPE_RECEIVED>>()},
    {"header_digest_errors_total", Counter, kCount, kIscsi,
     "PDUs dropped because the CRC32C of their header did not match.",
     Of<EachTarget, &TargetStatistics::header_digest_errors>()},
    {"tcp_retransmitted_segments_total", Counter, kCount, kLiveIscsi,
     "TCP segments sent again, from the kernel's tracepoint.",
     Of<EachTarget, &TargetStatistics::retransmits>()},
    {"unread_bytes", Gauge, kBytes, kLiveIscsi,
     "Bytes that have arrived and that no process has read from its socket yet.",
     Of<EachTarget, &Walked<&WalkedConnections::unread_bytes>>()},
    {"tcp_unsent_bytes", Gauge, kBytes, kLiveIscsi,
     "Bytes that this host's process has written and that TCP has not sent yet.",
     Of<EachTarget, &Walked<&WalkedConnections::unsent_bytes>>()},
    {"tcp_unacknowledged_bytes", Gauge, kBytes, kLiveIscsi,
     "Bytes that were sent and that the peer has not acknowledged yet.",
     Of<EachTarget, &Walked<&WalkedConnections::unacknowledged_bytes>>()},
    {"tcp_oldest_unacknowledged_seconds", Gauge, kSeconds, kLiveIscsi,
     "For how long the oldest unacknowledged byte has waited, on the worst connection; 0 if none "
     "waits.",
     Of<EachTarget, &Walked<&WalkedConnections::unacknowledged_ns>>()},
    {"tcp_smoothed_rtt_seconds", Gauge, kSeconds, kLiveIscsi,
     "TCP's smoothed round-trip time, of the slowest connection; 0 if none is open or measured.",
     Of<EachTarget, &Walked<&WalkedConnections::smoothed_rtt_ns>>()},
    {"tcp_closed_send_windows", Gauge, kCount, kLiveIscsi,
     "Connections whose peer takes no more bytes: it does not read.",
     Of<EachTarget, &Walked<&WalkedConnections::closed_send_windows>>()},
    {"command_window_commands", Gauge, kCount, kIscsi,
     "Commands that the target still takes, MaxCmdSN - ExpCmdSN + 1, on the connection with the "
     "fewest.",
     Of<Where<EachTarget, &HasWindow>, &Known<&WalkedConnections::command_window>>()},
    {"smallest_command_window_commands", Gauge, kCount, kIscsi,
     "The smallest of these windows in the last one to two minutes, which is that of a moment "
     "between two scrapes; 0 if one was closed.",
     Of<Where<EachTarget, &HasWindow>, &Known<&WalkedConnections::smallest_command_window>>()},
    {"unacknowledged_statuses", Gauge, kCount, kIscsi,
     "Answers of the target, by StatSN, that the initiator has not acknowledged by ExpStatSN, on "
     "the "
     "connection with the most. An initiator acknowledges with its next PDU.",
     Of<Where<EachTarget, &HasStatuses>, &Known<&WalkedConnections::unacknowledged_statuses>>()},
    {"closed_command_windows", Gauge, kCount, kIscsi,
     "Connections whose target takes no more commands.",
     Of<EachTarget, &Walked<&WalkedConnections::closed_command_windows>>()},
    {"command_window_closed_seconds_total", Counter, kSeconds, kIscsi,
     "Time in which an initiator could send no further command, because the CmdSN of its last one "
     "was MaxCmdSN; the sum of all connections.",
     Of<EachTarget, &TargetStatistics::window_closed_ns>()},
    {"commands_beyond_window_total", Counter, kCount, kIscsi,
     "Commands with a CmdSN above MaxCmdSN, which the target ignores.",
     Of<EachTarget, &TargetStatistics::commands_beyond>()},
    {"connections_ended_total", Counter, kCount, kIscsi,
     "Connections that have ended, by who ended them and how far they had come.", Of<EachEnd>()},
    {"target_events_lost_total", Counter, kCount, kLiveIscsi,
     "Records of PDUs, and of commands with a status, that did not get into the ring, as of the "
     "last walk: who has more than its share.",
     Of<EachRecordLoss>()},
};

}  // namespace

std::span<const Metric> TargetMetrics() { return kTargetMetrics; }

}  // namespace lunscope
