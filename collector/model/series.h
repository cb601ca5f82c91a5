// SPDX-License-Identifier: Apache-2.0
//
// The series that a scrape exports: targets, their LUNs, and the operations of these. Each takes
// one label set of a fixed budget. Once the budget is spent, a target without a connection makes
// room: one that nobody has proven first, and of these the one that is idle for longest. Its counts
// go to the overflow target of its role, so that sums stay right. If every target has a connection,
// what is new goes to the overflow target. So hostile input can neither make the table grow nor
// shut a new target out for good.
//
// Nothing in the table moves, and a target with an origin stays in it: pointers into it are valid.
// Not thread-safe: one thread at a time. Lookups of what was met before make no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "collector/base/address.h"
#include "collector/model/initiators.h"
#include "collector/model/target.h"

namespace lunscope {

class Profiler;

// Where commands come from: the part that a connection and a nexus have in common. It says which
// target counts them, and remembers the LUN of the last command, where the next one mostly goes.
struct Origin {
  Target* target = nullptr;
  LunStatistics* last_lun = nullptr;  // of last_lun_number
  uint64_t last_lun_number = 0;
  Initiator* initiator = nullptr;  // that counts its commands; nullptr: none does yet
  uint8_t role = LUNSCOPE_ROLE_UNKNOWN;
  bool has_own_target = false;  // false: the target is a stand-in for many
  PackedAddress portal;         // of the target; none: unknown, or not iSCSI
};

class Series {
 public:
  // profiler: nullptr if no LUN has a profile; else it outlives this.
  explicit Series(size_t max_label_sets, Profiler* profiler = nullptr)
      : max_label_sets_(max_label_sets), profiler_(profiler), initiators_(max_label_sets) {}

  // From now on the target of this key counts what comes from the origin. The origin is not copied
  // from then on: the target counts its origins.
  void Assign(Origin& origin, const TargetKey& key);
  // The origin has ended.
  void Release(const Origin& origin);
  // The target of the origin is there: a login to it succeeded, or this host says so.
  static void Prove(const Origin& origin) { origin.target->second.use.is_proven = true; }

  // While it is held, no target goes: somebody reads the table and lets records in meanwhile. The
  // budget may be exceeded by a few label sets then.
  void Hold() {
    is_held_ = true;
    initiators_.Hold();
  }
  void EndHold();

  // The LUN of this number, whichever addressing method wrote the number.
  LunStatistics& LunOf(Origin& origin, uint64_t lun) {
    if (origin.last_lun != nullptr && origin.last_lun_number == lun) return *origin.last_lun;
    RecentLun& recent = recent_luns_[RecentLun::PlaceOf(origin.target, lun)];
    if (recent.target != origin.target || recent.number != lun)
      recent = {origin.target, lun, &FindLun(*origin.target, lun)};
    origin.last_lun = recent.statistics;
    origin.last_lun_number = lun;
    return *recent.statistics;
  }

  // REQUIRES: lun is LunOf(origin, ...).
  OperationStatistics& OperationOf(const Origin& origin, LunStatistics& lun, size_t operation) {
    DeepPtr<OperationStatistics>& statistics = lun.operations[operation];
    return statistics ? *statistics : NewOperation(*origin.target, statistics, operation);
  }

  // The initiator that counts what comes from the origin. name: the same each time, until the
  // origin is assigned or renamed.
  InitiatorCounters& InitiatorOf(Origin& origin, const std::string& name) {
    if (origin.initiator == nullptr)
      origin.initiator = &initiators_.Join(origin.target->first, name);
    return origin.initiator->second;
  }
  // From now on the initiator of the origin has another name.
  void Rename(Origin& origin);

  // The time of a record, by the clock of records; an earlier one changes nothing.
  void AdvanceTo(uint64_t time_ns) {
    if (time_ns > now_ns_) now_ns_ = time_ns;
  }
  // A walk begins: what is as of the last walk starts from zero. Targets that nobody has proven and
  // that were idle for long go.
  void BeginWalk(uint64_t now_ns);

  // Behind a walk that came to every connection: nothing that is not known yet began before this
  // time, but for the commands in flight that the walk found. So profiles reach up to there.
  void SettleProfiles(uint64_t now_ns);

  [[nodiscard]] const std::map<TargetKey, TargetStatistics>& targets() const { return targets_; }
  [[nodiscard]] const std::map<InitiatorKey, InitiatorStatistics>& initiators() const {
    return initiators_.all();
  }
  // How often something became overflow because the budget was spent, at once or later.
  [[nodiscard]] uint64_t dropped() const { return dropped_ + initiators_.dropped(); }

 private:
  // Where the LUN of this number lies.
  struct RecentLun {
    const Target* target = nullptr;
    uint64_t number = 0;
    LunStatistics* statistics = nullptr;

    static size_t PlaceOf(const Target* target, uint64_t number) {
      const uint64_t mixed = (number >> 48 ^ number) + (reinterpret_cast<uintptr_t>(target) >> 4);
      return mixed * 0x9e37'79b9'7f4a'7c15 >> (64 - kRecentLunBits);
    }
  };
  static constexpr size_t kRecentLunBits = 12;

  Target& TargetOf(const TargetKey& key);
  Target& OverflowTarget(const TargetKey& key);
  LunStatistics& OverflowLun(const TargetKey& key);
  LunStatistics& FindLun(Target& target, uint64_t lun);
  OperationStatistics& NewOperation(const Target& target, DeepPtr<OperationStatistics>& own,
                                    size_t operation);
  bool ReserveLabelSet();
  // Takes the first of the idle targets out of the table.
  void GiveUpOne();
  void ForgetLunsOf(const Target& target);

  // Idle targets in the order in which they go.
  struct GoesFirst {
    bool operator()(const Target* a, const Target* b) const {
      const TargetUse& first = a->second.use;
      const TargetUse& second = b->second.use;
      return std::pair(first.is_proven, first.idle_turn) <
             std::pair(second.is_proven, second.idle_turn);
    }
  };

  // By a hash: most LUNs were met before, and are found without a walk through the maps.
  std::vector<RecentLun> recent_luns_ = std::vector<RecentLun>(size_t{1} << kRecentLunBits);
  std::map<TargetKey, TargetStatistics> targets_;
  std::set<Target*, GoesFirst> idle_;
  size_t max_label_sets_;
  Profiler* profiler_;
  Initiators initiators_;
  size_t label_sets_ = 0;
  uint64_t dropped_ = 0;
  uint64_t idle_turns_ = 0;
  uint64_t now_ns_ = 0;  // the latest time of a record or a walk
  bool is_held_ = false;
};

}  // namespace lunscope
