// SPDX-License-Identifier: Apache-2.0
//
// The series that a scrape exports: targets, their LUNs, and the operations of these. Each takes
// one label set of a fixed budget. Once the budget is spent, new series go to the overflow target
// of their role, so that sums stay right and hostile input cannot make the table grow.
//
// Nothing is ever taken out of the table, and nothing in it moves: pointers into it stay valid.
// Not thread-safe: one thread at a time. Lookups of what was met before make no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "collector/model/target.h"

namespace lunscope {

// Where commands come from: the part that a connection and a nexus have in common. It says which
// target counts them, and remembers the LUN of the last command, where the next one mostly goes.
struct Origin {
  Target* target = nullptr;
  LunStatistics* last_lun = nullptr;  // of last_lun_number
  uint64_t last_lun_number = 0;
  uint8_t role = LUNSCOPE_ROLE_UNKNOWN;
  bool has_own_target = false;  // false: the target is a stand-in for many
};

class Series {
 public:
  explicit Series(size_t max_label_sets) : max_label_sets_(max_label_sets) {}

  // From now on the target of this key counts what comes from the origin.
  void Assign(Origin& origin, const TargetKey& key);

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

  // A walk begins: what is as of the last walk starts from zero.
  void BeginWalk();

  [[nodiscard]] const std::map<TargetKey, TargetStatistics>& targets() const { return targets_; }
  // How often something went to an overflow target because the budget was spent.
  [[nodiscard]] uint64_t dropped() const { return dropped_; }

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

  // By a hash: most LUNs were met before, and are found without a walk through the maps.
  std::vector<RecentLun> recent_luns_ = std::vector<RecentLun>(size_t{1} << kRecentLunBits);
  std::map<TargetKey, TargetStatistics> targets_;
  size_t max_label_sets_;
  size_t label_sets_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace lunscope
