// SPDX-License-Identifier: Apache-2.0
//
// Rows have the time of day. The day stands in a line above the first row of each other day.
#pragma once

#include <cstdint>
#include <string>

namespace lunscope {

class DayMark {
 public:
  // now_ns: nanoseconds since the epoch. Rows of that day come first without a line.
  explicit DayMark(int64_t now_ns);

  // The line above a row of this time, "2026-01-31 +0000"; "": it needs none.
  std::string Above(int64_t epoch_ns);

 private:
  std::string day_;  // of the last row
  int64_t quarter_;  // in quarter hours since the epoch, when that was: each day ends with one
};

}  // namespace lunscope
