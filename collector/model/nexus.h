// SPDX-License-Identifier: Apache-2.0
//
// A nexus of a SCSI layer: an initiator, a target and a LUN (SAM-5 4.7), as the mid-layer or LIO
// describes it. Data only; Layers fills it in.
#pragma once

#include <cstdint>
#include <string>

#include "collector/model/series.h"

namespace lunscope {

struct Nexus : Origin {
  uint64_t id = 0;         // with LUNSCOPE_NEXUS_BIT
  uint64_t last_used = 0;  // the lower, the longer ago
  bool is_iscsi = false;   // it has an iSCSI session of this host
  std::string initiator;   // as LIO names it; the mid-layer has no name
  std::string device;      // of the mid-layer: "host:channel:id:lun"; "" for LIO
  uint32_t host = 0;       // of the device
  uint64_t lun = 0;        // of the device
};

}  // namespace lunscope
