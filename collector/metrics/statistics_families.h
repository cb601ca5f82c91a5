// SPDX-License-Identifier: Apache-2.0
//
// Families over the statistics of a walk. iSCSI and the SCSI layers have the same ones, under names
// of their own.
#pragma once

#include <functional>
#include <span>

#include "collector/metrics/family.h"
#include "collector/metrics/walk.h"

namespace lunscope {

class StatisticsFamilies {
 public:
  using LunValue = std::function<double(const LunStatistics&)>;

  // REQUIRES: both live as long.
  StatisticsFamilies(const Walk& walk, Families& families) : walk_(walk), families_(families) {}

  void AddCommands(const char* name, const char* help);
  void AddErrors(const char* name, const char* help);
  void AddDurations(const char* name, const char* help);
  void AddSizes(const char* name, const char* help);
  void AddReadBytes(const char* name, const char* help);
  void AddWrittenBytes(const char* name, const char* help);
  void AddOutstanding(const char* name, const char* help);
  // The age of each LUN's oldest command.
  void AddOldest(const char* name, const char* help, uint64_t now_ns);

  // A value of each LUN. role: LUNSCOPE_ROLE_UNKNOWN for both.
  void AddPerLun(uint8_t role, prometheus::MetricType type, const char* name, const char* help,
                 const LunValue& value);
  // What each LUN said of itself.
  void AddLunInfo(uint8_t role, const char* name, const char* help);

  // Commands in flight, as of the last report.
  void AddInFlight(const char* name, const char* help, std::span<const uint8_t> roles);

 private:
  const Walk& walk_;
  Families& families_;
};

}  // namespace lunscope
