// SPDX-License-Identifier: Apache-2.0
//
// Each hook, tried: a kernel can meet every requirement and still refuse.
#pragma once

#include <vector>

#include "collector/base/finding.h"

namespace lunscope {

inline constexpr const char* kHooksGroup = "hooks";

// Load the programs, and attach each of them for a moment. Also find out which reader of packets
// and which walk they use, and whether the kernel's initiator can be hooked. is_confidential:
// lockdown is in mode confidentiality, and so the reason if the load fails. REQUIRES: every
// requirement of requirements.h is met.
std::vector<Finding> TryHooks(bool is_confidential);

}  // namespace lunscope
