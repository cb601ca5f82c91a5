// SPDX-License-Identifier: Apache-2.0
//
// LIO's iSCSI target, from its files in configfs
// (drivers/target/iscsi/iscsi_target_configfs.c): iscsi/<target>/tpgt_<n>/.
#pragma once

#include <string>
#include <vector>

#include "collector/base/host_session.h"
#include "collector/host/portal.h"

namespace lunscope {

inline constexpr const char* kLioFolder = "/sys/kernel/config/target";

// One entry for each connection in acls/<initiator>/info, and for each name in dynamic_sessions.
std::vector<HostSession> ReadLioSessions(const std::string& folder);

// One entry for each portal in np/.
std::vector<Portal> ReadLioPortals(const std::string& folder);

}  // namespace lunscope
