// SPDX-License-Identifier: Apache-2.0
//
// From a captured frame to the TCP segment in it. Pure: bytes in; out comes a value, or the reason
// why the frame has no segment. No input makes it read outside the frame.
#pragma once

#include <lunscope/iscsi.h>

#include <array>
#include <compare>
#include <cstdint>
#include <span>

namespace lunscope {

// One end of a TCP connection.
struct TcpEnd {
  std::array<uint8_t, 16> address{};  // IPv4: the first four bytes
  uint16_t port = 0;
  bool is_ipv6 = false;
  auto operator<=>(const TcpEnd&) const = default;
};

struct TcpSegment {
  uint64_t time_ns = 0;
  uint64_t vlan = 0;  // 12 bits for each tag, the innermost lowest; 0: none
  TcpEnd from;
  TcpEnd to;
  uint32_t seq = 0;
  uint32_t ack = 0;
  bool has_ack = false;
  bool syn = false;
  bool fin = false;
  bool rst = false;
  uint32_t payload_bytes = 0;        // on the wire
  std::span<const uint8_t> payload;  // as far as it was captured; in the frame's own memory

  // The sequence number of the payload's first byte: a SYN counts as one byte before it.
  [[nodiscard]] uint32_t payload_seq() const { return seq + (syn ? 1 : 0); }
};

// Does the payload begin with the BHS of a Login Request?
inline bool BeginsWithLogin(const TcpSegment& segment) {
  const uint8_t* bhs = segment.payload.data();
  return segment.payload.size() >= ISCSI_BHS_BYTES && iscsi_opcode(bhs) == ISCSI_LOGIN_REQUEST &&
         iscsi_is_plausible(bhs);
}

// The kind of a frame. All kinds but the first are passed over.
enum class PacketKind {
  kTcp,
  kNotIp,
  kNotTcp,
  kIpFragment,
  kCutHeader,
  kMalformed,
  kUnknownLink,
};
inline constexpr size_t kPacketKinds = 7;
inline constexpr const char* kPacketKindNames[kPacketKinds] = {
    "TCP", "not IP", "not TCP", "IP fragments", "cut headers", "malformed", "of unknown link"};

// Link types are those of libpcap (DLT_*).
bool IsKnownLinkType(int link_type);
inline constexpr const char* kKnownLinkTypes =
    "Ethernet, Linux cooked, BSD loopback, PPP, Cisco HDLC, netfilter log and raw IP";

// wire_bytes: length of the frame before it was cut. Fills in
// all of the segment but its time.
PacketKind DecodePacket(int link_type, std::span<const uint8_t> captured, uint32_t wire_bytes,
                        TcpSegment* segment);

}  // namespace lunscope
