// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/packet_order.h"

#include <lunscope/bytes.h>
#include <pcap/pcap.h>

#include "collector/replay/packet.h"

namespace lunscope {
namespace {

// Linux cooked capture, version 2: where the header has the index of the interface.
constexpr size_t kIndexAt = 4;

bool AreOfOneInterface(const CapturedPacket& one, const CapturedPacket& other) {
  if (one.link_type != other.link_type || one.interface != other.interface) return false;
  if (one.link_type == DLT_LINUX_SLL) return false;
  if (one.link_type != DLT_LINUX_SLL2) return true;
  constexpr size_t kEnd = kIndexAt + sizeof(uint32_t);
  return one.captured.size() >= kEnd && other.captured.size() >= kEnd &&
         lunscope_be32(one.captured.data() + kIndexAt) ==
             lunscope_be32(other.captured.data() + kIndexAt);
}

bool Decode(const CapturedPacket& packet, TcpSegment* segment) {
  return DecodePacket(packet.link_type, packet.captured, packet.wire_bytes, segment) ==
         PacketKind::kTcp;
}

// Sequence numbers wrap around.
bool IsAtOrBehind(uint32_t number, uint32_t end) { return static_cast<int32_t>(number - end) >= 0; }

}  // namespace

bool CameBehind(const CapturedPacket& packet, const CapturedPacket& earlier) {
  TcpSegment segment;
  TcpSegment before;
  if (!AreOfOneInterface(packet, earlier) || !Decode(packet, &segment)) return false;
  // A SYN begins with numbers of its own.
  if (!Decode(earlier, &before) || segment.syn || before.payload_bytes == 0) return false;
  if (segment.vlan != before.vlan) return false;
  const uint32_t end = before.payload_seq() + before.payload_bytes;
  if (segment.from == before.from && segment.to == before.to)
    return segment.payload_bytes != 0 && IsAtOrBehind(segment.seq, end);
  return segment.from == before.to && segment.to == before.from && segment.has_ack &&
         IsAtOrBehind(segment.ack, end);
}

}  // namespace lunscope
