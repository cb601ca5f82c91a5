// SPDX-License-Identifier: Apache-2.0
//
// The layers of a captured frame, taken off one after the other: links and tunnels in link.cc,
// IP and what is in it in internet.cc. packet.h is the way in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "collector/replay/packet.h"

namespace lunscope {

// The rest of a frame while its headers are taken off.
struct Frame {
  std::span<const uint8_t> captured;
  size_t wire_bytes;  // at least as many

  [[nodiscard]] const uint8_t* data() const { return captured.data(); }
  [[nodiscard]] bool Has(size_t bytes) const { return captured.size() >= bytes; }
  // Why a header of this length is not there.
  [[nodiscard]] PacketKind Short(size_t bytes) const {
    return wire_bytes >= bytes ? PacketKind::kCutHeader : PacketKind::kMalformed;
  }
  // REQUIRES: Has(bytes).
  void Skip(size_t bytes) {
    captured = captured.subspan(bytes);
    wire_bytes -= bytes;
  }
  // The packet in the frame is this long; what is behind it is padding.
  void Limit(size_t bytes) {
    wire_bytes = bytes;
    captured = captured.first(std::min(captured.size(), bytes));
  }
};

// Each function takes off one layer and goes on with the next. All of them return what the
// innermost layer is.
class Decoder {
 public:
  explicit Decoder(TcpSegment* segment) : segment_(*segment) {}

  PacketKind Link(int link_type, Frame frame);

 private:
  // link.cc
  PacketKind Ethernet(Frame frame);
  // A link header of this length, with the EtherType at this offset in it.
  PacketKind Typed(Frame frame, size_t header_bytes, size_t type_at);
  PacketKind EtherType(uint16_t type, Frame frame);
  PacketKind Vlan(Frame frame);
  PacketKind Llc(Frame frame);
  PacketKind Mpls(Frame frame);
  PacketKind PppoeSession(Frame frame);
  PacketKind Ppp(Frame frame);
  PacketKind Loopback(Frame frame);
  PacketKind Nflog(Frame frame);
  PacketKind Gre(Frame frame);
  PacketKind Erspan(Frame frame, size_t header_bytes);
  PacketKind Vxlan(Frame frame);
  PacketKind VxlanGpe(Frame frame);
  PacketKind Geneve(Frame frame);

  // internet.cc
  PacketKind Ip(Frame frame);
  PacketKind Ipv4(Frame frame);
  PacketKind Ipv6(Frame frame);
  PacketKind Protocol(uint8_t protocol, Frame frame);
  PacketKind Udp(Frame frame);
  PacketKind Tcp(Frame frame);

  // Layers nest, but not without end. False: too deep.
  bool Enter() { return ++layers_ <= kMaxLayers; }

  static constexpr uint32_t kMaxLayers = 24;

  TcpSegment& segment_;
  uint32_t layers_ = 0;
};

}  // namespace lunscope
