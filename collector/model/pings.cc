// SPDX-License-Identifier: Apache-2.0
#include "collector/model/pings.h"

#include <algorithm>

namespace lunscope {

void Pings::Take(const uint8_t* bhs, uint64_t time_ns,
                 std::array<PingStatistics, kPingSenders>& counts) {
  const uint8_t opcode = iscsi_opcode(bhs);
  if (opcode != ISCSI_NOP_OUT && opcode != ISCSI_NOP_IN) return;
  const uint32_t itt = iscsi_itt(bhs);
  const uint32_t ttt = iscsi_ttt(bhs);
  const bool is_from_initiator = opcode == ISCSI_NOP_OUT;
  // The sender of a ping chooses the tag of its own kind, and the answer returns it. A NOP-Out that
  // answers has no task tag; a NOP-In that answers may ask in its turn, and has both.
  if (itt != ISCSI_RESERVED_TAG) {
    if (is_from_initiator) {
      Sent(kPingOfInitiator, itt, time_ns, counts[kPingOfInitiator]);
    } else {
      Answered(kPingOfInitiator, itt, time_ns, counts[kPingOfInitiator]);
    }
  }
  if (ttt == ISCSI_RESERVED_TAG) return;
  if (is_from_initiator) {
    Answered(kPingOfTarget, ttt, time_ns, counts[kPingOfTarget]);
  } else if (itt == ISCSI_RESERVED_TAG) {
    Sent(kPingOfTarget, ttt, time_ns, counts[kPingOfTarget]);
  }
}

void Pings::Sent(PingSender sender, uint32_t tag, uint64_t time_ns, PingStatistics& counts) {
  std::vector<Waiting>& waiting = waiting_[sender];
  if (waiting.size() == kMaxWaiting) {
    waiting.erase(waiting.begin());
    counts.given_up++;
  }
  waiting.push_back({tag, time_ns});
}

// Pings are answered in their order. One that is older was skipped, or the record of its answer was
// lost.
void Pings::Answered(PingSender sender, uint32_t tag, uint64_t time_ns, PingStatistics& counts) {
  std::vector<Waiting>& waiting = waiting_[sender];
  const auto found = std::ranges::find(waiting, tag, &Waiting::tag);
  if (found == waiting.end()) return;
  counts.duration_ns.Add(time_ns > found->sent_ns ? time_ns - found->sent_ns : 0);
  counts.given_up += static_cast<uint64_t>(found - waiting.begin());
  waiting.erase(waiting.begin(), found + 1);
}

void Pings::GiveUp(std::array<PingStatistics, kPingSenders>& counts) {
  for (size_t sender = 0; sender < kPingSenders; sender++) {
    counts[sender].given_up += waiting_[sender].size();
    waiting_[sender].clear();
  }
}

}  // namespace lunscope
