// SPDX-License-Identifier: Apache-2.0
#include "collector/base/moment.h"

#include <ctime>
#include <initializer_list>
#include <string_view>

#include "collector/base/clock.h"
#include "collector/base/quantity.h"

namespace lunscope {
namespace {

// The local midnight before this time.
std::time_t DayOf(std::time_t seconds) {
  std::tm local{};
  localtime_r(&seconds, &local);
  local.tm_hour = local.tm_min = local.tm_sec = 0;
  local.tm_isdst = -1;
  return std::mktime(&local);
}

// ".5": half a second; "": no fraction. nullopt for other text.
std::optional<int64_t> ParseFraction(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] != '.' || text.size() < 2 || text.size() > 10) return std::nullopt;
  int64_t ns = 0;
  int64_t unit = kNsPerSecond / 10;
  for (const char digit : text.substr(1)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    ns += (digit - '0') * unit;
    unit /= 10;
  }
  return ns;
}

}  // namespace

int64_t Moment::Resolve(int64_t start_ns) const {
  switch (base) {
    case Base::kEpoch: return ns;
    case Base::kDay: return DayOf(start_ns / kNsPerSecond) * kNsPerSecond + ns;
    case Base::kStart: break;
  }
  return start_ns + ns;
}

std::optional<Moment> ParseMoment(const std::string& text) {
  if (text.starts_with('+')) {
    const auto ns = ParseDurationNs(std::string_view(text).substr(1));
    if (!ns) return std::nullopt;
    return Moment{Moment::Base::kStart, static_cast<int64_t>(*ns)};
  }
  for (const char* form : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"}) {
    std::tm parts{};
    const char* end = strptime(text.c_str(), form, &parts);
    if (end == nullptr) continue;
    std::string_view rest(end);
    const bool is_utc = rest.ends_with('Z');
    if (is_utc) rest.remove_suffix(1);
    const auto fraction = ParseFraction(rest);
    if (!fraction) return std::nullopt;
    parts.tm_isdst = -1;
    const std::time_t seconds = is_utc ? timegm(&parts) : std::mktime(&parts);
    return Moment{Moment::Base::kEpoch, seconds * kNsPerSecond + *fraction};
  }
  for (const char* form : {"%H:%M:%S", "%H:%M"}) {
    std::tm parts{};
    const char* end = strptime(text.c_str(), form, &parts);
    if (end == nullptr) continue;
    const auto fraction = ParseFraction(end);
    if (!fraction) continue;
    const int64_t seconds = (parts.tm_hour * 60 + parts.tm_min) * 60 + parts.tm_sec;
    return Moment{Moment::Base::kDay, seconds * kNsPerSecond + *fraction};
  }
  return std::nullopt;
}

}  // namespace lunscope
