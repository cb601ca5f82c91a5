// SPDX-License-Identifier: Apache-2.0
//
// The table at the end of a trace: commands by role and name, with counts, errors, bytes and
// quantiles of the duration.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>

#include "collector/lines/trace_line.h"
#include "collector/model/quantiles.h"

namespace lunscope {

class Summary {
 public:
  // is_by_lun: a row for each LUN of each target, too.
  explicit Summary(bool is_by_lun = false) : is_by_lun_(is_by_lun) {}

  void Add(const TracedCommand& command);
  // A header and one row for each role and command name: initiator before target, then the most
  // frequent first. Returns "" if no command was added.
  [[nodiscard]] std::string Format() const;

 private:
  struct Key {
    uint8_t role;
    std::string target;
    std::string lun;
    std::string name;

    auto operator<=>(const Key&) const = default;
  };
  struct Row {
    uint64_t bytes = 0;
    uint64_t errors = 0;
    Quantiles duration_ns;
  };
  bool is_by_lun_;
  std::map<Key, Row> rows_;
};

}  // namespace lunscope
