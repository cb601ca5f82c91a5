// SPDX-License-Identifier: Apache-2.0
//
// What `lunscope check` asks of the host: who listens where, which sessions there are, and what of
// them cannot be seen. Takes at most about two seconds, whatever hangs.
#pragma once

#include <cstdint>
#include <vector>

#include "collector/base/finding.h"
#include "collector/base/host_session.h"
#include "collector/host/portals.h"

namespace lunscope {

std::vector<Finding> SurveyHost(const std::vector<uint16_t>& ports);

// Its parts. A portal or session on another port than those that are watched is a warning.
std::vector<Finding> DescribePortals(const std::vector<Portal>& listeners,
                                     const std::vector<Portal>& portals,
                                     const std::vector<uint16_t>& ports);
std::vector<Finding> DescribeSessions(const std::vector<HostSession>& sessions,
                                      const std::vector<uint16_t>& ports);

}  // namespace lunscope
