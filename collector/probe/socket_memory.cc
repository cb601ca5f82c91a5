// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/socket_memory.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "collector/base/files.h"

namespace lunscope {
namespace {

constexpr const char* kLimit = "/proc/sys/net/core/optmem_max";

}  // namespace

uint64_t ReadSocketMemoryLimit() { return std::strtoull(ReadLine(kLimit).c_str(), nullptr, 10); }

Result<SocketMemory> RaiseSocketMemory() {
  const uint64_t before = ReadSocketMemoryLimit();
  if (before >= kEnoughSocketMemory) return SocketMemory{before, before};
  std::ofstream(kLimit) << kEnoughSocketMemory;
  const uint64_t now = ReadSocketMemoryLimit();
  if (now >= kEnoughSocketMemory) return SocketMemory{before, now};
  return Error{ExitCode::kPermission,
               fmt::format("net.core.optmem_max is {} and lunscope may not raise it: connections "
                           "are not tracked while another program observes them, and no more than "
                           "some 200 commands of a connection are; run: sysctl -w "
                           "net.core.optmem_max={}",
                           now, kEnoughSocketMemory)};
}

}  // namespace lunscope
