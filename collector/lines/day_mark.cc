// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/day_mark.h"

#include <utility>

#include "collector/base/clock.h"

namespace lunscope {
namespace {

// Every time zone is whole quarters of an hour from UTC.
constexpr int64_t kQuarterNs = 15 * 60 * kNsPerSecond;

}  // namespace

DayMark::DayMark(int64_t now_ns) : day_(FormatDay(now_ns)), quarter_(now_ns / kQuarterNs) {}

std::string DayMark::Above(int64_t epoch_ns) {
  const int64_t quarter = epoch_ns / kQuarterNs;
  if (quarter == quarter_) return "";
  quarter_ = quarter;
  std::string day = FormatDay(epoch_ns);
  if (day == day_) return "";
  day_ = std::move(day);
  return day_;
}

}  // namespace lunscope
