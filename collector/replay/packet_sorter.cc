// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/packet_sorter.h"

#include <algorithm>
#include <utility>

#include "collector/replay/packet_order.h"

namespace lunscope {
namespace {

// A waiting packet takes this much besides its bytes: many small ones are bounded, too.
constexpr size_t kKeepBytes = 192;
// So many packets are asked whether one with an earlier time came behind them.
constexpr size_t kAsked = 64;

}  // namespace

// The time before which this packet cannot have come. 0: nobody knows of one.
uint64_t PacketSorter::EarliestTime(const CapturedPacket& packet) const {
  // A pipe: nothing waits that could be asked, and no queue runs ahead for so long.
  if (!sorts_) return packet.time_ns + kWindowNs < latest_ns_ ? latest_ns_ : 0;
  const size_t asked = std::min(kAsked, in_order_.size());
  for (auto waiting = in_order_.rbegin(); waiting != in_order_.rbegin() + asked; ++waiting) {
    CapturedPacket before = waiting->packet;
    if (before.time_ns <= packet.time_ns) break;
    before.captured = waiting->bytes;
    if (CameBehind(packet, before)) return before.time_ns;
  }
  return 0;
}

// The packet's time by a clock that is never set back.
void PacketSorter::UndoSteps(CapturedPacket* packet) {
  packet->time_ns += counts_.stepped_back_ns;
  if (packet->time_ns >= latest_ns_) return;
  const uint64_t earliest_ns = EarliestTime(*packet);
  if (packet->time_ns >= earliest_ns) return;
  counts_.steps_back++;
  counts_.stepped_back_ns += earliest_ns - packet->time_ns;
  packet->time_ns = earliest_ns;
}

// False: the file has no more.
bool PacketSorter::Read() {
  Waiting waiting;
  if (!reader_->Next(&waiting.packet)) return false;
  UndoSteps(&waiting.packet);
  const uint64_t time_ns = waiting.packet.time_ns;
  if (time_ns < latest_ns_) counts_.out_of_order++;
  if (time_ns < given_ns_) counts_.late++;
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
  // Also one that is late does not turn time back.
  given_ns_ = std::max(given_ns_, given_.packet.time_ns);
  given_.packet.time_ns = given_ns_;
  *packet = given_.packet;
  packet->captured = given_.bytes;
  return true;
}

}  // namespace lunscope
