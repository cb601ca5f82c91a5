// SPDX-License-Identifier: Apache-2.0
//
// Losses of a long run, as sentences: when they begin, once a minute while they go on, and when
// they have ended. The counters have each of them; a person who reads no counters hears of it, too.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "collector/run/command_counts.h"

namespace lunscope {

class LossNotices {
 public:
  static constexpr uint64_t kRepeatNs = 60'000'000'000;
  static constexpr uint64_t kQuietNs = 10'000'000'000;  // without a loss: it has ended

  // counts: of the whole run so far. Returns the sentence to say now, without a line end; "": none.
  std::string Take(const CommandCounts& counts, uint64_t now_ns);

 private:
  struct Lost {
    uint64_t commands = 0;
    uint64_t gaps = 0;
    uint64_t left_out = 0;
    uint64_t untracked = 0;
    auto operator<=>(const Lost&) const = default;
  };
  [[nodiscard]] std::string Text(const char* beginning) const;

  Lost last_;    // as of the last call
  Lost before_;  // what had been lost before this stretch of losses
  bool is_losing_ = false;
  uint64_t lost_ns_ = 0;  // when something was last found lost
  uint64_t said_ns_ = 0;
};

}  // namespace lunscope
