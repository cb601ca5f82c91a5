// SPDX-License-Identifier: Apache-2.0
//
// Findings among the lines of a trace: a line when one begins, and one when it ends. A record of a
// command allocates nothing here. Not thread-safe: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "collector/diagnosis/diagnosis.h"
#include "collector/run/tracer.h"
#include "collector/run/watcher.h"

namespace lunscope {

class FindingLines {
 public:
  // Between two looks: while records come or a finding holds, and on an idle host.
  static constexpr uint64_t kLookNs = kSecondNs;
  static constexpr uint64_t kIdleLookNs = 5 * kSecondNs;

  // is_on: false: it does nothing. REQUIRES: the tracer outlives it.
  FindingLines(Tracer& tracer, bool is_on) : tracer_(tracer), is_on_(is_on) {}

  [[nodiscard]] bool is_on() const { return is_on_; }
  // REQUIRES: the lock of the watcher is held.
  void Take(const lunscope_record& record, const Applied& applied);
  [[nodiscard]] bool IsDue(uint64_t now_ns) const;
  // Hand what began or ended to the tracer, unless it is older than this.
  void Look(Watcher& watcher, uint64_t now_ns, uint64_t from_ns = 0);

 private:
  Tracer& tracer_;
  const bool is_on_;
  Diagnosis diagnosis_;
  uint64_t looked_ns_ = 0;
  size_t holding_ = 0;
  bool is_busy_ = true;
};

}  // namespace lunscope
