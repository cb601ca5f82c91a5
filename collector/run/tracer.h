// SPDX-License-Identifier: Apache-2.0
//
// Prints each completed command, or each PDU, on standard output as the records of it come in.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/result.h"
#include "collector/lines/summary.h"
#include "collector/lines/trace_line.h"
#include "collector/model/applied.h"
#include "collector/run/settings.h"

namespace lunscope {

class Tracer {
 public:
  // wall_clock_offset_ns: what to add to the records' times to have nanoseconds since the epoch, as
  // of now.
  Tracer(const LineOptions& options, std::function<int64_t()> wall_clock_offset_ns);

  void Begin();
  // applied: what the model made of the record.
  void Take(const lunscope_record& record, const Applied& applied);
  // The lines of what happened before until_ns go out in one piece, and in the order of their
  // times: rings are drained one after the other. False: nobody reads them any more.
  bool Flush(uint64_t until_ns);
  // Flush all, and the summary if it is wanted.
  void End();

  [[nodiscard]] bool is_done() const { return left_ == 0; }

 private:
  void TakeCommand(const lunscope_command_record& command, const Applied& applied,
                   uint8_t retries = 0);
  void TakeHeader(const lunscope_header_record& pdu, const Applied& applied);

  using Line = std::pair<uint64_t, std::string>;  // time and text

  const LineOptions& options_;
  uint64_t left_;
  const std::function<int64_t()> read_wall_clock_offset_ns_;
  int64_t wall_clock_offset_ns_;
  std::vector<Line> lines_;
  std::set<uint64_t> announced_;
  Summary summary_;
};

// What ends a program that cannot write to standard output.
Error OutputError();

}  // namespace lunscope
