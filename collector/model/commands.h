// SPDX-License-Identifier: Apache-2.0
//
// Adds completed commands, and those in flight, to the series. Not thread-safe: one
// thread at a time. A command on a LUN that was met before makes no allocation.
#pragma once

#include <lunscope/aggregate.h>

#include <cstdint>

#include "collector/model/applied.h"
#include "collector/model/connection.h"
#include "collector/model/series.h"

namespace lunscope {

class CommandCounter {
 public:
  // series: outlives this.
  explicit CommandCounter(Series& series) : series_(series) {}

  // A completed command of a connection.
  Applied Apply(Connection& connection, const lunscope_command_record& record);
  // Completed commands that the kernel half has added up; counts what is new of them.
  Applied Apply(Connection& connection, const lunscope_aggregates_record& record);
  // The commands in flight of a connection, in a walk.
  Applied Apply(Connection& connection, const lunscope_inflight_record& record);
  // The first bytes of the data that answer a CDB: a LUN says what it is.
  void Learn(Connection& connection, const lunscope_pdu_record& record);

  // The header of a SCSI Command: its AHS is kept until the command ends.
  void Keep(Connection& connection, const lunscope_header_record& record);

  // Count a completed command of any origin, and say in `applied` as what. Returns the statistics
  // that count it. REQUIRES: lun is the origin's; applied has its device type and the verdict.
  OperationStatistics& Count(const Origin& origin, LunStatistics& lun,
                             const lunscope_command_record& record, Applied& applied);

  void BeginWalk() { tracked_ = 0; }
  // Commands in all in-flight tables, as of the last walk.
  [[nodiscard]] uint64_t tracked() const { return tracked_; }

 private:
  Series& series_;
  uint64_t tracked_ = 0;
};

}  // namespace lunscope
