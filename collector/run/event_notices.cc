// SPDX-License-Identifier: Apache-2.0
#include "collector/run/event_notices.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace lunscope {

bool EventNotices::TakeRoom(Kind& kind, uint64_t now_ns) {
  if (kind.room == kAtOnce) kind.grown_ns = now_ns;
  const uint64_t passed = now_ns < kind.grown_ns ? 0 : (now_ns - kind.grown_ns) / kRepeatNs;
  kind.grown_ns += passed * kRepeatNs;
  kind.room = std::min(kind.room + passed, kAtOnce);
  if (kind.room == 0) return false;
  kind.room--;
  return true;
}

void EventNotices::Take(const Event& event, uint64_t now_ns) {
  const LogLevel level = event.level();
  if (level < least_) return;
  const std::lock_guard lock(mutex_);
  Kind& kind = kinds_[event.kind.row()];
  if (TakeRoom(kind, now_ns)) {
    due_.push_back({level, EventSentence(event)});
    return;
  }
  kind.unsaid++;
  if (unsaid_++ == 0) unsaid_ns_ = now_ns;
  unsaid_level_ = std::max(unsaid_level_, level);
}

// Their level is the highest of them, so nobody who wants to know misses that they were left out.
std::string EventNotices::TakeUnsaid() {
  std::string kinds;
  for (size_t row = 0; row < kEventKinds; row++) {
    const uint64_t count = std::exchange(kinds_[row].unsaid, 0);
    if (count == 0) continue;
    fmt::format_to(std::back_inserter(kinds), "{}{} {}", kinds.empty() ? "" : ", ", count,
                   kEventKindRows[row].label);
  }
  unsaid_before_ += unsaid_;
  return fmt::format("{} more events were not said: {}; /events has the last ones",
                     std::exchange(unsaid_, 0), kinds);
}

std::vector<EventNotices::Notice> EventNotices::Due(uint64_t now_ns, bool is_end) {
  const std::lock_guard lock(mutex_);
  std::vector<Notice> due = std::exchange(due_, {});
  const bool is_time = is_end || now_ns >= unsaid_ns_ + kRepeatNs;
  if (unsaid_ == 0 || !is_time) return due;
  const LogLevel level = std::exchange(unsaid_level_, LogLevel::kDebug);
  due.push_back({level, TakeUnsaid()});
  return due;
}

uint64_t EventNotices::unsaid() const {
  const std::lock_guard lock(mutex_);
  return unsaid_before_ + unsaid_;
}

void SayDue(EventNotices& notices, uint64_t now_ns, bool is_end) {
  for (const EventNotices::Notice& notice : notices.Due(now_ns, is_end))
    Log(notice.level, notice.sentence);
}

}  // namespace lunscope
