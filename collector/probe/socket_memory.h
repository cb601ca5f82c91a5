// SPDX-License-Identifier: Apache-2.0
//
// What is kept of a connection is charged to its socket, and net.core.optmem_max says how much that
// may be. "net: increase optmem_max default value" (4944566706b2, Linux 6.8) raised the default
// from 20 to 128 KiB; 20 are enough for one observer, and for no more than LUNSCOPE_COMMANDS
// commands.
#pragma once

#include <cstdint>
#include <string>

#include "collector/base/result.h"

namespace lunscope {

inline constexpr uint64_t kEnoughSocketMemory = 128 * 1024;

struct SocketMemory {
  uint64_t before;  // bytes
  uint64_t now;
};

// Raise the limit to kEnoughSocketMemory where it is lower. The error says what it means that it
// cannot be: a warning, for the programs run all the same.
Result<SocketMemory> RaiseSocketMemory();

}  // namespace lunscope
