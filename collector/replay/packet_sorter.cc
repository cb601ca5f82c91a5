// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/packet_sorter.h"

#include <algorithm>
#include <utility>

namespace lunscope {
namespace {

// A waiting packet takes this much besides its bytes: many small ones are bounded, too.
constexpr size_t kKeepBytes = 192;

}  // namespace

// False: the file has no more.
bool PacketSorter::Read() {
  Waiting waiting;
  if (!reader_->Next(&waiting.packet)) return false;
  const uint64_t time_ns = waiting.packet.time_ns;
  if (time_ns < latest_ns_) out_of_order_++;
  if (time_ns < given_ns_) late_++;
  latest_ns_ = std::max(latest_ns_, time_ns);
  waiting.bytes.assign(waiting.packet.captured.begin(), waiting.packet.captured.end());
  waiting_bytes_ += kKeepBytes + waiting.bytes.size();
  waiting_.emplace(time_ns, std::move(waiting));
  return true;
}

// May the earliest of those that wait go?
bool PacketSorter::IsDue() const {
  if (waiting_.empty()) return false;
  return is_over_ || !sorts_ || waiting_bytes_ > kMaxWaitingBytes ||
         latest_ns_ - waiting_.begin()->first >= kWindowNs;
}

bool PacketSorter::Next(CapturedPacket* packet) {
  while (!IsDue()) {
    if (is_over_) return false;
    is_over_ = !Read();
  }
  const auto first = waiting_.begin();
  given_ = std::move(first->second);
  waiting_.erase(first);
  waiting_bytes_ -= kKeepBytes + given_.bytes.size();
  given_ns_ = std::max(given_ns_, given_.packet.time_ns);
  *packet = given_.packet;
  packet->captured = given_.bytes;
  return true;
}

}  // namespace lunscope
