// SPDX-License-Identifier: Apache-2.0
//
// The table at the end of a trace: commands by role and name, with counts, errors, bytes and
// quantiles of the duration.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "collector/lines/trace_line.h"
#include "collector/model/quantiles.h"

namespace lunscope {

class Summary {
 public:
  void Add(const TracedCommand& command);
  // A header and one row for each role and command name: initiator before target, then the most
  // frequent first. Rows have at most 120 columns. Returns "" if no command was added.
  [[nodiscard]] std::string Format() const;

 private:
  struct Row {
    uint64_t bytes = 0;
    uint64_t errors = 0;
    Quantiles duration_ns;
  };
  std::map<std::pair<uint8_t, std::string>, Row> rows_;
};

}  // namespace lunscope
