// SPDX-License-Identifier: Apache-2.0
#include "collector/base/hardening.h"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace lunscope {

void HardenProcess() {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

}  // namespace lunscope
