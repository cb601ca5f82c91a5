// SPDX-License-Identifier: Apache-2.0
#include "collector/run/capture_looks.h"

#include <algorithm>
#include <optional>

namespace lunscope {
namespace {

constexpr uint64_t kLookNs = 1'000'000'000;
// A gap between packets has some looks, and not one for each of its seconds.
constexpr uint64_t kLooksInAGap = 10;

// The time of the look behind this one. next_ns: of the next packet.
uint64_t NextLookNs(uint64_t look_ns, uint64_t next_ns) {
  if (look_ns == 0) return next_ns;
  const uint64_t gap_ns = next_ns > look_ns ? next_ns - look_ns : 0;
  return look_ns + std::max(kLookNs, gap_ns / kLooksInAGap);
}

}  // namespace

void ReadWithLooks(Watcher& watcher, CaptureSource& capture,
                   const std::function<void(uint64_t now_ns)>& look,
                   const std::function<void()>& drained) {
  uint64_t look_ns = 0;
  capture.ReadUntil(look_ns);
  while (!watcher.is_done()) {
    watcher.Drain();
    drained();
    const std::optional<uint64_t> next_ns = capture.waiting_ns();
    if (!next_ns) continue;
    if (look_ns != 0) look(look_ns);
    look_ns = NextLookNs(look_ns, *next_ns);
    capture.ReadUntil(look_ns);
  }
  look(capture.NowNs());
}

}  // namespace lunscope
