// SPDX-License-Identifier: Apache-2.0
#include "collector/diagnosis/words.h"

#include <fmt/format.h>
#include <lunscope/types.h>

namespace lunscope {

std::string TimeText(uint64_t ns) {
  const double ms = static_cast<double>(ns) / 1e6;
  if (ms < 10) return fmt::format("{:.2f} ms", ms);
  if (ms < 1000) return fmt::format("{:.0f} ms", ms);
  return fmt::format("{:.1f} s", ms / 1000);
}

std::string PercentText(double share) {
  const double percent = share * 100;
  return percent < 10 ? fmt::format("{:.1f} %", percent) : fmt::format("{:.0f} %", percent);
}

std::string TimesText(uint64_t count) {
  if (count == 1) return "once";
  if (count == 2) return "twice";
  return fmt::format("{} times", count);
}

std::string NumberText(uint64_t number) {
  std::string text = fmt::to_string(number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

const char* EndText(uint8_t role) {
  return role == LUNSCOPE_ROLE_TARGET ? "the target's host" : "the initiator's host";
}

}  // namespace lunscope
