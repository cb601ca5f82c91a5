// SPDX-License-Identifier: Apache-2.0
//
// Hosts of a size, for benchmarks: what their model knows after the logins, and the commands that
// they go on with.
#pragma once

#include <cstdint>
#include <functional>

#include "collector/model/model.h"
#include "tests/model/tape.h"

namespace lunscope {

struct Shape {
  uint64_t connections = 1;  // each a session of its own
  uint64_t targets = 1;      // connection i goes to target i % targets
  uint64_t luns = 1;         // of each target, at most 256
  uint64_t operations = 1;   // of each LUN: read, write, flush, other, control
};

// 100,000 series, about a fifth of them the sessions'; and a tenth and a hundredth of it.
inline constexpr Shape kManySeries = {10'000, 100, 14, 2};
inline constexpr Shape kSomeSeries = {1'000, 10, 14, 2};
inline constexpr Shape kFewSeries = {100, 1, 14, 2};

// The records of the beginning: each connection logs in, each LUN tells what it is and is sent a
// command of each operation.
void Begin(const Shape& shape, const std::function<void(const lunscope_record&)>& take);

// So many commands, on connections, LUNs and operations by chance, the same each time.
Tape Commands(const Shape& shape, size_t records);

// The records of a scrape's walk: the counters of each connection.
void Walk(const Shape& shape, const std::function<void(const lunscope_record&)>& take);

}  // namespace lunscope
