// SPDX-License-Identifier: Apache-2.0
//
// The findings of a run that goes on: the diagnosis, and what it has found, as pages and for the
// metrics. The thread that drains takes a look now and then. The findings of that look are copied
// out, so no page waits for the model.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "collector/diagnosis/diagnosis.h"
#include "collector/metrics/observation.h"
#include "collector/run/finding_notices.h"

namespace lunscope {

class FindingLog {
 public:
  // Between two looks: while records come, commands are in flight or a finding holds, and on an
  // idle host.
  static constexpr uint64_t kLookNs = kSecondNs;
  static constexpr uint64_t kIdleLookNs = 5 * kSecondNs;
  // A finding that has ended has a series, with the value 0, for so long.
  static constexpr uint64_t kShownNs = 300 * kSecondNs;

  // least: of the sentences. Where commands are added up in the kernel, only the failed and slow
  // ones have a record, and a mean of these is untrue. So no rule may see them.
  FindingLog(LogLevel least, bool sees_commands);

  // REQUIRES, of these two: the model's lock is held.
  void Take(const lunscope_record& record, const Applied& applied);
  void Look(const Model& model, uint64_t now_ns);

  // REQUIRES: the caller is the thread that looks.
  [[nodiscard]] bool IsDue(uint64_t now_ns) const;

  // From here on: any thread may call it.
  FindingNotices& notices() { return notices_; }
  [[nodiscard]] std::string Text(int64_t wall_clock_offset_ns) const;
  [[nodiscard]] std::string Json(int64_t wall_clock_offset_ns) const;
  [[nodiscard]] FindingsObservation Observe(uint64_t now_ns) const;

 private:
  // As of a look.
  struct Found {
    std::vector<Finding> findings;  // those that hold and those that have ended, the worst first
    std::string left_out;
    std::vector<uint64_t> begun;  // so far, by the rule's row
  };

  void Publish(Found found);
  [[nodiscard]] std::shared_ptr<const Found> Get() const;

  const bool sees_commands_;
  Diagnosis diagnosis_;
  std::vector<uint64_t> begun_;
  FindingNotices notices_;
  uint64_t looked_ns_ = 0;
  std::atomic<bool> is_busy_ = false;  // since the last look
  mutable std::mutex mutex_;
  std::shared_ptr<const Found> found_;
};

}  // namespace lunscope
