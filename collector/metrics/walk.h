// SPDX-License-Identifier: Apache-2.0
//
// A walk over the statistics of a snapshot, with the labels that the series of each have.
#pragma once

#include <functional>

#include "collector/metrics/family.h"

namespace lunscope {

class Walk {
 public:
  enum Of { kIscsi, kScsiLayers };

  using TargetVisitor =
      std::function<void(const Labels&, const TargetKey&, const TargetStatistics&)>;
  using LunVisitor = std::function<void(const Labels&, const LunStatistics&)>;
  using OperationVisitor = std::function<void(const Labels&, const OperationStatistics&)>;

  // REQUIRES: the snapshot lives as long.
  Walk(const Snapshot& snapshot, Of of) : snapshot_(snapshot), of_(of) {}

  void EachTarget(const TargetVisitor& visit) const;
  // role: LUNSCOPE_ROLE_UNKNOWN for both.
  void EachLun(uint8_t role, const LunVisitor& visit) const;
  void EachOperation(const OperationVisitor& visit) const;

  // Commands in flight, as of the last report.
  [[nodiscard]] double Outstanding(uint8_t role) const;

 private:
  [[nodiscard]] bool IsOver(const TargetKey& key, const TargetStatistics& target) const;

  const Snapshot& snapshot_;
  const Of of_;
};

// Seconds since the LUN's oldest command in flight began; 0 if there is none.
double OldestSeconds(const LunStatistics& lun, uint64_t now_ns);

}  // namespace lunscope
