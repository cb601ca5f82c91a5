// SPDX-License-Identifier: Apache-2.0
//
// How Linux writes a LUN as a number.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

namespace lunscope {

// The eight bytes of a LUN from the number that sysfs and configfs have for it: two by two, the
// first two lowest (int_to_scsilun() of drivers/scsi/scsi_common.c).
inline uint64_t LunOfKernel(const std::string& text) {
  const uint64_t number = std::strtoull(text.c_str(), nullptr, 10);
  return (number & 0xffff) << 48 | (number >> 16 & 0xffff) << 32 | (number >> 32 & 0xffff) << 16 |
         number >> 48;
}

}  // namespace lunscope
