// SPDX-License-Identifier: Apache-2.0
//
// Figures as a sentence has them.
#pragma once

#include <cstdint>
#include <string>

namespace lunscope {

// "0.31 ms", "42 ms", "5.3 s"
std::string TimeText(uint64_t ns);
// "71 %", of a share from 0 to 1.
std::string PercentText(double share);
// "once", "twice", "12 times"
std::string TimesText(uint64_t count);
// "9,997"
std::string NumberText(uint64_t number);
// "this host": where the finding was seen.
const char* EndText(uint8_t role);

}  // namespace lunscope
