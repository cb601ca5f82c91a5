// SPDX-License-Identifier: Apache-2.0
//
// LUNs on this host, for a program and for a person.
#pragma once

#include <string>

#include "collector/base/json.h"
#include "collector/base/local_lun.h"

namespace lunscope {

// Adds the array "luns", unless it would be empty.
void AddLocalLuns(json::Members& line, const LocalLuns& luns);

// "    LUN 1 is sdb, a path of mpatha, mounted at /srv, /mnt", and a line end, for each.
std::string LocalLunLines(const LocalLuns& luns);

}  // namespace lunscope
