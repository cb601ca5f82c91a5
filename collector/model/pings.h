// SPDX-License-Identifier: Apache-2.0
//
// Pings: a NOP that asks for an answer, and the NOP that answers it (RFC 7143 sections 11.18 and
// 11.19). An initiator pings with a NOP-Out that has a task tag, a target with a NOP-In that has a
// transfer tag. Values of one connection; its owner serialises their use.
#pragma once

#include <lunscope/iscsi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "collector/model/target.h"

namespace lunscope {

class Pings {
 public:
  // For each sender. A peer may ping without end; of more than these the oldest is given up.
  static constexpr size_t kMaxWaiting = 16;

  // A NOP passed. Other PDUs change nothing.
  void Take(const uint8_t* bhs, uint64_t time_ns, std::array<PingStatistics, kPingSenders>& counts);
  // The connection ends: nothing is answered any more.
  void GiveUp(std::array<PingStatistics, kPingSenders>& counts);
  // Those of this sender that wait for their answer, the oldest first.
  struct Waiting {
    uint32_t tag;
    uint64_t sent_ns;
    bool is_overdue = false;  // and that is said
  };
  [[nodiscard]] const std::vector<Waiting>& waiting(PingSender sender) const {
    return waiting_[sender];
  }

  // The oldest of this sender is overdue. Returns whether that is news. REQUIRES: one waits.
  bool TakeOverdue(PingSender sender) {
    return !std::exchange(waiting_[sender].front().is_overdue, true);
  }

 private:
  void Sent(PingSender sender, uint32_t tag, uint64_t time_ns, PingStatistics& counts);
  void Answered(PingSender sender, uint32_t tag, uint64_t time_ns, PingStatistics& counts);

  std::array<std::vector<Waiting>, kPingSenders> waiting_;
};

}  // namespace lunscope
