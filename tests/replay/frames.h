// SPDX-License-Identifier: Apache-2.0
//
// Captured frames, built from the inside out:
//   Ethernet(Ipv4(Tcp({.seq = 7}, payload)))
// Offsets are typed in from libpcap's list of link types, RFC 791, 8200 and 9293, and for tunnels
// from RFC 768, 1661, 2516, 2784, 2890, 3032, 4385, 7348 and 8926.
#pragma once

#include <cstdint>

#include "tests/vectors/bytes.h"

namespace lunscope {

inline constexpr uint16_t kInitiatorPort = 40000;
inline constexpr uint16_t kTargetPort = 3260;
inline constexpr uint8_t kFinFlag = 0x01;
inline constexpr uint8_t kSynFlag = 0x02;
inline constexpr uint8_t kRstFlag = 0x04;
inline constexpr uint8_t kAckFlag = 0x10;

inline Bytes Number(uint64_t value, size_t bytes) {
  Bytes number;
  for (size_t i = bytes; i-- > 0;) number.push_back(static_cast<uint8_t>(value >> (8 * i)));
  return number;
}

struct TcpFields {
  uint16_t from = kInitiatorPort;
  uint16_t to = kTargetPort;
  uint32_t seq = 1000;
  uint32_t ack = 2000;
  uint8_t flags = kAckFlag;
  size_t option_bytes = 0;
};

inline Bytes Tcp(const TcpFields& tcp, const Bytes& payload) {
  return Join({Number(tcp.from, 2), Number(tcp.to, 2), Number(tcp.seq, 4), Number(tcp.ack, 4),
               Number((20 + tcp.option_bytes) / 4 << 4, 1), Number(tcp.flags, 1), Number(512, 2),
               Bytes(4), Bytes(tcp.option_bytes, 0x01), payload});
}

struct Ipv4Fields {
  uint8_t protocol = 6;
  uint16_t fragment = 0x4000;  // don't fragment
  size_t option_bytes = 0;
  int total_bytes = -1;  // a false total length; -1: the true one
};

inline Bytes Ipv4(const Bytes& payload, const Ipv4Fields& ip = {}) {
  const size_t header_bytes = 20 + ip.option_bytes;
  const auto total =
      ip.total_bytes >= 0 ? static_cast<size_t>(ip.total_bytes) : header_bytes + payload.size();
  return Join({Number(0x40 | header_bytes / 4, 1),
               Bytes(1),
               Number(total, 2),
               Bytes(2),
               Number(ip.fragment, 2),
               Number(64, 1),
               Number(ip.protocol, 1),
               Bytes(2),
               {10, 0, 0, 1},
               {10, 0, 0, 2},
               Bytes(ip.option_bytes, 0x01),
               payload});
}

inline Bytes Ipv6(const Bytes& payload, uint8_t next_header = 6, int payload_bytes = -1) {
  const auto bytes = payload_bytes >= 0 ? static_cast<size_t>(payload_bytes) : payload.size();
  Bytes from(16), to(16);
  from[15] = 1;
  to[15] = 2;
  return Join({{0x60, 0, 0, 0},
               Number(bytes, 2),
               Number(next_header, 1),
               Number(64, 1),
               from,
               to,
               payload});
}

inline Bytes Ethernet(const Bytes& packet, uint16_t type = 0x0800) {
  return Join({Bytes(12, 0x02), Number(type, 2), packet});
}

// Goes inside Ethernet(), whose type is then that of the tag.
inline Bytes Vlan(const Bytes& packet, uint16_t type = 0x0800, uint16_t number = 7) {
  return Join({Number(number, 2), Number(type, 2), packet});
}

inline Bytes Cooked(const Bytes& packet, uint16_t type = 0x0800) {
  return Join({Bytes(14), Number(type, 2), packet});
}

inline Bytes Cooked2(const Bytes& packet, uint16_t type = 0x0800) {
  return Join({Number(type, 2), Bytes(18), packet});
}

// IEEE 802.3 with a length in the place of the type, and SNAP.
inline Bytes Snap(const Bytes& packet, uint16_t type = 0x0800) {
  return Ethernet(Join({{0xaa, 0xaa, 0x03, 0, 0, 0}, Number(type, 2), packet}),
                  static_cast<uint16_t>(8 + packet.size()));
}

// Labels, the last of which has the bit S.
inline Bytes Mpls(const Bytes& packet, int labels = 1) {
  Bytes stack;
  for (int i = 1; i <= labels; i++)
    stack = Join({stack, Number(100 << 12 | (i == labels ? 1 << 8 : 0) | 64, 4)});
  return Join({stack, packet});
}

inline Bytes Pppoe(const Bytes& packet, uint16_t protocol = 0x0021) {
  return Join({{0x11, 0, 0, 1}, Number(packet.size() + 2, 2), Number(protocol, 2), packet});
}

// flags and, for each that has one, a field of four bytes.
inline Bytes Gre(const Bytes& packet, uint16_t type, uint16_t flags = 0, size_t fields = 0) {
  return Join({Number(flags, 2), Number(type, 2), Bytes(4 * fields, 0x55), packet});
}

inline Bytes Udp(const Bytes& packet, uint16_t port) {
  return Join({Number(50000, 2), Number(port, 2), Number(8 + packet.size(), 2), Bytes(2), packet});
}

inline Bytes Vxlan(const Bytes& frame, uint8_t next = 0) {
  return Join({{0x08, 0, 0, next, 0, 0, 42, 0}, frame});
}

inline Bytes Geneve(const Bytes& frame, uint16_t type, size_t option_words = 0) {
  return Join({Number(option_words, 1),
               Bytes(1),
               Number(type, 2),
               {0, 0, 42, 0},
               Bytes(4 * option_words, 0x33),
               frame});
}

// A packet as an attribute of Linux netfilter's log, behind another attribute of odd length.
inline Bytes Nflog(const Bytes& packet) {
  const size_t bytes = 4 + packet.size();
  return Join({{2, 0, 0, 1},
               {5, 0, 10, 0, 1},
               Bytes(3),
               {static_cast<uint8_t>(bytes), static_cast<uint8_t>(bytes >> 8), 9, 0},
               packet});
}

inline Bytes Loopback(const Bytes& family, const Bytes& packet) { return Join({family, packet}); }

}  // namespace lunscope
