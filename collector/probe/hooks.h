// SPDX-License-Identifier: Apache-2.0
//
// Each hook, tried: requirements can be met and the kernel still refuse.
#pragma once

#include <vector>

#include "collector/base/finding.h"

namespace lunscope {

// Load the programs and attach each of them for a moment; which reader of skbs they have; and
// whether the kernel's initiator can be hooked. is_confidential: of lockdown, which then is to
// blame. REQUIRES: every requirement of preflight.h is met.
std::vector<Finding> TryHooks(bool is_confidential);

}  // namespace lunscope
