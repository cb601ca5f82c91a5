// SPDX-License-Identifier: Apache-2.0
#include "collector/diagnosis/history.h"

namespace lunscope {
namespace {

uint64_t Growth(uint64_t before, uint64_t now) { return now > before ? now - before : 0; }

ConnectionCounters Growth(const ConnectionCounters& before, const ConnectionCounters& now) {
  return {Growth(before.from_initiator_bytes, now.from_initiator_bytes),
          Growth(before.from_target_bytes, now.from_target_bytes),
          Growth(before.commands_beyond, now.commands_beyond),
          Growth(before.window_closed_ns, now.window_closed_ns)};
}

// since_ns: when it became so; 0: it was not so.
void Last(bool is_so, uint64_t now_ns, uint64_t& since_ns) {
  if (!is_so) {
    since_ns = 0;
  } else if (since_ns == 0) {
    since_ns = now_ns;
  }
}

}  // namespace

void History::Take(std::vector<ConnectionLook>& looks, uint64_t now_ns) {
  for (auto& [id, past] : pasts_) past.is_found = false;
  for (ConnectionLook& look : looks) {
    const auto [place, is_new] = pasts_.try_emplace(look.id);
    Past& past = place->second;
    const bool is_silent =
        !is_new && look.counters.from_target_bytes == past.last.from_target_bytes;
    Last(is_silent, now_ns, past.since.target_silent_ns);
    Last(look.unread_bytes != 0, now_ns, past.since.unread_ns);
    Last(look.tcp.is_known != 0 && look.tcp.unsent_bytes != 0 && look.tcp.send_window_bytes == 0,
         now_ns, past.since.unsent_ns);
    past.last = look.counters;
    past.is_found = true;
    look.grown = Growth(past.base, look.counters);
    look.since = past.since;
  }
  std::erase_if(pasts_, [](const auto& past) { return !past.second.is_found; });
}

void History::Turn() {
  for (auto& [id, past] : pasts_) {
    past.base = past.next;
    past.next = past.last;
  }
}

}  // namespace lunscope
