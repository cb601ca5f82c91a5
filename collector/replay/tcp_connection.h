// SPDX-License-Identifier: Apache-2.0
//
// One TCP connection of a capture: its two directions put in order, and its ends followed, from the
// first segment that is seen of it to its FINs or RST. One thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "collector/replay/follower.h"
#include "collector/replay/packet.h"
#include "collector/replay/reassembly.h"
#include "collector/replay/unwatched_ports.h"

namespace lunscope {

struct ConnectionEnds {
  TcpEnd initiator;
  TcpEnd target;
  uint64_t vlan = 0;
  auto operator<=>(const ConnectionEnds&) const = default;
};

// The sender of a segment. Also an array index.
enum Sender : uint8_t { kFromInitiator, kFromTarget, kSenders };

// Which ends are followed, and where what they say goes: shared by all connections of a replay.
struct Watch {
  bool initiators = true;
  bool targets = false;
  bool headers = false;  // a record of each PDU's header, too
  ConnectionFollower::Handler handler;
  lunscope_totals totals{};
  UnwatchedPorts unwatched;
  KeptBudget kept;
  uint64_t ends_met = 0;
  uint64_t crowded_packets = 0;  // of connections beyond the most that are followed
};

class TcpConnection {
 public:
  // watch: outlives the connection.
  TcpConnection(const ConnectionEnds& ends, Watch* watch);

  // A segment of this connection. Ignored once it is closed.
  void Take(const TcpSegment& segment, Sender sender);
  // Is this the SYN of another connection between the same ends?
  [[nodiscard]] bool IsSucceededBy(const TcpSegment& segment, Sender sender) const;
  // The connection ends, or the capture says so.
  void Close(uint64_t now_ns);
  // The capture ends: bytes that wait for others are followed without them. A connection whose
  // target has sent its FIN ends, too, because nothing can be answered any more.
  void GiveUp();
  void Walk(const ConnectionFollower::Handler& handler) const;

  [[nodiscard]] bool is_closed() const { return is_closed_; }
  // PDUs went both ways: this is iSCSI, and no scan or flood of SYNs.
  [[nodiscard]] bool IsProven() const;

 private:
  struct Direction {
    explicit Direction(Reassembly::Sink sink) : stream(std::move(sink)) {}
    Reassembly stream;
    std::optional<uint32_t> first;  // sequence number of its first byte, if a SYN showed it
    std::optional<uint32_t> end;    // behind its last byte, if there was a FIN
    bool ends_first = false;        // its FIN was sent by an end that had no FIN of the other's yet
  };

  void FollowConnect(const TcpSegment& segment, Sender sender);
  void FailToConnect(uint64_t now_ns, lunscope_end end);
  std::unique_ptr<ConnectionFollower> NewFollower(lunscope_role role);
  void LearnBeginning(const TcpSegment& segment, Sender sender);
  void LearnLogin(const TcpSegment& segment, Sender sender);
  void TakePayload(const TcpSegment& segment, Sender sender);
  [[nodiscard]] bool IsOver() const;
  [[nodiscard]] bool HasEnded(Sender sender) const;
  void FollowWhatWaits();
  // How the connection ended, as the end with this role sees it.
  [[nodiscard]] lunscope_end EndAt(lunscope_role role) const;
  void FollowEnds(uint64_t now_ns);
  void Follow(lunscope_role role, uint64_t now_ns);
  void Offer(Sender sender, const Stretch& stretch);

  const ConnectionEnds ends_;
  Watch& watch_;
  std::array<Direction, kSenders> directions_;
  struct End {
    lunscope_role role;
    std::unique_ptr<ConnectionFollower> follower;
  };
  std::vector<End> followed_;    // none before the first payload: state costs 16 KiB
  uint32_t syns_ = 0;            // that the initiator has sent, while nothing answers
  uint64_t syn_ns_ = 0;          // the time of the last of them
  uint64_t last_ns_ = 0;         // the time of its last segment
  std::optional<Sender> reset_;  // the sender of an RST
  bool is_closed_ = false;
};

}  // namespace lunscope
