// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/statistics_families.h"

#include "collector/names/names.h"

namespace lunscope {
namespace {

// By status and sense key. A LUN without errors has its zero, so that a first error is an increase.
void AddErrorsOf(Family& family, const Labels& labels, const LunStatistics& lun) {
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

}  // namespace

using prometheus::MetricType;

void StatisticsFamilies::AddCommands(const char* name, const char* help) {
  Family family = families_.New(MetricType::Counter, name, help);
  walk_.EachOperation([&](const Labels& labels, const OperationStatistics& operation) {
    family.Add(labels, static_cast<double>(operation.duration_ns.count()));
  });
}

void StatisticsFamilies::AddErrors(const char* name, const char* help) {
  Family family = families_.New(MetricType::Counter, name, help);
  walk_.EachLun(LUNSCOPE_ROLE_UNKNOWN, [&](const Labels& labels, const LunStatistics& lun) {
    AddErrorsOf(family, labels, lun);
  });
}

void StatisticsFamilies::AddDurations(const char* name, const char* help) {
  Family family = families_.New(MetricType::Histogram, name, help);
  walk_.EachOperation([&](const Labels& labels, const OperationStatistics& operation) {
    family.AddHistogram(labels, operation.duration_ns, kNsPerSecond);
  });
}

void StatisticsFamilies::AddSizes(const char* name, const char* help) {
  Family family = families_.New(MetricType::Histogram, name, help);
  walk_.EachTarget([&](const Labels& labels, const TargetKey&, const TargetStatistics& target) {
    for (size_t i = 0; i < target.sizes.size(); i++) {
      if (target.sizes[i].count() != 0)
        family.AddHistogram(With(labels, "operation", OperationLabel(i)), target.sizes[i], 1);
    }
  });
}

void StatisticsFamilies::AddReadBytes(const char* name, const char* help) {
  AddPerLun(LUNSCOPE_ROLE_UNKNOWN, MetricType::Counter, name, help,
            [](const LunStatistics& lun) { return static_cast<double>(lun.read_bytes); });
}

void StatisticsFamilies::AddWrittenBytes(const char* name, const char* help) {
  AddPerLun(LUNSCOPE_ROLE_UNKNOWN, MetricType::Counter, name, help,
            [](const LunStatistics& lun) { return static_cast<double>(lun.written_bytes); });
}

void StatisticsFamilies::AddOutstanding(const char* name, const char* help) {
  AddPerLun(LUNSCOPE_ROLE_UNKNOWN, MetricType::Gauge, name, help,
            [](const LunStatistics& lun) { return static_cast<double>(lun.outstanding); });
}

void StatisticsFamilies::AddOldest(const char* name, const char* help, uint64_t now_ns) {
  AddPerLun(LUNSCOPE_ROLE_UNKNOWN, MetricType::Gauge, name, help,
            [now_ns](const LunStatistics& lun) { return OldestSeconds(lun, now_ns); });
}

void StatisticsFamilies::AddPerLun(uint8_t role, MetricType type, const char* name,
                                   const char* help, const LunValue& value) {
  Family family = families_.New(type, name, help);
  walk_.EachLun(role, [&](const Labels& labels, const LunStatistics& lun) {
    family.Add(labels, value(lun));
  });
}

void StatisticsFamilies::AddLunInfo(uint8_t role, const char* name, const char* help) {
  Family family = families_.New(MetricType::Gauge, name, help);
  walk_.EachLun(role, [&](const Labels& labels, const LunStatistics& lun) {
    if (lun.identity.vendor.empty()) return;
    family.Add(With(With(labels, "vendor", lun.identity.vendor), "model", lun.identity.product), 1);
  });
}

void StatisticsFamilies::AddInFlight(const char* name, const char* help,
                                     std::span<const uint8_t> roles) {
  Family family = families_.New(MetricType::Gauge, name, help);
  for (const uint8_t role : roles) family.Add({{"role", RoleLabel(role)}}, walk_.Outstanding(role));
}

}  // namespace lunscope
