// SPDX-License-Identifier: Apache-2.0
//
// Brings the commands of all LUNs into the order in which they began, and adds them to the profiles
// of their LUNs (profile.h). A record comes when its command ends, and records of several rings
// come one ring after the other. So commands wait here:
//
//   - until a walk. It says what is in flight, so whatever began before that is known to be whole.
//   - until kRoom commands wait. Then the half that began first goes. A command that began before
//     these and ends after them is late: its LUN counts it as such, and its place stays unknown.
//
// The room is one for all LUNs, and is made once. Not thread-safe: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "collector/model/applied.h"
#include "collector/model/lun.h"

namespace lunscope {

class Profiler {
 public:
  static constexpr size_t kRoom = 65'536;

  Profiler() { waiting_.reserve(kRoom); }

  // Ignored if the command has not ended, or if the target never had it in its queue.
  void Add(const Connection& connection, LunStatistics& lun, const lunscope_command_record& record,
           const Applied& applied);

  // Behind a walk, with the profile of each LUN: every command of it that began before the
  // profile's horizon has been added.
  void Settle();
  // The LUN goes. Its commands that wait are added to its profile, which ends.
  void Settle(LunProfile& profile);

  // The latest end of a command.
  [[nodiscard]] uint64_t latest_ns() const { return latest_ns_; }

 private:
  struct Waiting {
    Begun command;
    LunProfile* profile = nullptr;
  };

  void Wait(const Begun& command, LunProfile& profile);
  void Sort();
  // Adds the commands for which this holds, and keeps the others in their order. REQUIRES: sorted.
  template <typename IsDue>
  void Release(const IsDue& is_due);

  std::vector<Waiting> waiting_;
  uint64_t latest_ns_ = 0;
};

}  // namespace lunscope
