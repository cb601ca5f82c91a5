// SPDX-License-Identifier: Apache-2.0
//
// Structured bindings name every member here, so a new one does not compile before it is added.
#include "collector/model/target.h"

#include <fmt/format.h>

#include <string_view>

namespace lunscope {
namespace {

void AddCounts(uint64_t from, uint64_t& to) { to += from; }

template <uint64_t kFirst, size_t kBounds, unsigned kBits>
void AddCounts(const DoublingHistogram<kFirst, kBounds, kBits>& from,
               DoublingHistogram<kFirst, kBounds, kBits>& to) {
  to.Merge(from);
}

template <typename Key>
void AddCounts(const std::map<Key, uint64_t>& from, std::map<Key, uint64_t>& to) {
  for (const auto& [key, count] : from) to[key] += count;
}

void AddCounts(const DeepPtr<OperationStatistics>& from, DeepPtr<OperationStatistics>& to) {
  if (!from) return;
  const auto& [duration_ns, above_wire_ns, wire_ns] = *from;
  OperationStatistics& sum = to.Ensure();
  AddCounts(duration_ns, sum.duration_ns);
  AddCounts(above_wire_ns, sum.above_wire_ns);
  AddCounts(wire_ns, sum.wire_ns);
}

void AddCounts(const PingStatistics& from, PingStatistics& to) {
  AddCounts(from.duration_ns, to.duration_ns);
  AddCounts(from.given_up, to.given_up);
}

template <typename Item, size_t kItems>
void AddCounts(const std::array<Item, kItems>& from, std::array<Item, kItems>& to);

void AddCounts(const DepthHistogram& from, DepthHistogram& to) { to.Merge(from); }

void AddCounts(const DeepPtr<OperationProfile>& from, DeepPtr<OperationProfile>& to) {
  if (!from) return;
  const auto& [interarrival_ns, seeks, sequential, alignments, fua] = *from;
  OperationProfile& sum = to.Ensure();
  AddCounts(interarrival_ns, sum.interarrival_ns);
  AddCounts(seeks, sum.seeks);
  AddCounts(sequential, sum.sequential);
  AddCounts(alignments, sum.alignments);
  AddCounts(fua, sum.fua);
}

// The commands of one LUN are no neighbours of another's.
void AddCounts(const DeepPtr<LunProfile>& from, DeepPtr<LunProfile>& to) {
  if (!from) return;
  const auto& [operations, depth, unordered, order, sweep, horizon_ns] = *from;
  static_cast<void>(order);
  static_cast<void>(sweep);
  static_cast<void>(horizon_ns);
  LunProfile& sum = to.Ensure();
  AddCounts(operations, sum.operations);
  AddCounts(depth, sum.depth);
  AddCounts(unordered, sum.unordered);
}

void AddCounts(const DeepPtr<PhaseStatistics>& from, DeepPtr<PhaseStatistics>& to) {
  if (from) AddCounts(*from, to.Ensure());
}

template <typename Item, size_t kItems>
void AddCounts(const std::array<Item, kItems>& from, std::array<Item, kItems>& to) {
  for (size_t i = 0; i < kItems; i++) AddCounts(from[i], to[i]);
}

}  // namespace

void AddCounts(const TargetCounters& from, TargetCounters& to) {
  const auto& [sizes, phases, logins, login_failures, login_redirections, logouts,
               session_reinstatements, outages, outage_ns, pings, rejects, task_functions,
               async_events, pdus, bytes, retransmits, window_closed_ns, commands_beyond, walked,
               header_digest_errors, unmatched_responses, records_lost, ends] = from;
  static_cast<void>(walked);
  AddCounts(sizes, to.sizes);
  AddCounts(phases, to.phases);
  AddCounts(logins, to.logins);
  AddCounts(login_failures, to.login_failures);
  AddCounts(login_redirections, to.login_redirections);
  AddCounts(logouts, to.logouts);
  AddCounts(session_reinstatements, to.session_reinstatements);
  AddCounts(outages, to.outages);
  AddCounts(outage_ns, to.outage_ns);
  AddCounts(pings, to.pings);
  AddCounts(rejects, to.rejects);
  AddCounts(task_functions, to.task_functions);
  AddCounts(async_events, to.async_events);
  AddCounts(pdus, to.pdus);
  AddCounts(bytes, to.bytes);
  AddCounts(retransmits, to.retransmits);
  AddCounts(window_closed_ns, to.window_closed_ns);
  AddCounts(commands_beyond, to.commands_beyond);
  AddCounts(header_digest_errors, to.header_digest_errors);
  AddCounts(unmatched_responses, to.unmatched_responses);
  AddCounts(records_lost, to.records_lost);
  AddCounts(ends, to.ends);
}

void AddCounts(const LunStatistics& from, LunStatistics& to) {
  const auto& [operations, read_bytes, written_bytes, identity, elsewhere, errors, target_failures,
               no_status, outstanding, oldest_start_ns, host_errors, retries, timeouts, unjoined,
               profile] = from;
  static_cast<void>(identity);
  static_cast<void>(elsewhere);
  static_cast<void>(outstanding);
  static_cast<void>(oldest_start_ns);
  AddCounts(operations, to.operations);
  AddCounts(read_bytes, to.read_bytes);
  AddCounts(written_bytes, to.written_bytes);
  AddCounts(errors, to.errors);
  AddCounts(target_failures, to.target_failures);
  AddCounts(no_status, to.no_status);
  AddCounts(host_errors, to.host_errors);
  AddCounts(retries, to.retries);
  AddCounts(timeouts, to.timeouts);
  AddCounts(unjoined, to.unjoined);
  AddCounts(profile, to.profile);
}

std::string NameFromWire(std::string name) {
  for (const std::string_view stand_in : {kUnknownName, kDiscoveryName, kOverflowName}) {
    if (name == stand_in) return fmt::format("\\x{:02x}{}", name[0], name.substr(1));
  }
  return name;
}

}  // namespace lunscope
