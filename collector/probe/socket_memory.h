// SPDX-License-Identifier: Apache-2.0
//
// The memory that a socket may have. The kernel charges a connection's state to the socket, up to
// net.core.optmem_max. "net: increase optmem_max default value" (4944566706b2, Linux 6.8)
// raised the default from 20 to 128 KiB. 20 KiB are enough for one observer that tracks
// LUNSCOPE_COMMANDS commands.
#pragma once

#include <cstdint>

#include "collector/base/result.h"

namespace lunscope {

inline constexpr uint64_t kEnoughSocketMemory = 128 * 1024;

struct SocketMemory {
  uint64_t before;  // bytes
  uint64_t now;
};

// net.core.optmem_max; 0 if it cannot be read.
uint64_t ReadSocketMemoryLimit();

// Raise the limit to kEnoughSocketMemory if it is lower. If that fails, the error says what
// follows. It is only a warning, because the programs run all the same.
Result<SocketMemory> RaiseSocketMemory();

}  // namespace lunscope
