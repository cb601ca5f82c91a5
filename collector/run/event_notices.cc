// SPDX-License-Identifier: Apache-2.0
#include "collector/run/event_notices.h"

#include <string_view>
#include <vector>

#include "collector/base/event_kinds.h"

namespace lunscope {
namespace {

std::vector<std::string_view> Labels() {
  std::vector<std::string_view> labels;
  for (const EventKindRow& row : kEventKindRows) labels.emplace_back(row.label);
  return labels;
}

}  // namespace

EventNotices::EventNotices(LogLevel least) : Notices(least, Labels(), {"events", "/events"}) {}

void EventNotices::Take(const Event& event, uint64_t now_ns) {
  Notices::Take(event.kind.row(), event.level(), now_ns, [&] { return EventSentence(event); });
}

}  // namespace lunscope
