// SPDX-License-Identifier: Apache-2.0
//
// iSCSI of this host that does not pass through the kernel's TCP in the clear, and so cannot be
// seen: iSER, adapters that speak iSCSI themselves, TLS. io_uring's zero-copy receive has no
// documented place that tells of it.
#pragma once

#include <string>
#include <vector>

#include "collector/base/finding.h"

namespace lunscope {

// Nothing found is a finding, too. sys: "/sys"; proc: "/proc"; target: as ReadLioPortals().
std::vector<Finding> FindUnseen(const std::string& sys, const std::string& proc,
                                const std::string& target);

}  // namespace lunscope
