// SPDX-License-Identifier: Apache-2.0
//
// TCP packets of a capture that belong to no port that is watched: how many, and which port is the
// one to watch. Values only; one thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <vector>

#include "collector/replay/packet.h"

namespace lunscope {

class UnwatchedPorts {
 public:
  struct Port {
    uint16_t number = 0;
    uint64_t packets = 0;
    bool has_login = false;  // an iSCSI Login Request went there
  };

  void Take(const TcpSegment& segment);

  [[nodiscard]] uint64_t packets() const { return packets_; }
  // The port of a server that has most packets; first one that a Login Request went to, then one
  // that was connected to, then any. nullopt: there was no packet.
  [[nodiscard]] std::optional<Port> Busiest() const;

 private:
  using Ports = std::bitset<65536>;

  uint64_t packets_ = 0;
  std::vector<uint64_t> by_port_;  // empty before the first packet
  Ports has_login_;
  Ports listens_;
};

}  // namespace lunscope
