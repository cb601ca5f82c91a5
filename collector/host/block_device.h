// SPDX-License-Identifier: Apache-2.0
//
// A disk of this host and what is built of it, from sysfs: partitions, multipath maps, volumes.
#pragma once

#include <string>
#include <vector>

#include "collector/base/local_lun.h"
#include "collector/host/mounts.h"

namespace lunscope {

// The disk of this name ("sdb"), with the multipath map above it and the mounts of all that is
// built of it. sys: "/sys".
LocalLun ReadBlockDevice(const std::string& sys, const std::vector<Mount>& mounts,
                         const std::string& name);

}  // namespace lunscope
