// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/packet.h"

#include <lunscope/bytes.h>
#include <pcap/pcap.h>

#include <algorithm>

namespace lunscope {
namespace {

constexpr uint16_t kEtherTypeIpv4 = 0x0800;
constexpr uint16_t kEtherTypeIpv6 = 0x86dd;
constexpr uint16_t kVlanTags[] = {0x8100, 0x88a8, 0x9100};  // 802.1Q, 802.1ad, and before it
constexpr uint32_t kMaxVlanTags = 4;
constexpr uint32_t kMaxExtensionHeaders = 8;

constexpr size_t kEthernetBytes = 14;
constexpr size_t kVlanBytes = 4;
constexpr size_t kCookedBytes = 16;
constexpr size_t kCooked2Bytes = 20;
constexpr size_t kLoopbackBytes = 4;
constexpr size_t kIpv4Bytes = 20;
constexpr size_t kIpv6Bytes = 40;
constexpr size_t kTcpBytes = 20;

constexpr uint8_t kTcpProtocol = 6;
constexpr uint8_t kFragmentHeader = 44;
constexpr uint8_t kAuthenticationHeader = 51;

constexpr uint8_t kFin = 0x01;
constexpr uint8_t kSyn = 0x02;
constexpr uint8_t kRst = 0x04;
constexpr uint8_t kAck = 0x10;

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

PacketKind DecodeTcp(Frame frame, TcpSegment* segment) {
  if (!frame.Has(kTcpBytes)) return frame.Short(kTcpBytes);
  const uint8_t* tcp = frame.data();
  const size_t header_bytes = size_t{4} * (tcp[12] >> 4);
  if (header_bytes < kTcpBytes || header_bytes > frame.wire_bytes) return PacketKind::kMalformed;
  segment->from.port = lunscope_be16(tcp);
  segment->to.port = lunscope_be16(tcp + 2);
  segment->seq = lunscope_be32(tcp + 4);
  segment->ack = lunscope_be32(tcp + 8);
  const uint8_t flags = tcp[13];
  segment->fin = (flags & kFin) != 0;
  segment->syn = (flags & kSyn) != 0;
  segment->rst = (flags & kRst) != 0;
  segment->has_ack = (flags & kAck) != 0;
  segment->payload_bytes = static_cast<uint32_t>(frame.wire_bytes - header_bytes);
  segment->payload = frame.captured.subspan(std::min(header_bytes, frame.captured.size()));
  return PacketKind::kTcp;
}

void SetAddress(TcpEnd* end, const uint8_t* address, bool is_ipv6) {
  *end = {};
  end->is_ipv6 = is_ipv6;
  std::copy_n(address, is_ipv6 ? 16 : 4, end->address.begin());
}

PacketKind DecodeIpv4(Frame frame, TcpSegment* segment) {
  if (!frame.Has(kIpv4Bytes)) return frame.Short(kIpv4Bytes);
  const uint8_t* ip = frame.data();
  const size_t header_bytes = size_t{4} * (ip[0] & 0x0f);
  size_t total_bytes = lunscope_be16(ip + 2);
  // A packet captured before it was segmented can be longer than the field holds; it is 0 then.
  if (total_bytes == 0) total_bytes = frame.wire_bytes;
  if ((ip[0] >> 4) != 4 || header_bytes < kIpv4Bytes || total_bytes < header_bytes)
    return PacketKind::kMalformed;
  if ((lunscope_be16(ip + 6) & 0x3fff) != 0) return PacketKind::kIpFragment;
  if (ip[9] != kTcpProtocol) return PacketKind::kNotTcp;
  SetAddress(&segment->from, ip + 12, false);
  SetAddress(&segment->to, ip + 16, false);
  frame.Limit(total_bytes);
  if (!frame.Has(header_bytes)) return frame.Short(header_bytes);
  frame.Skip(header_bytes);
  return DecodeTcp(frame, segment);
}

// Bytes of an extension header, or 0: what follows is not one.
size_t ExtensionBytes(uint8_t header, uint8_t length) {
  switch (header) {
    case 0:    // hop-by-hop options
    case 43:   // routing
    case 60:   // destination options
    case 135:  // mobility
    case 139:  // host identity
    case 140:  // shim6
      return (size_t{length} + 1) * 8;
    case kAuthenticationHeader: return (size_t{length} + 2) * 4;
    case kFragmentHeader: return 8;
    default: return 0;
  }
}

PacketKind DecodeIpv6(Frame frame, TcpSegment* segment) {
  if (!frame.Has(kIpv6Bytes)) return frame.Short(kIpv6Bytes);
  const uint8_t* ip = frame.data();
  if ((ip[0] >> 4) != 6) return PacketKind::kMalformed;
  SetAddress(&segment->from, ip + 8, true);
  SetAddress(&segment->to, ip + 24, true);
  const size_t payload_bytes = lunscope_be16(ip + 4);
  uint8_t next = ip[6];
  frame.Skip(kIpv6Bytes);
  if (payload_bytes != 0) frame.Limit(payload_bytes);  // 0: a jumbogram
  for (uint32_t i = 0; i < kMaxExtensionHeaders && next != kTcpProtocol; i++) {
    if (ExtensionBytes(next, 0) == 0) return PacketKind::kNotTcp;
    if (!frame.Has(8)) return frame.Short(8);
    const uint8_t* extension = frame.data();
    // An offset, or more to come; a fragment that is the whole packet has neither.
    if (next == kFragmentHeader && (lunscope_be16(extension + 2) & 0xfff9) != 0)
      return PacketKind::kIpFragment;
    const size_t bytes = ExtensionBytes(next, extension[1]);
    if (!frame.Has(bytes)) return frame.Short(bytes);
    next = extension[0];
    frame.Skip(bytes);
  }
  return next == kTcpProtocol ? DecodeTcp(frame, segment) : PacketKind::kNotTcp;
}

// By version, where the link says no more than that it is IP.
PacketKind DecodeIp(const Frame& frame, TcpSegment* segment) {
  if (!frame.Has(1)) return frame.Short(1);
  switch (frame.data()[0] >> 4) {
    case 4: return DecodeIpv4(frame, segment);
    case 6: return DecodeIpv6(frame, segment);
    default: return PacketKind::kNotIp;
  }
}

PacketKind DecodeEtherType(uint16_t type, Frame frame, TcpSegment* segment) {
  for (uint32_t i = 0; i < kMaxVlanTags && std::ranges::count(kVlanTags, type) != 0; i++) {
    if (!frame.Has(kVlanBytes)) return frame.Short(kVlanBytes);
    type = lunscope_be16(frame.data() + 2);
    frame.Skip(kVlanBytes);
  }
  switch (type) {
    case kEtherTypeIpv4: return DecodeIpv4(frame, segment);
    case kEtherTypeIpv6: return DecodeIpv6(frame, segment);
    default: return PacketKind::kNotIp;
  }
}

// A link header of this length, with the EtherType at this offset in it.
PacketKind DecodeLink(Frame frame, size_t header_bytes, size_t type_at, TcpSegment* segment) {
  if (!frame.Has(header_bytes)) return frame.Short(header_bytes);
  const uint16_t type = lunscope_be16(frame.data() + type_at);
  frame.Skip(header_bytes);
  return DecodeEtherType(type, frame, segment);
}

// An address family, in the byte order of the machine that captured; IPv6 has four numbers.
PacketKind DecodeLoopback(Frame frame, TcpSegment* segment) {
  if (!frame.Has(kLoopbackBytes)) return frame.Short(kLoopbackBytes);
  const uint32_t big = lunscope_be32(frame.data());
  const uint32_t family = std::min(big, __builtin_bswap32(big));
  frame.Skip(kLoopbackBytes);
  switch (family) {
    case 2:
    case 10:  // Linux
    case 24:  // NetBSD, OpenBSD
    case 28:  // FreeBSD
    case 30:  // macOS
      return DecodeIp(frame, segment);
    default: return PacketKind::kNotIp;
  }
}

}  // namespace

bool IsKnownLinkType(int link_type) {
  constexpr int kKnown[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL,
                            DLT_LOOP,   DLT_RAW,       DLT_IPV4,       DLT_IPV6};
  return std::ranges::count(kKnown, link_type) != 0;
}

PacketKind DecodePacket(int link_type, std::span<const uint8_t> captured, uint32_t wire_bytes,
                        TcpSegment* segment) {
  const Frame frame{captured, std::max<size_t>(wire_bytes, captured.size())};
  switch (link_type) {
    case DLT_EN10MB: return DecodeLink(frame, kEthernetBytes, 12, segment);
    case DLT_LINUX_SLL: return DecodeLink(frame, kCookedBytes, 14, segment);
    case DLT_LINUX_SLL2: return DecodeLink(frame, kCooked2Bytes, 0, segment);
    case DLT_NULL:
    case DLT_LOOP: return DecodeLoopback(frame, segment);
    default: return DecodeIp(frame, segment);
  }
}

}  // namespace lunscope
