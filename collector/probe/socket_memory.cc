// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/socket_memory.h"

#include <fmt/format.h>

#include <fstream>

namespace lunscope {
namespace {

constexpr const char* kLimit = "/proc/sys/net/core/optmem_max";

uint64_t ReadLimit() {
  uint64_t bytes = 0;
  std::ifstream(kLimit) >> bytes;
  return bytes;
}

}  // namespace

Result<SocketMemory> RaiseSocketMemory() {
  const uint64_t before = ReadLimit();
  if (before >= kEnoughSocketMemory) return SocketMemory{before, before};
  std::ofstream(kLimit) << kEnoughSocketMemory;
  const uint64_t now = ReadLimit();
  if (now >= kEnoughSocketMemory) return SocketMemory{before, now};
  return Error{ExitCode::kPermission,
               fmt::format("net.core.optmem_max is {} and cannot be raised from here: connections "
                           "are not tracked while somebody else observes them, nor more than "
                           "some 200 commands of one; run: sysctl -w net.core.optmem_max={}",
                           now, kEnoughSocketMemory)};
}

}  // namespace lunscope
