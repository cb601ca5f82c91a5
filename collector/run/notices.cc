// SPDX-License-Identifier: Apache-2.0
#include "collector/run/notices.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace lunscope {

Notices::Notices(LogLevel least, const std::vector<std::string_view>& kinds, Words words)
    : least_(least), words_(words) {
  for (const std::string_view label : kinds) kinds_.push_back({.label = label});
}

bool Notices::TakeRoom(Kind& kind, uint64_t now_ns) {
  if (kind.room == kAtOnce) kind.grown_ns = now_ns;
  const uint64_t passed = now_ns < kind.grown_ns ? 0 : (now_ns - kind.grown_ns) / kRepeatNs;
  kind.grown_ns += passed * kRepeatNs;
  kind.room = std::min(kind.room + passed, kAtOnce);
  if (kind.room == 0) return false;
  kind.room--;
  return true;
}

void Notices::Take(size_t kind, LogLevel level, uint64_t now_ns,
                   const std::function<std::string()>& sentence) {
  if (level < least_) return;
  const std::lock_guard lock(mutex_);
  if (TakeRoom(kinds_[kind], now_ns)) {
    due_.push_back({level, sentence()});
    return;
  }
  kinds_[kind].unsaid++;
  if (unsaid_++ == 0) unsaid_ns_ = now_ns;
  unsaid_level_ = std::max(unsaid_level_, level);
}

// Their level is the highest of them, so nobody who wants to know misses that they were left out.
std::string Notices::TakeUnsaid() {
  std::string kinds;
  for (Kind& kind : kinds_) {
    const uint64_t count = std::exchange(kind.unsaid, 0);
    if (count == 0) continue;
    fmt::format_to(std::back_inserter(kinds), "{}{} {}", kinds.empty() ? "" : ", ", count,
                   kind.label);
  }
  unsaid_before_ += unsaid_;
  return fmt::format("{} more {} were not said: {}; {} has the last ones",
                     std::exchange(unsaid_, 0), words_.noun, kinds, words_.page);
}

std::vector<Notices::Notice> Notices::Due(uint64_t now_ns, bool is_end) {
  const std::lock_guard lock(mutex_);
  std::vector<Notice> due = std::exchange(due_, {});
  const bool is_time = is_end || now_ns >= unsaid_ns_ + kRepeatNs;
  if (unsaid_ == 0 || !is_time) return due;
  const LogLevel level = std::exchange(unsaid_level_, LogLevel::kDebug);
  due.push_back({level, TakeUnsaid()});
  return due;
}

uint64_t Notices::unsaid() const {
  const std::lock_guard lock(mutex_);
  return unsaid_before_ + unsaid_;
}

void SayDue(Notices& notices, uint64_t now_ns, bool is_end) {
  for (const Notices::Notice& notice : notices.Due(now_ns, is_end))
    Log(notice.level, notice.sentence);
}

}  // namespace lunscope
