// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/catalogue.h"
#include "collector/metrics/statistics_families.h"

namespace lunscope {

using prometheus::MetricType;

void AddCommands(const Observation& observation, Families& families) {
  const Walk walk(observation.snapshot, Walk::kIscsi);
  StatisticsFamilies statistics(walk, families);
  statistics.AddCommands("commands_total", "SCSI commands completed, from their status PDU.");
  statistics.AddErrors(
      "command_errors_total",
      "SCSI commands completed with a status other than GOOD, by status and sense key.");
  statistics.AddDurations("command_duration_seconds",
                          "Time from a command PDU to its status PDU, both as this end of "
                          "the connection saw them.");
  statistics.AddSizes("command_size_bytes",
                      "Data transferred by a command, from its data segments.");
  statistics.AddReadBytes("read_bytes_total",
                          "Bytes in Data-In data segments of completed commands.");
  statistics.AddWrittenBytes(
      "written_bytes_total",
      "Bytes in immediate and Data-Out data segments of completed commands.");
  statistics.AddOutstanding(
      "outstanding_commands",
      "Commands without a status at the time of the scrape, from the in-flight tables.");
  statistics.AddOldest("oldest_outstanding_command_seconds",
                       "Age of the oldest command without a status; 0 if there is none.",
                       observation.now_ns);
  statistics.AddLunInfo(LUNSCOPE_ROLE_UNKNOWN, "lun_info",
                        "What a LUN said of itself in INQUIRY data; always 1.");
  Family family = families.New(MetricType::Gauge, "lun_capacity_bytes",
                               "Capacity of a LUN, from READ CAPACITY data.");
  walk.EachLun(LUNSCOPE_ROLE_UNKNOWN, [&](const Labels& labels, const LunStatistics& lun) {
    if (lun.identity.capacity_bytes != 0)
      family.Add(labels, static_cast<double>(lun.identity.capacity_bytes));
  });
}

}  // namespace lunscope
