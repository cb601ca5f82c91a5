// SPDX-License-Identifier: Apache-2.0
//
// The part of `lunscope check` that asks the kernel and this process.
#pragma once

#include <vector>

#include "collector/base/check_result.h"

namespace lunscope {

// The requirements, lockdown, kernel symbols, the memory of a socket, and modules. If every
// requirement is met, each hook is tried as well.
std::vector<CheckResult> CheckKernel();

}  // namespace lunscope
