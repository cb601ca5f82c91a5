// SPDX-License-Identifier: Apache-2.0
//
// Keys and values that several kinds of line write in the same way.
#pragma once

#include <cstdint>
#include <string_view>

#include "collector/base/json.h"
#include "collector/base/local_process.h"

namespace lunscope {

// The name itself, or "unknown" for an empty one.
std::string_view OrUnknown(std::string_view name);

// The end of an iSCSI connection in a row: "ini" or "tgt".
const char* EndName(uint8_t role);

// Adds "process", an object with id and comm, and with guest, cgroup and network_namespace where
// these are known. Adds nothing if the process is unknown.
void AddProcess(json::Members& line, const LocalProcess& process);

}  // namespace lunscope
