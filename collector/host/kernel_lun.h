// SPDX-License-Identifier: Apache-2.0
//
// The LUN as sysfs and configfs write it: a decimal number.
#pragma once

#include <lunscope/scsi.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace lunscope {

// The eight bytes of the LUN on the wire.
inline uint64_t LunOfKernel(const std::string& text) {
  const uint64_t number = std::strtoull(text.c_str(), nullptr, 10);
  return scsi_wire_lun(number);
}

}  // namespace lunscope
