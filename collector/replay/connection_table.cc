// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/connection_table.h"

#include <lunscope/iscsi.h>

namespace lunscope {
namespace {

constexpr size_t kMaxClosed = 1024;

}  // namespace

ConnectionTable::ConnectionTable(const std::vector<uint16_t>& ports, Watch* watch,
                                 size_t max_connections)
    : watch_(*watch), max_connections_(max_connections) {
  for (const uint16_t port : ports) target_ports_.set(port);
}

std::optional<ConnectionTable::Place> ConnectionTable::PlaceOf(const TcpSegment& segment) const {
  const bool is_from_target = target_ports_.test(segment.from.port);
  const bool is_to_target = target_ports_.test(segment.to.port);
  if (is_from_target && is_to_target) return PlaceByContent(segment);
  if (is_to_target) return Place{{segment.from, segment.to, segment.vlan}, kFromInitiator};
  if (is_from_target) return Place{{segment.to, segment.from, segment.vlan}, kFromTarget};
  return std::nullopt;
}

// Both ports are those of targets: the first SYN comes from the initiator, and so does a PDU whose
// opcode says so.
std::optional<ConnectionTable::Place> ConnectionTable::PlaceByContent(
    const TcpSegment& segment) const {
  const Place from_initiator{{segment.from, segment.to, segment.vlan}, kFromInitiator};
  const Place from_target{{segment.to, segment.from, segment.vlan}, kFromTarget};
  if (segment.syn) return segment.has_ack ? from_target : from_initiator;
  if (connections_.contains(from_initiator.first)) return from_initiator;
  if (connections_.contains(from_target.first)) return from_target;
  if (segment.payload.size() < ISCSI_BHS_BYTES || !iscsi_is_plausible(segment.payload.data()))
    return std::nullopt;
  const uint8_t sender = iscsi_role_of(segment.payload.data(), LUNSCOPE_SENT);
  return sender == LUNSCOPE_ROLE_INITIATOR ? from_initiator : from_target;
}

void ConnectionTable::CountUntracked(const ConnectionEnds& ends) {
  if (untracked_.size() < kMaxUntracked && untracked_.insert(ends).second)
    watch_.totals.untracked_connections++;
}

// Returns false if every connection is proven.
bool ConnectionTable::MakeRoom(uint64_t now_ns) {
  if (unproven_.empty()) return false;
  const auto oldest = connections_.find(unproven_.front());
  unproven_.pop_front();
  CountUntracked(oldest->first);
  oldest->second.connection.Close(now_ns);
  connections_.erase(oldest);
  return true;
}

// nullptr: this segment begins none, or there are too many (counted).
ConnectionTable::Entry* ConnectionTable::EntryOf(const Place& place, const TcpSegment& segment) {
  const auto& [ends, sender] = place;
  const auto known = connections_.find(ends);
  if (known != connections_.end()) {
    Entry& entry = known->second;
    if (!entry.connection.IsSucceededBy(segment, sender)) return &entry;
    entry.connection.Close(segment.time_ns);
    if (entry.unproven) unproven_.erase(*entry.unproven);
    connections_.erase(known);
  }
  if (segment.rst || (!segment.syn && segment.payload_bytes == 0)) return nullptr;
  if (connections_.size() >= max_connections_ && !MakeRoom(segment.time_ns)) {
    watch_.crowded_packets++;
    CountUntracked(ends);
    return nullptr;
  }
  Entry& entry = connections_.try_emplace(ends, ends, &watch_).first->second;
  entry.unproven = unproven_.insert(unproven_.end(), ends);
  return &entry;
}

// After each segment: is the connection proven now, or only no longer silent?
void ConnectionTable::Prove(Entry& entry) {
  if (!entry.unproven) return;
  if (entry.connection.is_closed() || entry.connection.IsProven()) {
    unproven_.erase(*entry.unproven);
    entry.unproven.reset();
  } else {
    unproven_.splice(unproven_.end(), unproven_, *entry.unproven);
  }
}

void ConnectionTable::Take(const TcpSegment& segment) {
  const std::optional<Place> place = PlaceOf(segment);
  if (!place) {
    watch_.unwatched.Take(segment);
    return;
  }
  Entry* entry = EntryOf(*place, segment);
  if (entry == nullptr || entry->connection.is_closed()) return;
  entry->connection.Take(segment, place->second);
  Prove(*entry);
  if (entry->connection.is_closed()) RememberClosed(place->first);
}

void ConnectionTable::RememberClosed(const ConnectionEnds& ends) {
  closed_.push_back(ends);
  if (closed_.size() <= kMaxClosed) return;
  const auto oldest = connections_.find(closed_.front());
  if (oldest != connections_.end() && oldest->second.connection.is_closed())
    connections_.erase(oldest);
  closed_.pop_front();
}

void ConnectionTable::GiveUp() {
  for (auto& [ends, entry] : connections_) entry.connection.GiveUp();
}

void ConnectionTable::Walk(const ConnectionFollower::Handler& handler) const {
  for (const auto& [ends, entry] : connections_) entry.connection.Walk(handler);
}

}  // namespace lunscope
