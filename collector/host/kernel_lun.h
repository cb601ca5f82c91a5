// SPDX-License-Identifier: Apache-2.0
//
// How Linux writes a LUN as a number.
#pragma once

#include <lunscope/scsi.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace lunscope {

// The eight bytes of a LUN on the wire, from the number that sysfs and configfs have for it.
inline uint64_t LunOfKernel(const std::string& text) {
  const uint64_t number = std::strtoull(text.c_str(), nullptr, 10);
  return scsi_wire_lun(number);
}

}  // namespace lunscope
