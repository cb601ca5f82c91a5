// SPDX-License-Identifier: Apache-2.0
//
// Frames of every link type, and frames with every kind of fault. Each is read in front of a guard
// page.
#include "collector/replay/packet.h"

#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/engine/guarded_bytes.h"
#include "tests/replay/frames.h"

namespace lunscope {
namespace {

const Bytes kPayload = ToBytes("0123456789");

Bytes Segment() { return Tcp({.option_bytes = 12}, kPayload); }

PacketKind Decode(int link_type, const Bytes& frame, TcpSegment* segment, size_t wire_bytes = 0) {
  const GuardedBytes guarded(frame);
  const PacketKind kind =
      DecodePacket(link_type, {guarded.data(), frame.size()},
                   static_cast<uint32_t>(std::max(wire_bytes, frame.size())), segment);
  // Checked here, because the payload lies in memory that is freed with the guard.
  if (kind == PacketKind::kTcp) {
    EXPECT_TRUE(std::equal(segment->payload.begin(), segment->payload.end(), kPayload.begin()));
  }
  return kind;
}

struct Row {
  const char* name;
  int link_type;
  Bytes frame;
  PacketKind kind;
};

Bytes Extension(uint8_t next, size_t bytes) {
  Bytes extension(bytes);
  extension[0] = next;
  extension[1] = static_cast<uint8_t>(bytes / 8 - 1);
  return extension;
}

std::vector<Row> Rows() {
  const Bytes tcp = Segment();
  const Bytes ip = Ipv4(tcp);
  const Bytes ip6 = Ipv6(tcp);
  const Bytes hops = Ipv6(Join({Extension(60, 16), Extension(6, 8), tcp}), 0);
  const Bytes atom = Ipv6(Join({{6, 0, 0, 0, 1, 2, 3, 4}, tcp}), 44);
  const Bytes fragment = Ipv6(Join({{6, 0, 0, 1, 1, 2, 3, 4}, tcp}), 44);
  Bytes endless;
  for (int i = 0; i < 9; i++) endless = Join({endless, Extension(60, 8)});
  Bytes vlans = ip;
  Bytes nested = ip;
  for (int i = 0; i < 30; i++) {
    vlans = Vlan(vlans, i == 0 ? 0x0800 : 0x8100);
    nested = Ipv4(nested, {.protocol = 4});
  }
  using enum PacketKind;
  return {
      {"Ethernet", DLT_EN10MB, Ethernet(ip), kTcp},
      {"EthernetIpv6", DLT_EN10MB, Ethernet(ip6, 0x86dd), kTcp},
      {"EthernetPadding", DLT_EN10MB, Join({Ethernet(ip), Bytes(20)}), kTcp},
      {"Vlan", DLT_EN10MB, Ethernet(Vlan(ip), 0x8100), kTcp},
      {"VlanInVlan", DLT_EN10MB, Ethernet(Vlan(Vlan(ip6, 0x86dd), 0x8100), 0x88a8), kTcp},
      {"Cooked", DLT_LINUX_SLL, Cooked(ip), kTcp},
      {"CookedVlan", DLT_LINUX_SLL, Cooked(Vlan(ip), 0x8100), kTcp},
      {"Cooked2", DLT_LINUX_SLL2, Cooked2(ip6, 0x86dd), kTcp},
      {"NullLittleEndian", DLT_NULL, Loopback({2, 0, 0, 0}, ip), kTcp},
      {"NullBigEndianIpv6", DLT_NULL, Loopback({0, 0, 0, 30}, ip6), kTcp},
      {"Loop", DLT_LOOP, Loopback({0, 0, 0, 24}, ip6), kTcp},
      {"Raw", DLT_RAW, ip, kTcp},
      {"RawIpv6", DLT_RAW, ip6, kTcp},
      {"Ipv4Options", DLT_RAW, Ipv4(tcp, {.option_bytes = 8}), kTcp},
      {"Ipv4SegmentedLater", DLT_RAW, Ipv4(tcp, {.total_bytes = 0}), kTcp},
      {"Ipv6Jumbogram", DLT_RAW, Ipv6(tcp, 6, 0), kTcp},
      {"Ipv6Extensions", DLT_RAW, hops, kTcp},
      {"Ipv6WholeFragment", DLT_RAW, atom, kTcp},
      {"Arp", DLT_EN10MB, Ethernet(Bytes(28), 0x0806), kNotIp},
      {"EndlessVlans", DLT_EN10MB, Ethernet(vlans, 0x8100), kMalformed},
      {"EndlessIpInIp", DLT_RAW, nested, kMalformed},
      {"Snap", DLT_EN10MB, Snap(ip), kTcp},
      {"SnapIpv6", DLT_EN10MB, Snap(ip6, 0x86dd), kTcp},
      {"LlcWithoutSnap", DLT_EN10MB, Ethernet(Join({{0x42, 0x42, 0x03}, Bytes(40)}), 43), kNotIp},
      {"VnTag", DLT_EN10MB, Ethernet(Join({Bytes(4), Number(0x0800, 2), ip}), 0x8926), kTcp},
      {"Mpls", DLT_EN10MB, Ethernet(Mpls(ip), 0x8847), kTcp},
      {"MplsIpv6", DLT_EN10MB, Ethernet(Mpls(ip6, 3), 0x8847), kTcp},
      {"MplsWire", DLT_EN10MB, Ethernet(Mpls(Ethernet(ip)), 0x8847), kTcp},
      {"MplsWireWithControlWord", DLT_EN10MB,
       Ethernet(Mpls(Join({Bytes(4), Ethernet(ip)})), 0x8847), kTcp},
      {"EndlessMpls", DLT_EN10MB, Ethernet(Join({Bytes(400)}), 0x8847), kMalformed},
      {"Pppoe", DLT_EN10MB, Ethernet(Pppoe(ip), 0x8864), kTcp},
      {"PppoeIpv6", DLT_EN10MB, Ethernet(Pppoe(ip6, 0x0057), 0x8864), kTcp},
      {"PppoeControl", DLT_EN10MB, Ethernet(Pppoe(ip, 0xc021), 0x8864), kNotIp},
      {"Ppp", DLT_PPP, Join({{0xff, 0x03, 0x00, 0x21}, ip}), kTcp},
      {"PppCompressed", DLT_PPP, Join({{0x21}, ip}), kTcp},
      {"PppIpv6", DLT_PPP_SERIAL, Join({{0xff, 0x03, 0x00, 0x57}, ip6}), kTcp},
      {"PppEther", DLT_PPP_ETHER, Pppoe(ip), kTcp},
      {"CiscoHdlc", DLT_C_HDLC, Join({{0x0f, 0, 0x08, 0x00}, ip}), kTcp},
      {"Nflog", DLT_NFLOG, Nflog(ip), kTcp},
      {"NflogIpv6", DLT_NFLOG, Nflog(ip6), kTcp},
      {"NflogNoPacket", DLT_NFLOG, {2, 0, 0, 1, 5, 0, 10, 0, 1, 0, 0, 0}, kNotIp},
      {"NflogEmptyAttribute", DLT_NFLOG, {2, 0, 0, 1, 0, 0, 10, 0, 1, 0, 0, 0}, kMalformed},
      {"IpInIp", DLT_RAW, Ipv4(ip, {.protocol = 4}), kTcp},
      {"Ipv6InIp", DLT_RAW, Ipv4(ip6, {.protocol = 41}), kTcp},
      {"IpInIpv6", DLT_RAW, Ipv6(ip, 4), kTcp},
      {"MplsInIp", DLT_RAW, Ipv4(Mpls(ip), {.protocol = 137}), kTcp},
      {"Gre", DLT_RAW, Ipv4(Gre(ip, 0x0800), {.protocol = 47}), kTcp},
      {"GreIpv6", DLT_RAW, Ipv6(Gre(ip6, 0x86dd), 47), kTcp},
      {"GreKeySequence", DLT_RAW, Ipv4(Gre(ip, 0x0800, 0x3000, 2), {.protocol = 47}), kTcp},
      {"GreChecksum", DLT_RAW, Ipv4(Gre(ip, 0x0800, 0x8000, 1), {.protocol = 47}), kTcp},
      {"GreBridged", DLT_RAW, Ipv4(Gre(Ethernet(ip), 0x6558, 0x2000, 1), {.protocol = 47}), kTcp},
      {"GrePpp", DLT_RAW,
       Ipv4(Gre(Join({{0xff, 0x03, 0, 0x21}, ip}), 0x880b, 0x3081, 3), {.protocol = 47}), kTcp},
      {"GreKeepalive", DLT_RAW, Ipv4(Gre({}, 0x0000), {.protocol = 47}), kMalformed},
      {"Erspan1", DLT_RAW, Ipv4(Gre(Ethernet(ip), 0x88be), {.protocol = 47}), kTcp},
      {"Erspan2", DLT_RAW,
       Ipv4(Gre(Join({Bytes(8), Ethernet(ip)}), 0x88be, 0x1000, 1), {.protocol = 47}), kTcp},
      {"Erspan3", DLT_RAW,
       Ipv4(Gre(Join({Bytes(12), Ethernet(ip)}), 0x22eb, 0x1000, 1), {.protocol = 47}), kTcp},
      {"Erspan3WithSubheader", DLT_RAW,
       Ipv4(Gre(Join({Bytes(11), {1}, Bytes(8), Ethernet(ip)}), 0x22eb, 0x1000, 1),
            {.protocol = 47}),
       kTcp},
      {"Vxlan", DLT_EN10MB, Ethernet(Ipv4(Udp(Vxlan(Ethernet(ip)), 4789), {.protocol = 17})), kTcp},
      {"VxlanOfLinux", DLT_RAW, Ipv4(Udp(Vxlan(Ethernet(ip6, 0x86dd)), 8472), {.protocol = 17}),
       kTcp},
      {"VxlanInIpv6", DLT_RAW, Ipv6(Udp(Vxlan(Ethernet(Vlan(ip), 0x8100)), 4789), 17), kTcp},
      {"VxlanGpe", DLT_RAW, Ipv4(Udp(Vxlan(ip, 1), 4790), {.protocol = 17}), kTcp},
      {"VxlanGpeEthernet", DLT_RAW, Ipv4(Udp(Vxlan(Ethernet(ip), 3), 4790), {.protocol = 17}),
       kTcp},
      {"Geneve", DLT_RAW, Ipv4(Udp(Geneve(Ethernet(ip), 0x6558), 6081), {.protocol = 17}), kTcp},
      {"GeneveOptions", DLT_RAW, Ipv4(Udp(Geneve(ip, 0x0800, 3), 6081), {.protocol = 17}), kTcp},
      {"AppleTalkOverLoopback", DLT_NULL, Loopback({16, 0, 0, 0}, ip), kNotIp},
      {"RawVersion5", DLT_RAW, Bytes(40, 0x50), kNotIp},
      {"Udp", DLT_RAW, Ipv4(tcp, {.protocol = 17}), kNotTcp},
      {"Udp6", DLT_RAW, Ipv6(tcp, 17), kNotTcp},
      {"Esp6", DLT_RAW, Ipv6(tcp, 50), kNotTcp},
      {"NineExtensions", DLT_RAW, Ipv6(endless, 60), kNotTcp},
      {"FirstFragment", DLT_RAW, Ipv4(tcp, {.fragment = 0x2000}), kIpFragment},
      {"LastFragment", DLT_RAW, Ipv4(tcp, {.fragment = 0x0001}), kIpFragment},
      {"Ipv6Fragment", DLT_RAW, fragment, kIpFragment},
      {"Ipv4InIpv6Type", DLT_EN10MB, Ethernet(Join({ip, Bytes(20)}), 0x86dd), kMalformed},
      {"Ipv4ShortHeader", DLT_RAW, Join({{0x44}, Bytes(40)}), kMalformed},
      {"Ipv4TotalBelowHeader", DLT_RAW, Ipv4(tcp, {.total_bytes = 19}), kMalformed},
      {"Ipv4TotalBelowTcp", DLT_RAW, Ipv4(tcp, {.total_bytes = 39}), kMalformed},
      {"TcpOptionsBeyondPacket", DLT_RAW, Ipv4(tcp, {.total_bytes = 41}), kMalformed},
      {"TcpOptionsOneByteBeyond", DLT_RAW, Ipv4(tcp, {.total_bytes = 51}), kMalformed},
      {"TcpShortHeader", DLT_RAW, Ipv4(Join({Bytes(12), {0x40}, Bytes(7)})), kMalformed},
      {"Ipv6ExtensionBeyondPacket", DLT_RAW, Ipv6({60, 200, 0, 0, 0, 0, 0, 0}, 60), kMalformed},
      {"EmptyFrame", DLT_EN10MB, {}, kMalformed},
      {"EmptyRaw", DLT_RAW, {}, kMalformed},
  };
}

TEST(PacketTest, EveryLinkTypeAndEveryWrongness) {
  for (const Row& row : Rows()) {
    SCOPED_TRACE(row.name);
    TcpSegment segment;
    ASSERT_TRUE(IsKnownLinkType(row.link_type));
    const GuardedBytes guarded(row.frame);
    const PacketKind kind = DecodePacket(row.link_type, {guarded.data(), row.frame.size()},
                                         static_cast<uint32_t>(row.frame.size()), &segment);
    ASSERT_EQ(kPacketKindNames[static_cast<size_t>(kind)],
              std::string(kPacketKindNames[static_cast<size_t>(row.kind)]));
    if (kind != PacketKind::kTcp) continue;
    EXPECT_EQ(Bytes(segment.payload.begin(), segment.payload.end()), kPayload);
    EXPECT_EQ(segment.payload_bytes, kPayload.size());
    EXPECT_EQ(segment.from.port, kInitiatorPort);
    EXPECT_EQ(segment.to.port, kTargetPort);
    EXPECT_EQ(segment.seq, 1000u);
    EXPECT_EQ(segment.ack, 2000u);
    EXPECT_EQ(segment.from.address[segment.from.is_ipv6 ? 15 : 3], 1);
    EXPECT_EQ(segment.to.address[segment.to.is_ipv6 ? 15 : 3], 2);
    EXPECT_TRUE(segment.has_ack);
  }
}

TEST(PacketTest, KnowsItsVlans) {
  const Bytes ip = Ipv4(Segment());
  TcpSegment segment;
  ASSERT_EQ(Decode(DLT_EN10MB, Ethernet(Vlan(ip, 0x0800, 0xe00a), 0x8100), &segment),
            PacketKind::kTcp);
  EXPECT_EQ(segment.vlan, 0x00au);  // without priority
  ASSERT_EQ(Decode(DLT_EN10MB, Ethernet(Vlan(Vlan(ip, 0x0800, 2), 0x8100, 1), 0x88a8), &segment),
            PacketKind::kTcp);
  EXPECT_EQ(segment.vlan, 0x001002u);
  ASSERT_EQ(Decode(DLT_EN10MB, Ethernet(ip), &segment), PacketKind::kTcp);
  EXPECT_EQ(segment.vlan, 0u);
}

TEST(PacketTest, FlagsAndTheSequenceNumberBehindASyn) {
  TcpSegment segment;
  const auto decode = [&](uint8_t flags) {
    return Decode(DLT_RAW, Ipv4(Tcp({.seq = 0xffffffff, .flags = flags}, kPayload)), &segment);
  };
  ASSERT_EQ(decode(kSynFlag), PacketKind::kTcp);
  EXPECT_TRUE(segment.syn && !segment.fin && !segment.rst && !segment.has_ack);
  EXPECT_EQ(segment.payload_seq(), 0u);
  ASSERT_EQ(decode(kFinFlag | kAckFlag), PacketKind::kTcp);
  EXPECT_TRUE(!segment.syn && segment.fin && !segment.rst && segment.has_ack);
  EXPECT_EQ(segment.payload_seq(), 0xffffffffu);
  ASSERT_EQ(decode(kRstFlag), PacketKind::kTcp);
  EXPECT_TRUE(!segment.syn && !segment.fin && segment.rst && !segment.has_ack);
}

// A frame that is cut at every byte: within the headers its kind is "cut header"; within the
// payload the bytes that are there count.
TEST(PacketTest, SnapLength) {
  const Bytes frame = Ethernet(Ipv4(Segment(), {.option_bytes = 4}));
  const size_t fixed_headers = 14 + 24 + 20;
  const size_t headers = fixed_headers + 12;
  for (size_t length = 0; length < frame.size(); length++) {
    SCOPED_TRACE(length);
    TcpSegment segment;
    const PacketKind kind = Decode(DLT_EN10MB, Slice(frame, 0, length), &segment, frame.size());
    ASSERT_EQ(kind, length < fixed_headers ? PacketKind::kCutHeader : PacketKind::kTcp);
    if (kind != PacketKind::kTcp) continue;
    EXPECT_EQ(segment.payload_bytes, kPayload.size());
    EXPECT_EQ(segment.payload.size(), length < headers ? 0 : length - headers);
  }
}

// For any bytes, no read goes beyond them, and a payload lies within them.
TEST(PacketTest, AnyBytes) {
  std::mt19937 random(791);
  for (const Row& row : Rows()) {
    SCOPED_TRACE(row.name);
    for (int round = 0; round < 200; round++) {
      Bytes frame = row.frame;
      for (size_t i = 0; i < random() % 4 && !frame.empty(); i++)
        frame[random() % frame.size()] = static_cast<uint8_t>(random());
      frame.resize(random() % 4 == 0 ? random() % (frame.size() + 1) : frame.size());
      const GuardedBytes guarded(frame);
      const uint32_t wire_bytes = random() % 2 == 0 ? frame.size() : random();
      TcpSegment segment;
      if (DecodePacket(row.link_type, {guarded.data(), frame.size()}, wire_bytes, &segment) !=
          PacketKind::kTcp)
        continue;
      ASSERT_LE(segment.payload.size(), segment.payload_bytes);
      if (segment.payload.empty()) continue;
      ASSERT_GE(segment.payload.data(), guarded.data());
      ASSERT_LE(&segment.payload.back(), guarded.data() + frame.size() - 1);
    }
  }
}

TEST(PacketTest, LinkTypesThatAreNotKnown) {
  EXPECT_FALSE(IsKnownLinkType(DLT_IEEE802_11));
  EXPECT_FALSE(IsKnownLinkType(DLT_USB_LINUX));
  EXPECT_FALSE(IsKnownLinkType(-1));
}

}  // namespace
}  // namespace lunscope
