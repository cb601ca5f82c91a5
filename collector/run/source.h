// SPDX-License-Identifier: Apache-2.0
//
// Where records come from: the programs on iSCSI, the programs on the SCSI layers, a capture file,
// a script of a test. A caller that takes records does not need to know which it is.
//
// One thread at a time calls a source. The handlers of Walk() may call Drain(), of this source and
// of others: a walk over many connections takes longer than a ring may have to wait.
#pragma once

#include <lunscope/layers.h>
#include <lunscope/records.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collector/base/clock.h"
#include "collector/base/result.h"
#include "collector/metrics/metrics.h"
#include "collector/run/command_counts.h"

namespace lunscope {

class Source {
 public:
  // A record is whole (CheckRecord), and gone when the call returns.
  using Handler = std::function<void(const lunscope_record&)>;
  using CommandHandler = std::function<void(const lunscope_scsi_command&)>;

  virtual ~Source() = default;

  // Readable when there is much to drain. -1: never, so drain on a timer.
  [[nodiscard]] virtual int wakeup_fd() const { return -1; }
  // Hand on every record that waits: those of one connection in their order.
  virtual void Drain(const Handler& handler) = 0;
  // Hand on what is live now: the records of connections, and the commands in flight of a layer.
  // An error says that the walk broke off.
  virtual Status Walk(const Handler& on_record, const CommandHandler& on_command) = 0;
  // Put into the observation what is counted at the source, and how its programs are.
  virtual void Describe(Observation& observation) const = 0;
  // Commands with a record, and commands that lost theirs.
  [[nodiscard]] virtual CommandCounts Commands() const = 0;
  // The part of the source that is not there (yet), and why; "" if all of it is there. A missing
  // part is not an error, because it may come.
  [[nodiscard]] virtual std::string Missing() const { return ""; }
  // The use that it goes on to have for CAP_SYS_ADMIN, as words behind "to"; "": it has no use.
  [[nodiscard]] virtual std::string AdminUse() const { return ""; }
  // The time up to which this source has handed on every record, by the clock of records.
  [[nodiscard]] virtual uint64_t NowNs() const { return MonotonicNs(); }
  // Nothing more will come.
  [[nodiscard]] virtual bool is_done() const { return false; }
};

using SourceList = std::vector<std::unique_ptr<Source>>;

}  // namespace lunscope
