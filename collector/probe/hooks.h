// SPDX-License-Identifier: Apache-2.0
//
// Each hook, tried: a kernel can meet every requirement and still refuse.
#pragma once

#include <vector>

#include "collector/base/check_result.h"

namespace lunscope {

inline constexpr const char* kHooksGroup = "hooks";

// Load the programs, and attach each of them for a moment. Also find out which reader of packets
// they use, which walk, and whether they can hook the kernel's initiator. is_confidential: lockdown
// is in mode confidentiality. It is then the reason if the load fails.
// REQUIRES: every requirement of requirements.h is met.
std::vector<CheckResult> TryHooks(bool is_confidential);

}  // namespace lunscope
