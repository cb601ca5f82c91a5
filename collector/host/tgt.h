// SPDX-License-Identifier: Apache-2.0
//
// tgt's targets, from "tgtadm --mode target --op show" and "--mode portal --op show". Every tgtd
// with a control socket is asked.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "collector/base/host_session.h"
#include "collector/host/portal.h"

namespace lunscope {

inline constexpr const char* kTgtFolder = "/var/run/tgtd";
// The time that all daemons of this host have together to answer.
inline constexpr std::chrono::milliseconds kTgtLimit(1000);

// One entry for each connection, and one for each target that has none (has_connection). A daemon
// that does not answer in time adds none.
// run_folder: where the control sockets are.
std::vector<HostSession> ReadTgtSessions(const std::string& run_folder,
                                         std::chrono::milliseconds limit);

// One entry for each portal.
std::vector<Portal> ReadTgtPortals(const std::string& run_folder, std::chrono::milliseconds limit);

// The sessions in the output of the two modes.
std::vector<HostSession> ParseTgt(const std::string& portals, const std::string& targets);

}  // namespace lunscope
