// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer target: any segments, in any order and overlap, both ways. The engine may lose the
// stream as often as it likes; it may not touch a byte outside its memory, and no command may go
// missing: seen = reported + unreported + in flight.
//
// Input: for each segment a byte of flags (bit 0: direction; bit 1: it continues the stream), two
// bytes of distance from where the stream stands, one byte of length, and the bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tests/engine/follower.h"

namespace {

constexpr size_t kSegmentHeader = 4;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lunscope::Follower session;
  if (size != 0 && (data[0] & 0x80)) session.Open();
  uint32_t next[LUNSCOPE_DIRECTIONS] = {session.next_seq(0), session.next_seq(1)};
  while (size >= kSegmentHeader) {
    const uint32_t direction = data[0] & 1;
    const bool continues = (data[0] & 2) != 0;
    const auto distance = static_cast<int16_t>(lunscope_be16(data + 1));
    size_t bytes = data[3];
    data += kSegmentHeader;
    size -= kSegmentHeader;
    if (bytes > size) bytes = size;
    const uint32_t seq = next[direction] + (continues ? 0 : static_cast<uint32_t>(distance));
    session.Offer(direction, seq, lunscope::Bytes(data, data + bytes));
    next[direction] = seq + static_cast<uint32_t>(bytes);
    data += bytes;
    size -= bytes;
  }
  const uint64_t accounted =
      session.reported() + session.unreported() + lunscope_inflight_count(&session.inflight());
  if (session.seen() != accounted) std::abort();
  return 0;
}
