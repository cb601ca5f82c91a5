// SPDX-License-Identifier: Apache-2.0
//
// Vital product data of a logical unit: the pages of INQUIRY with EVPD that say which one it is
// (SPC-5 section 7.7). Functions without state.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace lunscope {

inline constexpr uint8_t kUnitSerialNumberPage = 0x80;
inline constexpr uint8_t kDeviceIdentificationPage = 0x83;

// Both take the first bytes of a page, of any page, and leave `text` alone if they say nothing.

// The unit serial number, printable and without padding (SPC-5 section 7.7.15).
void ReadSerialNumber(std::span<const uint8_t> page, std::string& text);

// The name of the logical unit (SPC-5 section 7.7.6), as the file `wwid` in sysfs has it: "naa."
// and hex digits, else "eui." and hex digits, else its SCSI name string, else "t10." and a text.
void ReadWorldWideName(std::span<const uint8_t> page, std::string& text);

}  // namespace lunscope
