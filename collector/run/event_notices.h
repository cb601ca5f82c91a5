// SPDX-License-Identifier: Apache-2.0
//
// Events as sentences of the log, each with its level. A peer can make events as fast as it likes.
// So of each kind some are said at once and then one a minute, and the others are counted. Any
// thread may call it. Take() writes nothing, so nobody waits for a reader of standard error while a
// record is taken in.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "collector/base/event_kinds.h"
#include "collector/base/log.h"
#include "collector/lines/event_line.h"

namespace lunscope {

class EventNotices {
 public:
  static constexpr uint64_t kAtOnce = 10;  // of a kind
  static constexpr uint64_t kRepeatNs = 60'000'000'000;

  struct Notice {
    LogLevel level;
    std::string sentence;
    auto operator<=>(const Notice&) const = default;
  };

  // least: events below it are not said, and not counted as left out.
  explicit EventNotices(LogLevel least) : least_(least) {}

  void Take(const Event& event, uint64_t now_ns);
  // The sentences to say now. Once a minute, and at the end of the run, the last of them counts
  // what was left out.
  std::vector<Notice> Due(uint64_t now_ns, bool is_end = false);
  // All that was left out so far.
  [[nodiscard]] uint64_t unsaid() const;

 private:
  struct Kind {
    uint64_t room = kAtOnce;  // how many may be said now
    uint64_t grown_ns = 0;    // when that grew last
    uint64_t unsaid = 0;      // since the last sentence about it
  };

  // REQUIRES, here and below: the lock is held.
  bool TakeRoom(Kind& kind, uint64_t now_ns);
  std::string TakeUnsaid();

  const LogLevel least_;
  mutable std::mutex mutex_;
  std::array<Kind, kEventKinds> kinds_{};
  std::vector<Notice> due_;
  LogLevel unsaid_level_ = LogLevel::kDebug;  // the highest of those left out
  uint64_t unsaid_ = 0;                       // since the last sentence about it
  uint64_t unsaid_before_ = 0;
  uint64_t unsaid_ns_ = 0;  // when the first of them came
};

// Write the sentences that are due to the log.
void SayDue(EventNotices& notices, uint64_t now_ns, bool is_end = false);

}  // namespace lunscope
