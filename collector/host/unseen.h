// SPDX-License-Identifier: Apache-2.0
//
// The iSCSI traffic of this host that does not pass through the kernel's TCP in the clear, so that
// lunscope cannot see it: iSER, adapters with an iSCSI stack of their own, and TLS. io_uring's
// zero-copy receive is left out, because nothing documented says which program uses it.
#pragma once

#include <string>
#include <vector>

#include "collector/base/check_result.h"

namespace lunscope {

// If there is no such traffic, one finding says so. sys: "/sys"; proc: "/proc"; lio: kLioFolder.
std::vector<CheckResult> FindUnseen(const std::string& sys, const std::string& proc,
                                    const std::string& lio);

}  // namespace lunscope
