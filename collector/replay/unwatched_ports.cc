// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/unwatched_ports.h"

namespace lunscope {

void UnwatchedPorts::Take(const TcpSegment& segment) {
  packets_++;
  if (by_port_.empty()) by_port_.resize(has_login_.size());
  by_port_[segment.from.port]++;
  by_port_[segment.to.port]++;
  if (BeginsWithLogin(segment)) has_login_.set(segment.to.port);
  if (segment.syn) listens_.set(segment.has_ack ? segment.from.port : segment.to.port);
}

std::optional<UnwatchedPorts::Port> UnwatchedPorts::Busiest() const {
  if (packets_ == 0) return std::nullopt;
  const Ports all = ~Ports();
  for (const Ports* candidates : {&has_login_, &listens_, &all}) {
    if (candidates->none()) continue;
    Port busiest;
    for (size_t port = 0; port < by_port_.size(); port++) {
      if (!candidates->test(port) || by_port_[port] <= busiest.packets) continue;
      busiest = {static_cast<uint16_t>(port), by_port_[port], has_login_.test(port)};
    }
    return busiest;
  }
  return std::nullopt;
}

}  // namespace lunscope
