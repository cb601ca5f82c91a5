// SPDX-License-Identifier: Apache-2.0
#include "collector/run/loss_notices.h"

#include <fmt/format.h>

namespace lunscope {

std::string LossNotices::Text(const char* beginning) const {
  return fmt::format(
      "{}: {} commands lost their records, {} records of PDUs were left out, and the boundaries of "
      "PDUs were lost {} times",
      beginning, last_.commands - before_.commands, last_.left_out - before_.left_out,
      last_.gaps - before_.gaps);
}

std::string LossNotices::Take(const CommandCounts& counts, uint64_t now_ns) {
  const Lost now{counts.lost, counts.gaps, counts.left_out};
  if (now != last_) {
    if (!is_losing_) before_ = last_;
    last_ = now;
    lost_ns_ = now_ns;
    if (is_losing_ && now_ns - said_ns_ < kRepeatNs) return "";
    said_ns_ = now_ns;
    const bool begins = !is_losing_;
    is_losing_ = true;
    return Text(begins ? "something is lost" : "something is still lost");
  }
  if (!is_losing_ || now_ns - lost_ns_ < kQuietNs) return "";
  is_losing_ = false;
  return Text("nothing is lost any more");
}

}  // namespace lunscope
