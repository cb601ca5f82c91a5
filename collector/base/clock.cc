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

}  // namespace

uint64_t MonotonicNs() { return static_cast<uint64_t>(ReadClock(CLOCK_MONOTONIC)); }

int64_t WallClockOffsetNs() { return ReadClock(CLOCK_REALTIME) - ReadClock(CLOCK_MONOTONIC); }

std::string FormatTime(int64_t epoch_ns) {
  const std::time_t seconds = epoch_ns / kNsPerSecond;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(seconds),
                     epoch_ns % kNsPerSecond / 1000);
}

std::string FormatTimeOfDay(int64_t epoch_ns) {
  const std::time_t seconds = epoch_ns / kNsPerSecond;
  return fmt::format("{:%H:%M:%S}.{:06}", fmt::localtime(seconds), epoch_ns % kNsPerSecond / 1000);
}

}  // namespace lunscope
