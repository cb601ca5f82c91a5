// SPDX-License-Identifier: Apache-2.0
#include "collector/model/traffic.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace lunscope {
namespace {

// A record may be older than one that was counted before it: a total never shrinks.
template <typename Count>
Count Growth(Count& counted, Count now) {
  if (now <= counted) return 0;
  return now - std::exchange(counted, now);
}

template <typename Count>
void Advance(uint64_t& total, Count& counted, Count now) {
  total += Growth(counted, now);
}

void Lower(std::optional<uint32_t>& smallest, uint32_t number) {
  smallest = std::min(smallest.value_or(~0u), number);
}

// A record outside of a walk says nothing of this, and adds nothing.
void AddWalked(WalkedConnections& walked, const lunscope_connection_record& record) {
  walked.unread_bytes += record.unread_bytes;
  if (record.has_window != 0) {
    Lower(walked.command_window, record.window);
    Lower(walked.smallest_command_window, record.smallest_window);
    if (record.window == 0) walked.closed_command_windows++;
  }
  if (record.has_unacknowledged_statuses != 0) {
    walked.unacknowledged_statuses =
        std::max(walked.unacknowledged_statuses.value_or(0), record.unacknowledged_statuses);
  }
  const lunscope_tcp& tcp = record.tcp;
  if (tcp.is_known == 0) return;
  walked.unacknowledged_bytes += tcp.unacknowledged_bytes;
  walked.unacknowledged_ns = std::max(walked.unacknowledged_ns, tcp.unacknowledged_ns);
  walked.unsent_bytes += tcp.unsent_bytes;
  walked.smoothed_rtt_ns = std::max(walked.smoothed_rtt_ns, tcp.smoothed_rtt_us * uint64_t{1000});
  if (tcp.send_window_bytes == 0) walked.closed_send_windows++;
}

void AddWaiting(const Pings& pings, TargetCounters& target) {
  for (const PingSender sender : {kPingOfInitiator, kPingOfTarget}) {
    const std::vector<Pings::Waiting>& waiting = pings.waiting(sender);
    if (waiting.empty()) continue;
    PingStatistics& counts = target.pings[sender];
    counts.waiting += waiting.size();
    const uint64_t sent_ns = waiting.front().sent_ns;
    counts.oldest_ns = counts.oldest_ns == 0 ? sent_ns : std::min(counts.oldest_ns, sent_ns);
  }
}

}  // namespace

Troubles CountTraffic(Connection& connection, const lunscope_connection_record& record) {
  TargetCounters& target = connection.target->second;
  lunscope_connection_record& counted = connection.counted;
  for (size_t direction = 0; direction < LUNSCOPE_DIRECTIONS; direction++) {
    lunscope_traffic& old = counted.traffic[direction];
    const lunscope_traffic& now = record.traffic[direction];
    for (size_t opcode = 0; opcode < 32; opcode++)
      Advance(target.pdus[direction][opcode], old.pdus[opcode], now.pdus[opcode]);
    Advance(target.bytes[direction], old.bytes, now.bytes);
    for (size_t loss = 0; loss < LUNSCOPE_LOSS_COUNT; loss++)
      Advance(target.records_lost[loss], old.records_lost[loss], now.records_lost[loss]);
  }
  Advance(target.retransmits, counted.retransmits, record.retransmits);
  Advance(target.commands_beyond, counted.commands_beyond, record.commands_beyond);
  Advance(target.window_closed_ns, counted.window_closed_ns,
          record.window_closed_ns + record.window_waiting_ns);
  AddWalked(target.walked, record);
  if ((record.header.flags & LUNSCOPE_FLAG_CLOSED) == 0) AddWaiting(connection.pings, target);
  Advance(target.unmatched_responses, counted.unmatched_responses, record.unmatched_responses);
  const Troubles troubles = {Growth(counted.gaps, record.gaps),
                             Growth(counted.header_digest_errors, record.header_digest_errors)};
  target.header_digest_errors += troubles.header_digest_errors;
  return troubles;
}

void CountManagement(Connection& connection, const lunscope_pdu_record& record) {
  TargetCounters& target = connection.target->second;
  switch (iscsi_opcode(record.bhs)) {
    case ISCSI_TASK_REQUEST: target.task_functions[iscsi_task_function(record.bhs)]++; break;
    case ISCSI_REJECT:
      if (record.last) target.rejects[iscsi_reject_reason(record.bhs)]++;
      break;
    case ISCSI_ASYNC_MESSAGE:
      if (record.last) target.async_events[iscsi_async_event(record.bhs)]++;
      break;
    case ISCSI_NOP_OUT:
    case ISCSI_NOP_IN:
      if (record.last) connection.pings.Take(record.bhs, record.header.time_ns, target.pings);
      break;
    default: break;
  }
}

}  // namespace lunscope
