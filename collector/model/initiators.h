// SPDX-License-Identifier: Apache-2.0
//
// The counts of each initiator of each target: which one asks for much, and which one waits for
// long. The table has a limit of its own, so that many initiators leave room for LUNs. At the limit
// an initiator without a connection makes room, and of these the one that is idle for longest. Its
// counts go to the overflow initiator of its role, so that sums stay right. If every initiator has
// a connection, a new one counts as overflow.
//
// An initiator does not move, and one with a connection stays in the table: pointers to it are
// valid. Not thread-safe: one thread at a time.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "collector/model/target.h"

namespace lunscope {

struct InitiatorKey {
  uint8_t role;
  std::string target;
  std::string initiator;
  auto operator<=>(const InitiatorKey&) const = default;
};

// Commands that ended with a status.
struct InitiatorCounters {
  uint64_t commands = 0;
  uint64_t duration_ns = 0;
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
};

struct InitiatorStatistics : InitiatorCounters {
  size_t origins = 0;      // connections that it counts for
  uint64_t idle_turn = 0;  // the lower, the longer ago its last connection went
};
using Initiator = std::pair<const InitiatorKey, InitiatorStatistics>;

class Initiators {
 public:
  explicit Initiators(size_t max) : max_(max) {}

  // One more connection counts for the initiator of this name; "": the name is not known. REQUIRES:
  // Leave() follows, once.
  Initiator& Join(const TargetKey& target, const std::string& name);
  // The connection has ended, or counts for another one.
  void Leave(Initiator& initiator);

  // While it is held, no initiator goes (Series::Hold).
  void Hold() { is_held_ = true; }
  void EndHold();

  [[nodiscard]] const std::map<InitiatorKey, InitiatorStatistics>& all() const { return all_; }
  // How often an initiator became overflow.
  [[nodiscard]] uint64_t dropped() const { return dropped_; }

 private:
  bool HasRoom();
  Initiator& Overflow(uint8_t role);
  void GiveUpOne();

  struct GoesFirst {
    bool operator()(const Initiator* a, const Initiator* b) const {
      return a->second.idle_turn < b->second.idle_turn;
    }
  };

  const size_t max_;
  std::map<InitiatorKey, InitiatorStatistics> all_;
  std::set<Initiator*, GoesFirst> idle_;  // in the order in which they go
  size_t own_ = 0;                        // of all, those that are no overflow
  uint64_t idle_turns_ = 0;
  uint64_t dropped_ = 0;
  bool is_held_ = false;
};

}  // namespace lunscope
