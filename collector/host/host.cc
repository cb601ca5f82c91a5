// SPDX-License-Identifier: Apache-2.0
#include "collector/host/host.h"

namespace lunscope {

std::vector<HostSession> ReadHostSessions() {
  constexpr std::chrono::milliseconds kTgtLimit(1000);
  std::vector<HostSession> sessions = ReadKernelInitiator("/sys");
  for (const std::vector<HostSession>& more :
       {ReadLio("/sys/kernel/config/target"), ReadTgt("/var/run/tgtd", kTgtLimit)})
    sessions.insert(sessions.end(), more.begin(), more.end());
  return sessions;
}

}  // namespace lunscope
