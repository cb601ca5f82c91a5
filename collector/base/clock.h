// SPDX-License-Identifier: Apache-2.0
//
// The clocks of the host. Records carry CLOCK_MONOTONIC, people read wall-clock time.
#pragma once

#include <cstdint>
#include <string>

namespace lunscope {

uint64_t MonotonicNs();

// What to add to a CLOCK_MONOTONIC time to have nanoseconds since the epoch, as of now.
int64_t WallClockOffsetNs();

// "2026-01-31T12:00:00.123456Z"
std::string FormatTime(int64_t epoch_ns);

// "12:00:00.123456", in the local time zone.
std::string FormatTimeOfDay(int64_t epoch_ns);

}  // namespace lunscope
