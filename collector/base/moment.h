// SPDX-License-Identifier: Apache-2.0
//
// A moment as a person writes it: a date with a time, a time of day, or how long after the start.
// Pure but for the local time zone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace lunscope {

struct Moment {
  enum class Base {
    kEpoch,  // ns since 1970
    kDay,    // ns of the local day on which the start lies
    kStart,  // ns after the start
  };
  Base base = Base::kEpoch;
  int64_t ns = 0;

  // In nanoseconds since the epoch. start_ns: when the capture starts.
  [[nodiscard]] int64_t Resolve(int64_t start_ns) const;
};

// "2026-01-31T12:00:00.5Z" (without Z: in the local time zone; a blank may take the place of T),
// "12:00:00.5", "12:00", "+90s". nullopt for other text.
std::optional<Moment> ParseMoment(const std::string& text);

}  // namespace lunscope
