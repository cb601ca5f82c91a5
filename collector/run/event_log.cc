// SPDX-License-Identifier: Apache-2.0
#include "collector/run/event_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "collector/lines/day_mark.h"
#include "collector/lines/short_names.h"
#include "collector/lines/trace_line.h"

namespace lunscope {

EventLog::Kept::Kept(const Event& event, int64_t wall_clock_offset_ns)
    : target_(event.subject.target),
      initiator_(event.subject.initiator),
      local_(event.subject.local),
      remote_(event.subject.remote),
      process_(*event.subject.process),
      event_{event.time_ns,
             event.kind,
             {event.subject.role, target_, initiator_, local_, remote_, &process_},
             event.words,
             event.raised},
      wall_clock_offset_ns_(wall_clock_offset_ns) {}

void EventLog::Take(const Event& event, int64_t wall_clock_offset_ns) {
  auto kept = std::make_shared<const Kept>(event, wall_clock_offset_ns);
  const std::lock_guard lock(mutex_);
  counts_.met[event.subject.role & LUNSCOPE_ROLE_MASK][event.kind.row()]++;
  kept_.push_back(std::move(kept));
  if (kept_.size() <= kKept) return;
  kept_.pop_front();
  counts_.dropped++;
}

// Rings are drained one after the other, so events come a little out of order.
EventLog::KeptList EventLog::Copy(EventCounts& counts) const {
  KeptList copy;
  {
    const std::lock_guard lock(mutex_);
    copy.assign(kept_.begin(), kept_.end());
    counts = counts_;
  }
  std::ranges::stable_sort(copy, {}, [](const auto& kept) { return kept->event().time_ns; });
  return copy;
}

std::string EventLog::Rows(int64_t now_epoch_ns) const {
  EventCounts counts;
  const KeptList all = Copy(counts);
  std::string rows;
  ShortNames names(kTargetColumns);
  DayMark days(now_epoch_ns);
  for (const auto& kept : all) {
    const Event& event = kept->event();
    const std::string day =
        days.Above(static_cast<int64_t>(event.time_ns) + kept->wall_clock_offset_ns());
    if (!day.empty()) rows += day + "\n";
    rows += EventRow(event, kept->wall_clock_offset_ns(), names) + "\n";
  }
  std::string page =
      fmt::format("{} events, and {} older ones are no longer kept\n", all.size(), counts.dropped);
  for (const std::string& explained : names.TakeNew()) page += explained + "\n";
  return page + rows;
}

std::string EventLog::Json() const {
  EventCounts counts;
  const KeptList all = Copy(counts);
  const std::string text = json::Object([&](json::Members& page) {
    page.Array("events", [&](json::Elements& list) {
      for (const auto& kept : all)
        list.Object(FillEvent, kept->event(), kept->wall_clock_offset_ns());
    });
    page.Number("kept", all.size());
    page.Number("dropped", counts.dropped);
  });
  return text + "\n";
}

EventCounts EventLog::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace lunscope
