// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/unwatched_ports.h"

#include <lunscope/iscsi.h>

namespace lunscope {
namespace {

bool IsLogin(const TcpSegment& segment) {
  const uint8_t* bhs = segment.payload.data();
  return segment.payload.size() >= ISCSI_BHS_BYTES && iscsi_opcode(bhs) == ISCSI_LOGIN_REQUEST &&
         iscsi_is_plausible(bhs);
}

}  // namespace

void UnwatchedPorts::Take(const TcpSegment& segment) {
  packets_++;
  if (by_port_.empty()) by_port_.resize(has_login_.size());
  by_port_[segment.from.port]++;
  by_port_[segment.to.port]++;
  if (IsLogin(segment)) has_login_.set(segment.to.port);
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
