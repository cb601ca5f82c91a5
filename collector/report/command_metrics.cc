// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "collector/report/catalogue.h"
#include "collector/report/names.h"
#include "collector/report/walk.h"

namespace lunscope {
namespace {

using prometheus::MetricType;

class Renderer {
 public:
  Renderer(const Observation& observation, Families& families)
      : now_ns_(observation.now_ns),
        walk_(observation.snapshot, Walk::kIscsi),
        families_(families) {}

  void Commands() {
    {
      Family family = families_.New(MetricType::Counter, "commands_total",
                                    "SCSI commands completed, from their status PDU.");
      walk_.EachOperation([&](const Labels& labels, const OperationStatistics& operation) {
        family.Add(labels, static_cast<double>(operation.duration_ns.count()));
      });
    }
    {
      Family family = families_.New(
          MetricType::Counter, "command_errors_total",
          "SCSI commands completed with a status other than GOOD, by status and sense key.");
      walk_.EachLun(LUNSCOPE_ROLE_UNKNOWN, [&](const Labels& labels, const LunStatistics& lun) {
        AddErrors(family, labels, lun);
      });
    }
    {
      Family family =
          families_.New(MetricType::Histogram, "command_duration_seconds",
                        "Time from a command PDU to its status PDU, both as this end of "
                        "the connection saw them.");
      walk_.EachOperation([&](const Labels& labels, const OperationStatistics& operation) {
        family.AddHistogram(labels, operation.duration_ns, kNsPerSecond);
      });
    }
    Family family = families_.New(MetricType::Histogram, "command_size_bytes",
                                  "Data transferred by a command, from its data segments.");
    walk_.EachTarget([&](const Labels& labels, const TargetKey&, const TargetStatistics& target) {
      for (size_t i = 0; i < target.sizes.size(); i++) {
        if (target.sizes[i].count() != 0)
          family.AddHistogram(With(labels, "operation", OperationLabel(i)), target.sizes[i], 1);
      }
    });
  }

  void Luns() {
    AddPerLun(MetricType::Counter, "read_bytes_total",
              "Bytes in Data-In data segments of completed commands.",
              [](const LunStatistics& lun) { return static_cast<double>(lun.read_bytes); });
    AddPerLun(MetricType::Counter, "written_bytes_total",
              "Bytes in immediate and Data-Out data segments of completed commands.",
              [](const LunStatistics& lun) { return static_cast<double>(lun.written_bytes); });
    AddPerLun(MetricType::Gauge, "outstanding_commands",
              "Commands without a status at the time of the scrape, from the in-flight tables.",
              [](const LunStatistics& lun) { return static_cast<double>(lun.outstanding); });
    AddPerLun(MetricType::Gauge, "oldest_outstanding_command_seconds",
              "Age of the oldest command without a status; 0 if there is none.",
              [this](const LunStatistics& lun) { return OldestSeconds(lun, now_ns_); });
    {
      Family family = families_.New(MetricType::Gauge, "lun_info",
                                    "What a LUN said of itself in INQUIRY data; always 1.");
      walk_.EachLun(LUNSCOPE_ROLE_UNKNOWN, [&](const Labels& labels, const LunStatistics& lun) {
        if (lun.identity.vendor.empty()) return;
        family.Add(With(With(labels, "vendor", lun.identity.vendor), "model", lun.identity.product),
                   1);
      });
    }
    Family family = families_.New(MetricType::Gauge, "lun_capacity_bytes",
                                  "Capacity of a LUN, from READ CAPACITY data.");
    walk_.EachLun(LUNSCOPE_ROLE_UNKNOWN, [&](const Labels& labels, const LunStatistics& lun) {
      if (lun.identity.capacity_bytes != 0)
        family.Add(labels, static_cast<double>(lun.identity.capacity_bytes));
    });
  }

 private:
  void AddPerLun(MetricType type, const char* name, const char* help,
                 const std::function<double(const LunStatistics&)>& value) {
    Family family = families_.New(type, name, help);
    walk_.EachLun(LUNSCOPE_ROLE_UNKNOWN, [&](const Labels& labels, const LunStatistics& lun) {
      family.Add(labels, value(lun));
    });
  }

  const uint64_t now_ns_;
  const Walk walk_;
  Families& families_;
};

}  // namespace

void AddCommands(const Observation& observation, Families& families) {
  Renderer renderer(observation, families);
  renderer.Commands();
  renderer.Luns();
}

}  // namespace lunscope
