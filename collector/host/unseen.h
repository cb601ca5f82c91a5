// SPDX-License-Identifier: Apache-2.0
//
// The iSCSI traffic of this host that lunscope cannot see, because it does not pass through the
// kernel's TCP in the clear: iSER, adapters with an iSCSI stack of their own, and TLS. Nothing
// documented says whether a program uses io_uring's zero-copy receive, so that is left out.
#pragma once

#include <string>
#include <vector>

#include "collector/base/finding.h"

namespace lunscope {

// If there is no such traffic, one finding says so. sys: "/sys"; proc: "/proc"; lio: kLioFolder.
std::vector<Finding> FindUnseen(const std::string& sys, const std::string& proc,
                                const std::string& lio);

}  // namespace lunscope
