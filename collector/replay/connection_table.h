// SPDX-License-Identifier: Apache-2.0
//
// The connections of a capture: which one a segment belongs to, and which end of it is the target.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "collector/replay/packet.h"
#include "collector/replay/tcp_connection.h"

namespace lunscope {

class ConnectionTable {
 public:
  // At once: each end that is followed takes 16 KiB. For one more, the connection goes that is not
  // proven and has been silent for longest. Connections that went, or found no place, are counted
  // as untracked, each once, up to kMaxUntracked of them.
  static constexpr size_t kMaxConnections = 16384;
  static constexpr size_t kMaxUntracked = 65536;

  // ports: those that targets listen on. watch: outlives the table.
  ConnectionTable(const std::vector<uint16_t>& ports, Watch* watch,
                  size_t max_connections = kMaxConnections);

  // Segments of other ports are passed over, and counted in watch->unwatched.
  void Take(const TcpSegment& segment);
  // The capture ends.
  void GiveUp();
  // Hand out every connection that is open.
  void Walk(const ConnectionFollower::Handler& handler) const;

 private:
  using Place = std::pair<ConnectionEnds, Sender>;
  using Silent = std::list<ConnectionEnds>;  // the longest silent is first
  struct Entry {
    Entry(const ConnectionEnds& ends, Watch* watch) : connection(ends, watch) {}
    TcpConnection connection;
    std::optional<Silent::iterator> unproven;  // its place in unproven_
  };

  [[nodiscard]] std::optional<Place> PlaceOf(const TcpSegment& segment) const;
  [[nodiscard]] std::optional<Place> PlaceByContent(const TcpSegment& segment) const;
  Entry* EntryOf(const Place& place, const TcpSegment& segment);
  bool MakeRoom(uint64_t now_ns);
  void CountUntracked(const ConnectionEnds& ends);
  void Prove(Entry& entry);
  void RememberClosed(const ConnectionEnds& ends);

  std::bitset<65536> target_ports_;
  Watch& watch_;
  const size_t max_connections_;
  std::map<ConnectionEnds, Entry> connections_;
  Silent unproven_;
  std::set<ConnectionEnds> untracked_;
  // The latest to be closed are still known, so that what comes late is not taken for a connection
  // met in the middle.
  std::deque<ConnectionEnds> closed_;
};

}  // namespace lunscope
