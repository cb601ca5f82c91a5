// SPDX-License-Identifier: Apache-2.0
//
// What a trace saw in all: commands by role and name, with bytes, errors and latency quantiles.
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
  // A table, one row for each role and command name, most frequent first. "" if nothing was added.
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
