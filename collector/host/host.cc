// SPDX-License-Identifier: Apache-2.0
#include "collector/host/host.h"

#include "collector/host/lio.h"
#include "collector/host/mounts.h"
#include "collector/host/tgt.h"

namespace lunscope {

std::vector<HostSession> ReadHostSessions() {
  std::vector<HostSession> sessions = ReadKernelInitiator("/sys");
  for (const std::vector<HostSession>& more :
       {ReadLioSessions(kLioFolder), ReadTgtSessions(kTgtFolder, kTgtLimit)})
    sessions.insert(sessions.end(), more.begin(), more.end());
  return sessions;
}

std::vector<HostSession> ReadLocalLuns() {
  std::vector<HostSession> sessions = ReadKernelInitiator("/sys", ReadMounts("/proc"));
  const std::vector<HostSession> more = ReadLioSessions(kLioFolder);
  sessions.insert(sessions.end(), more.begin(), more.end());
  return sessions;
}

}  // namespace lunscope
