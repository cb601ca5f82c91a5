// SPDX-License-Identifier: Apache-2.0
//
// The part of `lunscope check` that asks the host: which sockets listen, which sessions exist, and
// which iSCSI traffic cannot be seen. Returns after about two seconds at most, even if a tgtd does
// not answer.
#pragma once

#include <cstdint>
#include <vector>

#include "collector/base/check_result.h"
#include "collector/base/host_session.h"
#include "collector/host/portal.h"

namespace lunscope {

std::vector<CheckResult> SurveyHost(const std::vector<uint16_t>& ports);

// The parts of the survey. ports: those that are watched. A portal or session on another port is a
// warning.
std::vector<CheckResult> DescribePortals(const std::vector<Portal>& listeners,
                                         const std::vector<Portal>& portals,
                                         const std::vector<uint16_t>& ports);
std::vector<CheckResult> DescribeSessions(const std::vector<HostSession>& sessions,
                                          const std::vector<uint16_t>& ports);

}  // namespace lunscope
