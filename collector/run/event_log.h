// SPDX-License-Identifier: Apache-2.0
//
// The last events of a run, as a page of rows and as one of JSON, and the count of all. Any thread
// may call it. An event costs a copy; it is formatted only when somebody asks for a page, and then
// outside the lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "collector/base/event_kinds.h"
#include "collector/lines/event_line.h"

namespace lunscope {

class EventLog {
 public:
  // The names of a peer, of its target and of the host have limits, and so has this in bytes.
  static constexpr size_t kKept = 1000;

  // wall_clock_offset_ns: as of now. A clock that is set later does not move the event.
  void Take(const Event& event, int64_t wall_clock_offset_ns);

  // The events in the order of their times. At the top is how many are kept and how many went.
  [[nodiscard]] std::string Rows(int64_t now_epoch_ns) const;
  [[nodiscard]] std::string Json() const;
  // All but `unsaid`, which is not counted here.
  [[nodiscard]] EventCounts counts() const;

 private:
  // An event with the texts that it views.
  class Kept {
   public:
    Kept(const Event& event, int64_t wall_clock_offset_ns);
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;

    [[nodiscard]] const Event& event() const { return event_; }
    [[nodiscard]] int64_t wall_clock_offset_ns() const { return wall_clock_offset_ns_; }

   private:
    const std::string target_, initiator_, local_, remote_;
    const LocalProcess process_;
    const Event event_;
    const int64_t wall_clock_offset_ns_;
  };
  using KeptList = std::vector<std::shared_ptr<const Kept>>;

  // Sorted. counts: as of the same moment.
  KeptList Copy(EventCounts& counts) const;

  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const Kept>> kept_;  // in the order in which they came
  EventCounts counts_;
};

}  // namespace lunscope
