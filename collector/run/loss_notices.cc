// SPDX-License-Identifier: Apache-2.0
#include "collector/run/loss_notices.h"

#include <fmt/format.h>

#include <iterator>

namespace lunscope {

std::string LossNotices::Text(const char* beginning) const {
  std::string text;
  const auto add = [&](uint64_t lost, const char* what) {
    if (lost == 0) return;
    fmt::format_to(std::back_inserter(text), "{}{} {}", text.empty() ? ": " : ", ", lost, what);
  };
  add(last_.commands - before_.commands, "commands lost their records");
  add(last_.left_out - before_.left_out, "records of PDUs were left out");
  add(last_.gaps - before_.gaps, "times PDU boundaries were lost");
  add(last_.untracked - before_.untracked,
      "connections are not watched, for want of --connection-memory");
  return beginning + text;
}

std::string LossNotices::Take(const CommandCounts& counts, uint64_t now_ns) {
  const Lost now{counts.lost, counts.gaps, counts.left_out, counts.untracked};
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
