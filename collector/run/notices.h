// SPDX-License-Identifier: Apache-2.0
//
// Sentences for the log, each of a kind and with its level. A peer can make as many as it likes. So
// of each kind some are said at once and then one a minute, and the others are counted. Any thread
// may call it. Take() writes nothing, so nobody waits for a reader of standard error while a record
// is taken in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "collector/base/log.h"

namespace lunscope {

class Notices {
 public:
  static constexpr uint64_t kAtOnce = 10;  // of a kind
  static constexpr uint64_t kRepeatNs = 60'000'000'000;

  struct Notice {
    LogLevel level;
    std::string sentence;
    auto operator<=>(const Notice&) const = default;
  };

  // noun, page: of what the sentences are, and where all of them can be read.
  struct Words {
    const char* noun;
    const char* page;
  };

  // least: what is below it is not said, and not counted as left out.
  Notices(LogLevel least, const std::vector<std::string_view>& kinds, Words words);

  // The sentence is made only if there is room for it.
  void Take(size_t kind, LogLevel level, uint64_t now_ns,
            const std::function<std::string()>& sentence);
  // The sentences to say now. Once a minute, and at the end of the run, the last of them counts
  // what was left out.
  std::vector<Notice> Due(uint64_t now_ns, bool is_end = false);
  // All that was left out so far.
  [[nodiscard]] uint64_t unsaid() const;

 private:
  struct Kind {
    std::string_view label;
    uint64_t room = kAtOnce;  // how many may be said now
    uint64_t grown_ns = 0;    // when that grew last
    uint64_t unsaid = 0;      // since the last sentence about it
  };

  // REQUIRES, here and below: the lock is held.
  static bool TakeRoom(Kind& kind, uint64_t now_ns);
  std::string TakeUnsaid();

  const LogLevel least_;
  const Words words_;
  mutable std::mutex mutex_;
  std::vector<Kind> kinds_;
  std::vector<Notice> due_;
  LogLevel unsaid_level_ = LogLevel::kDebug;  // the highest of those left out
  uint64_t unsaid_ = 0;                       // since the last sentence about it
  uint64_t unsaid_before_ = 0;
  uint64_t unsaid_ns_ = 0;  // when the first of them came
};

// Write the sentences that are due to the log.
void SayDue(Notices& notices, uint64_t now_ns, bool is_end = false);

}  // namespace lunscope
