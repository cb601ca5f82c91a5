// SPDX-License-Identifier: Apache-2.0
#include "collector/base/clock.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace lunscope {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

int64_t ReadClock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

struct SplitTime {
  std::time_t seconds;
  int64_t ns;  // from 0 on
};

// A capture file can say that it is from before 1970.
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

}  // namespace lunscope
