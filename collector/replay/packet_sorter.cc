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
  waiting.number = read_++;
  waiting.bytes.assign(waiting.packet.captured.begin(), waiting.packet.captured.end());
  waiting_bytes_ += kKeepBytes + waiting.bytes.size();
  if (in_order_.empty() || KeyOf(in_order_.back()) < KeyOf(waiting)) {
    in_order_.push_back(std::move(waiting));
  } else {
    const Key key = KeyOf(waiting);
    strays_.emplace(key, std::move(waiting));
  }
  return true;
}

// REQUIRES: a packet waits.
bool PacketSorter::IsStrayNext() const {
  if (strays_.empty()) return false;
  return in_order_.empty() || strays_.begin()->first < KeyOf(in_order_.front());
}

// May the earliest of those that wait go?
bool PacketSorter::IsDue() const {
  if (in_order_.empty() && strays_.empty()) return false;
  if (is_over_ || !sorts_ || waiting_bytes_ > kMaxWaitingBytes) return true;
  const uint64_t first_ns =
      IsStrayNext() ? strays_.begin()->first.first : in_order_.front().packet.time_ns;
  return latest_ns_ - first_ns >= kWindowNs;
}

// REQUIRES: a packet waits.
PacketSorter::Waiting PacketSorter::TakeNext() {
  if (IsStrayNext()) return std::move(strays_.extract(strays_.begin()).mapped());
  Waiting next = std::move(in_order_.front());
  in_order_.pop_front();
  return next;
}

bool PacketSorter::Next(CapturedPacket* packet) {
  while (!IsDue()) {
    if (is_over_) return false;
    is_over_ = !Read();
  }
  given_ = TakeNext();
  waiting_bytes_ -= kKeepBytes + given_.bytes.size();
  given_ns_ = std::max(given_ns_, given_.packet.time_ns);
  *packet = given_.packet;
  packet->captured = given_.bytes;
  return true;
}

}  // namespace lunscope
