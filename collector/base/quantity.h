// SPDX-License-Identifier: Apache-2.0
//
// Numbers, times and sizes as a person writes them: on a command line now, in a file later. Every
// option reads them here, so that "2s" and "512K" mean the same everywhere. The parsers are pure.
// They accept neither signs nor blanks nor exponents, and never round a number to make it fit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lunscope {

// A whole number: "20". nullopt if the text is something else, or does not fit 64 bits.
std::optional<uint64_t> ParseWholeNumber(std::string_view text);

// A time, in nanoseconds: "10ms", "2s", "1.5m". Units are us, ms, s, m and h. A number without a
// unit is in seconds. nullopt for other text, below one nanosecond for all but "0", and above 584
// years, which 64 bits do not hold.
std::optional<uint64_t> ParseDurationNs(std::string_view text);

// A size, in bytes: "4096", "512K", "2M", "1G". Units are powers of 1024.
std::optional<uint64_t> ParseBytes(std::string_view text);

// The same the other way, in the largest unit that leaves a whole number: "512K", "1000".
std::string FormatBytes(uint64_t bytes);

// So many of a thing: "1 session", "2 sessions".
std::string FormatCount(uint64_t count, std::string_view noun);

}  // namespace lunscope
