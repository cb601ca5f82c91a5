// SPDX-License-Identifier: Apache-2.0
#include "collector/report/catalogue.h"
#include "collector/report/statistics_families.h"

namespace lunscope {
namespace {

using prometheus::MetricType;

void AddStatistics(StatisticsFamilies& statistics) {
  statistics.AddCommands("commands_total", "SCSI commands completed, from their status PDU.");
  statistics.AddErrors(
      "command_errors_total",
      "SCSI commands completed with a status other than GOOD, by status and sense key.");
  statistics.AddDurations("command_duration_seconds",
                          "Time from a command PDU to its status PDU, both as this end of "
                          "the connection saw them.");
  statistics.AddSizes("command_size_bytes",
                      "Data transferred by a command, from its data segments.");
}

void AddLuns(const Walk& walk, uint64_t now_ns, Families& families) {
  StatisticsFamilies statistics(walk, families);
  const auto add = [&](MetricType type, const char* name, const char* help,
                       const StatisticsFamilies::LunValue& value) {
    statistics.AddPerLun(LUNSCOPE_ROLE_UNKNOWN, type, name, help, value);
  };
  add(MetricType::Counter, "read_bytes_total",
      "Bytes in Data-In data segments of completed commands.",
      [](const LunStatistics& lun) { return static_cast<double>(lun.read_bytes); });
  add(MetricType::Counter, "written_bytes_total",
      "Bytes in immediate and Data-Out data segments of completed commands.",
      [](const LunStatistics& lun) { return static_cast<double>(lun.written_bytes); });
  add(MetricType::Gauge, "outstanding_commands",
      "Commands without a status at the time of the scrape, from the in-flight tables.",
      [](const LunStatistics& lun) { return static_cast<double>(lun.outstanding); });
  add(MetricType::Gauge, "oldest_outstanding_command_seconds",
      "Age of the oldest command without a status; 0 if there is none.",
      [now_ns](const LunStatistics& lun) { return OldestSeconds(lun, now_ns); });
  statistics.AddLunInfo(LUNSCOPE_ROLE_UNKNOWN, "lun_info",
                        "What a LUN said of itself in INQUIRY data; always 1.");
  Family family = families.New(MetricType::Gauge, "lun_capacity_bytes",
                               "Capacity of a LUN, from READ CAPACITY data.");
  walk.EachLun(LUNSCOPE_ROLE_UNKNOWN, [&](const Labels& labels, const LunStatistics& lun) {
    if (lun.identity.capacity_bytes != 0)
      family.Add(labels, static_cast<double>(lun.identity.capacity_bytes));
  });
}

}  // namespace

void AddCommands(const Observation& observation, Families& families) {
  const Walk walk(observation.snapshot, Walk::kIscsi);
  StatisticsFamilies statistics(walk, families);
  AddStatistics(statistics);
  AddLuns(walk, observation.now_ns, families);
}

}  // namespace lunscope
