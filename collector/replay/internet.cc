// SPDX-License-Identifier: Apache-2.0
//
// IP, and what is in it: TCP at last, or another layer of a tunnel.
#include <lunscope/bytes.h>

#include "collector/replay/decoder.h"

namespace lunscope {
namespace {

constexpr size_t kIpv4Bytes = 20;
constexpr size_t kIpv6Bytes = 40;
constexpr size_t kTcpBytes = 20;
constexpr size_t kUdpBytes = 8;
constexpr uint32_t kMaxExtensionHeaders = 8;

// IANA's protocol numbers.
constexpr uint8_t kIpv4InIp = 4;
constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;
constexpr uint8_t kIpv6InIp = 41;
constexpr uint8_t kFragmentHeader = 44;
constexpr uint8_t kGre = 47;
constexpr uint8_t kAuthenticationHeader = 51;
constexpr uint8_t kMplsInIp = 137;

// Ports of UDP tunnels.
constexpr uint16_t kVxlanPort = 4789;
constexpr uint16_t kLinuxVxlanPort = 8472;  // Linux had it before there was a number
constexpr uint16_t kVxlanGpePort = 4790;
constexpr uint16_t kGenevePort = 6081;

constexpr uint8_t kFin = 0x01;
constexpr uint8_t kSyn = 0x02;
constexpr uint8_t kRst = 0x04;
constexpr uint8_t kAck = 0x10;

void SetAddress(TcpEnd* end, const uint8_t* address, bool is_ipv6) {
  *end = {};
  end->is_ipv6 = is_ipv6;
  std::copy_n(address, is_ipv6 ? 16 : 4, end->address.begin());
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

}  // namespace

// By version, where the layer below says no more than that it is IP.
PacketKind Decoder::Ip(Frame frame) {
  if (!frame.Has(1)) return frame.Short(1);
  switch (frame.data()[0] >> 4) {
    case 4: return Ipv4(frame);
    case 6: return Ipv6(frame);
    default: return PacketKind::kNotIp;
  }
}

PacketKind Decoder::Ipv4(Frame frame) {
  if (!Enter()) return PacketKind::kMalformed;
  if (!frame.Has(kIpv4Bytes)) return frame.Short(kIpv4Bytes);
  const uint8_t* ip = frame.data();
  const size_t header_bytes = size_t{4} * (ip[0] & 0x0f);
  size_t total_bytes = lunscope_be16(ip + 2);
  // A packet captured before it was segmented can be longer than the field holds; it is 0 then.
  if (total_bytes == 0) total_bytes = frame.wire_bytes;
  if ((ip[0] >> 4) != 4 || header_bytes < kIpv4Bytes || total_bytes < header_bytes)
    return PacketKind::kMalformed;
  if ((lunscope_be16(ip + 6) & 0x3fff) != 0) return PacketKind::kIpFragment;
  SetAddress(&segment_.from, ip + 12, false);
  SetAddress(&segment_.to, ip + 16, false);
  const uint8_t protocol = ip[9];
  frame.Limit(total_bytes);
  if (!frame.Has(header_bytes)) return frame.Short(header_bytes);
  frame.Skip(header_bytes);
  return Protocol(protocol, frame);
}

PacketKind Decoder::Ipv6(Frame frame) {
  if (!Enter()) return PacketKind::kMalformed;
  if (!frame.Has(kIpv6Bytes)) return frame.Short(kIpv6Bytes);
  const uint8_t* ip = frame.data();
  if ((ip[0] >> 4) != 6) return PacketKind::kMalformed;
  SetAddress(&segment_.from, ip + 8, true);
  SetAddress(&segment_.to, ip + 24, true);
  const size_t payload_bytes = lunscope_be16(ip + 4);
  uint8_t next = ip[6];
  frame.Skip(kIpv6Bytes);
  if (payload_bytes != 0) frame.Limit(payload_bytes);  // 0: a jumbogram
  for (uint32_t i = 0; i < kMaxExtensionHeaders && ExtensionBytes(next, 0) != 0; i++) {
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
  return Protocol(next, frame);
}

PacketKind Decoder::Protocol(uint8_t protocol, Frame frame) {
  switch (protocol) {
    case kTcp: return Tcp(frame);
    case kUdp: return Udp(frame);
    case kIpv4InIp: return Ipv4(frame);
    case kIpv6InIp: return Ipv6(frame);
    case kGre: return Gre(frame);
    case kMplsInIp: return Mpls(frame);
    default: return PacketKind::kNotTcp;
  }
}

// A tunnel is known by its port, which the receiver of the packet has.
PacketKind Decoder::Udp(Frame frame) {
  if (!frame.Has(kUdpBytes)) return PacketKind::kNotTcp;
  const uint16_t port = lunscope_be16(frame.data() + 2);
  frame.Skip(kUdpBytes);
  switch (port) {
    case kVxlanPort:
    case kLinuxVxlanPort: return Vxlan(frame);
    case kVxlanGpePort: return VxlanGpe(frame);
    case kGenevePort: return Geneve(frame);
    default: return PacketKind::kNotTcp;
  }
}

PacketKind Decoder::Tcp(Frame frame) {
  if (!frame.Has(kTcpBytes)) return frame.Short(kTcpBytes);
  const uint8_t* tcp = frame.data();
  const size_t header_bytes = size_t{4} * (tcp[12] >> 4);
  if (header_bytes < kTcpBytes || header_bytes > frame.wire_bytes) return PacketKind::kMalformed;
  segment_.from.port = lunscope_be16(tcp);
  segment_.to.port = lunscope_be16(tcp + 2);
  segment_.seq = lunscope_be32(tcp + 4);
  segment_.ack = lunscope_be32(tcp + 8);
  const uint8_t flags = tcp[13];
  segment_.fin = (flags & kFin) != 0;
  segment_.syn = (flags & kSyn) != 0;
  segment_.rst = (flags & kRst) != 0;
  segment_.has_ack = (flags & kAck) != 0;
  segment_.payload_bytes = static_cast<uint32_t>(frame.wire_bytes - header_bytes);
  segment_.payload = frame.captured.subspan(std::min(header_bytes, frame.captured.size()));
  return PacketKind::kTcp;
}

}  // namespace lunscope
