// SPDX-License-Identifier: Apache-2.0
//
// Prints each completed command, or each PDU, on standard output as its record comes in.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/result.h"
#include "collector/diagnosis/diagnosis.h"
#include "collector/lines/day_mark.h"
#include "collector/lines/short_names.h"
#include "collector/lines/summary.h"
#include "collector/lines/trace_line.h"
#include "collector/model/applied.h"
#include "collector/run/settings.h"

namespace lunscope {

class Tracer {
 public:
  // wall_clock_offset_ns: returns what to add to a record's time for nanoseconds since the epoch.
  // It is asked again and again, because a host's clock may be set. REQUIRES: the options outlive
  // the tracer.
  Tracer(const LineOptions& options, std::function<int64_t()> wall_clock_offset_ns);

  void Begin();
  // applied: what the model made of the record.
  void Take(const lunscope_record& record, const Applied& applied);
  // Print the lines of what happened before until_ns, in the order of their times. They need to be
  // sorted because rings are drained one after the other. False: standard output is closed.
  bool Flush(uint64_t until_ns);
  // A finding that begins or has ended, as it is known at this time.
  void TakeFinding(const Finding& finding, uint64_t time_ns);
  // A command in flight, for the list that End() or SayOpen() prints.
  void TakeOpen(const lunscope_record& record, const Applied& applied);
  // Print the list of commands in flight, the oldest first, on standard error.
  void SayOpen();
  // Print all lines, the commands in flight, and the summary if it is wanted.
  void End();

  [[nodiscard]] bool is_done() const { return left_ == 0; }

 private:
  void TakeCommand(const lunscope_command_record& command, const Applied& applied,
                   uint8_t retries = 0);
  void TakeEvent(const lunscope_record& record, const Applied& applied);
  void TakePdu(const lunscope_record& record, const Connection& connection, int device_type);
  // Say once that a connection was open before lunscope.
  void Announce(const lunscope_record& record, const Connection& connection);

  using Line = std::pair<uint64_t, std::string>;  // its time, and its text

  // A command or a PDU as a line.
  template <typename Traced>
  [[nodiscard]] std::string TextOf(const Traced& traced) const;
  void Print(const Line& line);
  void PrintNames(std::FILE* to);
  // Print the commands in flight, the oldest first, and forget them.
  void PrintOpen(std::FILE* to);

  const LineOptions& options_;
  uint64_t left_;  // lines until the end
  const std::function<int64_t()> read_wall_clock_offset_ns_;
  int64_t wall_clock_offset_ns_;
  std::vector<Line> lines_;  // not printed yet
  std::vector<Line> open_;   // commands in flight, by their age
  DayMark days_;
  std::set<uint64_t> announced_;  // open connections that were announced
  ShortNames names_{kTargetColumns};
  Summary summary_;
};

}  // namespace lunscope
