// SPDX-License-Identifier: Apache-2.0
#include "collector/report/family.h"

#include "collector/report/names.h"

namespace lunscope {

void Families::AddPerRole(const char* name, const char* help, std::span<const uint8_t> roles,
                          const uint64_t (&values)[LUNSCOPE_ROLES]) {
  Family family = New(prometheus::MetricType::Counter, name, help);
  for (const uint8_t role : roles)
    family.Add({{"role", RoleLabel(role)}}, static_cast<double>(values[role]));
}

std::string LunLabel(uint64_t lun) {
  return lun == kOverflowLun ? std::string(kOverflowName) : FormatLun(lun);
}

void AddErrors(Family& family, const Labels& labels, const LunStatistics& lun) {
  const auto add = [&](const std::string& status, const std::string& sense_key, uint64_t count) {
    family.Add(With(With(labels, "status", status), "sense_key", sense_key),
               static_cast<double>(count));
  };
  constexpr std::pair<uint8_t, uint8_t> kIllegalRequest = {SCSI_STATUS_CHECK_CONDITION, 0x05};
  if (!lun.errors.contains(kIllegalRequest))
    add(StatusLabel(kIllegalRequest.first), SenseKeyLabel(kIllegalRequest.second), 0);
  for (const auto& [code, count] : lun.errors)
    add(StatusLabel(code.first), SenseKeyLabel(code.second), count);
  if (lun.target_failures != 0) add("target_failure", "none", lun.target_failures);
}

}  // namespace lunscope
