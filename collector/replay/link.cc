// SPDX-License-Identifier: Apache-2.0
//
// Links and tunnels: everything that has IP, or another link, in it.
#include <lunscope/bytes.h>
#include <pcap/pcap.h>

#include "collector/replay/decoder.h"

namespace lunscope {
namespace {

constexpr size_t kEthernetBytes = 14;
constexpr size_t kVlanBytes = 4;
constexpr size_t kVnTagBytes = 6;
constexpr size_t kSnapBytes = 8;
constexpr size_t kMplsBytes = 4;
constexpr size_t kPppoeBytes = 6;
constexpr size_t kCookedBytes = 16;
constexpr size_t kCooked2Bytes = 20;
constexpr size_t kLoopbackBytes = 4;
constexpr size_t kHdlcBytes = 4;
constexpr size_t kNflogBytes = 4;
constexpr size_t kGreBytes = 4;
constexpr size_t kErspan2Bytes = 8;
constexpr size_t kErspan3Bytes = 12;
constexpr size_t kVxlanBytes = 8;
constexpr size_t kGeneveBytes = 8;

constexpr uint16_t kVlanMask = 0x0fff;
constexpr uint16_t kFirstEtherType = 0x0600;  // less is the length of an IEEE 802.3 frame

// EtherTypes, by IANA and IEEE.
constexpr uint16_t kIpv4Type = 0x0800;
constexpr uint16_t kIpv6Type = 0x86dd;
constexpr uint16_t kVlanType = 0x8100;         // 802.1Q
constexpr uint16_t kServiceVlanType = 0x88a8;  // 802.1ad
constexpr uint16_t kOldVlanType = 0x9100;      // before 802.1ad
constexpr uint16_t kVnTagType = 0x8926;        // 802.1BR, as Cisco has it
constexpr uint16_t kBridgedType = 0x6558;      // transparent Ethernet bridging
constexpr uint16_t kMplsType = 0x8847;
constexpr uint16_t kMplsUpstreamType = 0x8848;
constexpr uint16_t kPppoeType = 0x8864;
constexpr uint16_t kPppType = 0x880b;
constexpr uint16_t kErspan2Type = 0x88be;
constexpr uint16_t kErspan3Type = 0x22eb;

uint16_t Little16(const uint8_t* bytes) { return static_cast<uint16_t>(bytes[0] | bytes[1] << 8); }

}  // namespace

PacketKind Decoder::Typed(Frame frame, size_t header_bytes, size_t type_at) {
  if (!frame.Has(header_bytes)) return frame.Short(header_bytes);
  const uint16_t type = lunscope_be16(frame.data() + type_at);
  frame.Skip(header_bytes);
  return EtherType(type, frame);
}

PacketKind Decoder::Ethernet(Frame frame) { return Typed(frame, kEthernetBytes, 12); }

PacketKind Decoder::EtherType(uint16_t type, Frame frame) {
  if (!Enter()) return PacketKind::kMalformed;
  if (type < kFirstEtherType) return Llc(frame);
  switch (type) {
    case kIpv4Type: return Ipv4(frame);
    case kIpv6Type: return Ipv6(frame);
    case kVlanType:
    case kServiceVlanType:
    case kOldVlanType: return Vlan(frame);
    case kVnTagType: return Typed(frame, kVnTagBytes, 4);
    case kBridgedType: return Ethernet(frame);
    case kMplsType:
    case kMplsUpstreamType: return Mpls(frame);
    case kPppoeType: return PppoeSession(frame);
    case kPppType: return Ppp(frame);
    default: return PacketKind::kNotIp;
  }
}

// The same addresses in two VLANs are two hosts.
PacketKind Decoder::Vlan(Frame frame) {
  if (!frame.Has(kVlanBytes)) return frame.Short(kVlanBytes);
  segment_.vlan = segment_.vlan << 12 | (lunscope_be16(frame.data()) & kVlanMask);
  return Typed(frame, kVlanBytes, 2);
}

// IEEE 802.2 with SNAP (RFC 1042): an EtherType behind it.
PacketKind Decoder::Llc(Frame frame) {
  if (!frame.Has(kSnapBytes)) return frame.Short(kSnapBytes);
  const uint8_t* llc = frame.data();
  if (llc[0] != 0xaa || llc[1] != 0xaa || llc[2] != 0x03) return PacketKind::kNotIp;
  return Typed(frame, kSnapBytes, 6);
}

// Labels up to the last one (RFC 3032). Nothing says what they carry: IP begins with its version.
// An Ethernet pseudowire may begin with a control word, whose first four bits are 0 (RFC 4385).
PacketKind Decoder::Mpls(Frame frame) {
  for (bool is_last = false; !is_last;) {
    if (!Enter()) return PacketKind::kMalformed;
    if (!frame.Has(kMplsBytes)) return frame.Short(kMplsBytes);
    is_last = (frame.data()[2] & 1) != 0;
    frame.Skip(kMplsBytes);
  }
  if (!frame.Has(1)) return frame.Short(1);
  const uint8_t version = frame.data()[0] >> 4;
  if (version == 4 || version == 6) return Ip(frame);
  const uint64_t vlan = segment_.vlan;
  const PacketKind kind = Ethernet(frame);
  if (kind == PacketKind::kTcp || version != 0 || !frame.Has(kMplsBytes)) return kind;
  segment_.vlan = vlan;
  frame.Skip(kMplsBytes);
  return Ethernet(frame);
}

// RFC 2516.
PacketKind Decoder::PppoeSession(Frame frame) {
  if (!frame.Has(kPppoeBytes)) return frame.Short(kPppoeBytes);
  frame.Skip(kPppoeBytes);
  return Ppp(frame);
}

// RFC 1661 and 1662: address and control may be left out, and so may the first byte of the
// protocol.
PacketKind Decoder::Ppp(Frame frame) {
  if (!frame.Has(2)) return frame.Short(2);
  if (frame.data()[0] == 0xff && frame.data()[1] == 0x03) frame.Skip(2);
  if (!frame.Has(2)) return frame.Short(2);
  const bool is_short = (frame.data()[0] & 1) != 0;
  const uint16_t protocol = is_short ? frame.data()[0] : lunscope_be16(frame.data());
  frame.Skip(is_short ? 1 : 2);
  switch (protocol) {
    case 0x0021: return Ipv4(frame);
    case 0x0057: return Ipv6(frame);
    case 0x0281: return Mpls(frame);
    default: return PacketKind::kNotIp;
  }
}

// An address family, in the byte order of the machine that captured; IPv6 has four numbers.
PacketKind Decoder::Loopback(Frame frame) {
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
      return Ip(frame);
    default: return PacketKind::kNotIp;
  }
}

// Linux netfilter log: attributes in the byte order of the machine that captured, which is nearly
// always little endian. One of them is the packet.
PacketKind Decoder::Nflog(Frame frame) {
  constexpr uint16_t kPayload = 9;
  constexpr size_t kAttributeBytes = 4;
  if (!frame.Has(kNflogBytes)) return frame.Short(kNflogBytes);
  frame.Skip(kNflogBytes);
  while (frame.Has(kAttributeBytes)) {
    const size_t bytes = Little16(frame.data());
    const uint16_t type = Little16(frame.data() + 2) & 0x7fff;
    if (bytes < kAttributeBytes) return PacketKind::kMalformed;
    if (type == kPayload) {
      frame.Limit(std::min(bytes, frame.wire_bytes));
      frame.Skip(kAttributeBytes);
      return Ip(frame);
    }
    const size_t padded = (bytes + 3) & ~size_t{3};
    if (!frame.Has(padded)) return frame.Short(padded);
    frame.Skip(padded);
  }
  return PacketKind::kNotIp;
}

// RFC 2784, 2890 and, for version 1, 2637. Optional fields of four bytes follow.
PacketKind Decoder::Gre(Frame frame) {
  constexpr uint16_t kChecksum = 0x8000;
  constexpr uint16_t kRouting = 0x4000;
  constexpr uint16_t kKey = 0x2000;
  constexpr uint16_t kSequence = 0x1000;
  constexpr uint16_t kAcknowledgement = 0x0080;
  if (!Enter()) return PacketKind::kMalformed;
  if (!frame.Has(kGreBytes)) return frame.Short(kGreBytes);
  const uint16_t flags = lunscope_be16(frame.data());
  const uint16_t type = lunscope_be16(frame.data() + 2);
  const bool is_version_1 = (flags & 7) == 1;
  size_t bytes = kGreBytes;
  if ((flags & (kChecksum | kRouting)) != 0) bytes += 4;
  if ((flags & kKey) != 0) bytes += 4;
  if ((flags & kSequence) != 0) bytes += 4;
  if (is_version_1 && (flags & kAcknowledgement) != 0) bytes += 4;
  if (!frame.Has(bytes)) return frame.Short(bytes);
  frame.Skip(bytes);
  // ERSPAN type I has no header and no sequence number.
  if (type == kErspan2Type) return Erspan(frame, (flags & kSequence) != 0 ? kErspan2Bytes : 0);
  if (type == kErspan3Type) return Erspan(frame, kErspan3Bytes);
  return EtherType(type, frame);
}

// The header of a mirrored frame (draft-foschiano-erspan).
PacketKind Decoder::Erspan(Frame frame, size_t header_bytes) {
  constexpr size_t kSubheaderBytes = 8;
  if (!frame.Has(header_bytes)) return frame.Short(header_bytes);
  const bool has_subheader =
      header_bytes == kErspan3Bytes && (frame.data()[kErspan3Bytes - 1] & 1) != 0;
  if (has_subheader) header_bytes += kSubheaderBytes;
  if (!frame.Has(header_bytes)) return frame.Short(header_bytes);
  frame.Skip(header_bytes);
  return Ethernet(frame);
}

// RFC 7348.
PacketKind Decoder::Vxlan(Frame frame) {
  if (!Enter()) return PacketKind::kMalformed;
  if (!frame.Has(kVxlanBytes)) return frame.Short(kVxlanBytes);
  frame.Skip(kVxlanBytes);
  return Ethernet(frame);
}

// draft-ietf-nvo3-vxlan-gpe: its last byte before the VNI says what follows.
PacketKind Decoder::VxlanGpe(Frame frame) {
  if (!frame.Has(kVxlanBytes)) return frame.Short(kVxlanBytes);
  switch (frame.data()[3]) {
    case 1:
    case 2: frame.Skip(kVxlanBytes); return Ip(frame);
    case 3: return Vxlan(frame);
    default: return PacketKind::kNotIp;
  }
}

// RFC 8926.
PacketKind Decoder::Geneve(Frame frame) {
  if (!frame.Has(kGeneveBytes)) return frame.Short(kGeneveBytes);
  const size_t options_bytes = size_t{4} * (frame.data()[0] & 0x3f);
  return Typed(frame, kGeneveBytes + options_bytes, 2);
}

PacketKind Decoder::Link(int link_type, Frame frame) {
  switch (link_type) {
    case DLT_EN10MB: return Ethernet(frame);
    case DLT_LINUX_SLL: return Typed(frame, kCookedBytes, 14);
    case DLT_LINUX_SLL2: return Typed(frame, kCooked2Bytes, 0);
    case DLT_C_HDLC: return Typed(frame, kHdlcBytes, 2);
    case DLT_PPP:
    case DLT_PPP_SERIAL: return Ppp(frame);
    case DLT_PPP_ETHER: return PppoeSession(frame);
    case DLT_NFLOG: return Nflog(frame);
    case DLT_NULL:
    case DLT_LOOP: return Loopback(frame);
    default: return Ip(frame);
  }
}

bool IsKnownLinkType(int link_type) {
  constexpr int kKnown[] = {DLT_EN10MB,     DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_C_HDLC, DLT_PPP,
                            DLT_PPP_SERIAL, DLT_PPP_ETHER, DLT_NFLOG,      DLT_NULL,   DLT_LOOP,
                            DLT_RAW,        DLT_IPV4,      DLT_IPV6};
  return std::ranges::count(kKnown, link_type) != 0;
}

PacketKind DecodePacket(int link_type, std::span<const uint8_t> captured, uint32_t wire_bytes,
                        TcpSegment* segment) {
  if (!IsKnownLinkType(link_type)) return PacketKind::kUnknownLink;
  segment->vlan = 0;
  return Decoder(segment).Link(link_type,
                               {captured, std::max<size_t>(wire_bytes, captured.size())});
}

}  // namespace lunscope
