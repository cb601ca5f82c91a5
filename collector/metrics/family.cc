// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/family.h"

#include "collector/names/names.h"

namespace lunscope {

void Families::AddPerRole(const char* name, const char* help, std::span<const uint8_t> roles,
                          const uint64_t (&values)[LUNSCOPE_ROLES], prometheus::MetricType type) {
  Family family = New(type, name, help);
  for (const uint8_t role : roles)
    family.Add({{"role", RoleLabel(role)}}, static_cast<double>(values[role]));
}

void Families::AddPerReason(const char* name, const char* help, std::span<const uint8_t> roles,
                            std::span<const char* const> reasons,
                            const std::function<uint64_t(uint8_t role, size_t reason)>& value) {
  Family family = New(prometheus::MetricType::Counter, name, help);
  for (const uint8_t role : roles) {
    for (size_t i = 0; i < reasons.size(); i++)
      family.Add({{"role", RoleLabel(role)}, {"reason", reasons[i]}},
                 static_cast<double>(value(role, i)));
  }
}

std::string LunLabel(uint64_t lun) {
  return lun == kOverflowLun ? std::string(kOverflowName) : FormatLun(lun);
}

}  // namespace lunscope
