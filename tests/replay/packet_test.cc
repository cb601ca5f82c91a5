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
      {"FiveVlans", DLT_EN10MB,
       Ethernet(Vlan(Vlan(Vlan(Vlan(Vlan(ip), 0x8100), 0x8100), 0x8100), 0x8100), 0x8100), kNotIp},
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
