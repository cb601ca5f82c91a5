// SPDX-License-Identifier: Apache-2.0
#include "collector/base/clock.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace lunscope {
namespace {

int64_t ReadClock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

struct SplitTime {
  std::time_t seconds;
  int64_t ns;  // never negative
};

// Rounds down. A capture file may have times before 1970, which are negative.
SplitTime Split(int64_t epoch_ns) {
  const int64_t ns = (epoch_ns % kNsPerSecond + kNsPerSecond) % kNsPerSecond;
  return {epoch_ns / kNsPerSecond - (epoch_ns < 0 && ns != 0 ? 1 : 0), ns};
}

}  // namespace

uint64_t MonotonicNs() { return static_cast<uint64_t>(ReadClock(CLOCK_MONOTONIC)); }

int64_t WallClockOffsetNs() { return ReadClock(CLOCK_REALTIME) - ReadClock(CLOCK_MONOTONIC); }

std::string FormatTime(int64_t epoch_ns) {
  const auto [seconds, ns] = Split(epoch_ns);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(seconds), ns / 1000);
}

std::string FormatTimeOfDay(int64_t epoch_ns) {
  const auto [seconds, ns] = Split(epoch_ns);
  return fmt::format("{:%H:%M:%S}.{:06}", fmt::localtime(seconds), ns / 1000);
}

std::string FormatDay(int64_t epoch_ns) {
  return fmt::format("{:%Y-%m-%d %z}", fmt::localtime(Split(epoch_ns).seconds));
}

std::string FormatDuration(uint64_t ns) {
  const auto value = static_cast<double>(ns);
  // Each limit is the least value whose one decimal would round up to the next unit.
  if (ns < 999'950) return fmt::format("{:.1f}us", value / 1e3);
  if (ns < 999'950'000) return fmt::format("{:.1f}ms", value / 1e6);
  return fmt::format("{:.1f}s", value / 1e9);
}

}  // namespace lunscope
