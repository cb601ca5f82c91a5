// SPDX-License-Identifier: Apache-2.0
//
// The clocks of the host, and times as text. Records carry times of CLOCK_MONOTONIC; people read
// wall-clock time.
#pragma once

#include <cstdint>
#include <string>

namespace lunscope {

inline constexpr int64_t kNsPerSecond = 1'000'000'000;

uint64_t MonotonicNs();

// Nanoseconds to add to a time of CLOCK_MONOTONIC to get nanoseconds since the epoch, as of now.
int64_t WallClockOffsetNs();

// Nanoseconds since the epoch, as of now.
inline int64_t WallClockNs() { return static_cast<int64_t>(MonotonicNs()) + WallClockOffsetNs(); }

// In UTC: "2026-01-31T12:00:00.123456Z". The rest of a microsecond is dropped.
std::string FormatTime(int64_t epoch_ns);

// In the local time zone: "12:00:00.123456".
std::string FormatTimeOfDay(int64_t epoch_ns);

// The day in the local time zone, with the zone: "2026-01-31 +0000".
std::string FormatDay(int64_t epoch_ns);

// "87.1us", "1.2ms", "3.4s"
std::string FormatDuration(uint64_t ns);

}  // namespace lunscope
