// SPDX-License-Identifier: Apache-2.0
#include "collector/report/scsi_metrics.h"

#include <functional>
#include <string>

#include "collector/report/family.h"
#include "collector/report/names.h"

namespace lunscope {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

#define LUNSCOPE_LABEL(name, label) label,
constexpr const char* kUnreportedReasons[] = {LUNSCOPE_SCSI_UNREPORTED_REASONS(LUNSCOPE_LABEL)};
constexpr const char* kRefusals[] = {LUNSCOPE_SCSI_REFUSALS(LUNSCOPE_LABEL)};
#undef LUNSCOPE_LABEL

class Renderer {
 public:
  Renderer(const Observation& observation, std::vector<MetricFamily>& out)
      : observation_(observation), layers_(*observation.layers), out_(out) {}

  void Render() {
    Commands();
    Luns();
    if (layers_.has_midlayer) Midlayer();
    if (layers_.joins) Joined();
    Conservation();
  }

 private:
  using TargetVisitor =
      std::function<void(const Labels&, const TargetKey&, const TargetStatistics&)>;
  using LunVisitor = std::function<void(const Labels&, const LunStatistics&)>;
  using OperationVisitor = std::function<void(const Labels&, const OperationStatistics&)>;

  Family NewFamily(MetricType type, const char* name, const char* help) {
    return Family(out_, type, name, help);
  }

  void EachTarget(const TargetVisitor& visit) const {
    for (const auto& [key, target] : observation_.snapshot.targets) {
      if (key.transport.empty()) continue;
      visit({{"role", RoleLabel(key.role)}, {"transport", key.transport}, {"target", key.name}},
            key, target);
    }
  }

  // role: LUNSCOPE_ROLE_UNKNOWN for both.
  void EachLun(uint8_t role, const LunVisitor& visit) const {
    EachTarget([&](const Labels& labels, const TargetKey& key, const TargetStatistics& target) {
      if (role != LUNSCOPE_ROLE_UNKNOWN && key.role != role) return;
      for (const auto& [number, lun] : target.luns)
        visit(With(labels, "lun", LunLabel(number)), lun);
    });
  }

  void EachOperation(const OperationVisitor& visit) const {
    EachLun(LUNSCOPE_ROLE_UNKNOWN, [&](const Labels& labels, const LunStatistics& lun) {
      for (size_t i = 0; i < lun.operations.size(); i++) {
        if (lun.operations[i])
          visit(With(labels, "operation", OperationLabel(i)), *lun.operations[i]);
      }
    });
  }

  void AddPerLun(uint8_t role, MetricType type, const char* name, const char* help,
                 const std::function<double(const LunStatistics&)>& value) {
    Family family = NewFamily(type, name, help);
    EachLun(role, [&](const Labels& labels, const LunStatistics& lun) {
      family.Add(labels, value(lun));
    });
  }

  void Commands() {
    {
      Family family = NewFamily(MetricType::Counter, "scsi_commands_total",
                                "Commands completed at a SCSI layer; a retry is one more.");
      EachOperation([&](const Labels& labels, const OperationStatistics& operation) {
        family.Add(labels, static_cast<double>(operation.duration_ns.count()));
      });
    }
    {
      Family family = NewFamily(MetricType::Counter, "scsi_command_errors_total",
                                "Commands of a SCSI layer completed with a status other than GOOD, "
                                "by status and sense key.");
      EachLun(LUNSCOPE_ROLE_UNKNOWN, [&](const Labels& labels, const LunStatistics& lun) {
        AddErrors(family, labels, lun);
      });
    }
    {
      Family family = NewFamily(MetricType::Histogram, "scsi_command_duration_seconds",
                                "Time from the dispatch of a command to a low-level driver "
                                "(initiator), or from its CDB's arrival at LIO (target), to its "
                                "status.");
      EachOperation([&](const Labels& labels, const OperationStatistics& operation) {
        family.AddHistogram(labels, operation.duration_ns, kNsPerSecond);
      });
    }
    Family family = NewFamily(MetricType::Histogram, "scsi_command_size_bytes",
                              "Data transferred by a command of a SCSI layer.");
    EachTarget([&](const Labels& labels, const TargetKey&, const TargetStatistics& target) {
      for (size_t i = 0; i < target.sizes.size(); i++) {
        if (target.sizes[i].count() != 0)
          family.AddHistogram(With(labels, "operation", OperationLabel(i)), target.sizes[i], 1);
      }
    });
  }

  void Luns() {
    AddPerLun(LUNSCOPE_ROLE_UNKNOWN, MetricType::Counter, "scsi_read_bytes_total",
              "Bytes that commands of a SCSI layer have read.",
              [](const LunStatistics& lun) { return static_cast<double>(lun.read_bytes); });
    AddPerLun(LUNSCOPE_ROLE_UNKNOWN, MetricType::Counter, "scsi_written_bytes_total",
              "Bytes that commands of a SCSI layer have written.",
              [](const LunStatistics& lun) { return static_cast<double>(lun.written_bytes); });
    AddPerLun(LUNSCOPE_ROLE_UNKNOWN, MetricType::Gauge, "scsi_outstanding_commands",
              "Commands of a SCSI layer in flight at the time of the scrape.",
              [](const LunStatistics& lun) { return static_cast<double>(lun.outstanding); });
    AddPerLun(LUNSCOPE_ROLE_UNKNOWN, MetricType::Gauge, "scsi_oldest_outstanding_command_seconds",
              "Age of the oldest command of a SCSI layer in flight; 0 if there is none.",
              [this](const LunStatistics& lun) {
                const uint64_t start = lun.oldest_start_ns;
                if (start == 0 || start > observation_.now_ns) return 0.0;
                return static_cast<double>(observation_.now_ns - start) / kNsPerSecond;
              });
    Family family = NewFamily(MetricType::Gauge, "scsi_lun_info",
                              "What a SCSI device said of itself to the kernel; always 1.");
    EachLun(LUNSCOPE_ROLE_INITIATOR, [&](const Labels& labels, const LunStatistics& lun) {
      if (lun.identity.vendor.empty()) return;
      family.Add(With(With(labels, "vendor", lun.identity.vendor), "model", lun.identity.product),
                 1);
    });
  }

  void Midlayer() {
    {
      Family family = NewFamily(MetricType::Counter, "scsi_host_errors_total",
                                "Commands that the low-level driver completed with a host status "
                                "other than DID_OK.");
      EachLun(LUNSCOPE_ROLE_INITIATOR, [&](const Labels& labels, const LunStatistics& lun) {
        for (const auto& [status, count] : lun.host_errors)
          family.Add(With(labels, "host_status", HostStatusLabel(status)),
                     static_cast<double>(count));
      });
    }
    AddPerLun(LUNSCOPE_ROLE_INITIATOR, MetricType::Counter, "scsi_retries_total",
              "Completed dispatches of a command that had been dispatched before and failed.",
              [](const LunStatistics& lun) { return static_cast<double>(lun.retries); });
    AddPerLun(LUNSCOPE_ROLE_INITIATOR, MetricType::Counter, "scsi_command_timeouts_total",
              "Times that the mid-layer's timer of a command ran out.",
              [](const LunStatistics& lun) { return static_cast<double>(lun.timeouts); });
    Family family = NewFamily(MetricType::Counter, "scsi_refused_dispatches_total",
                              "Commands that the low-level driver had no room for, counted where "
                              "it says so; they are dispatched again.");
    for (size_t i = 0; i < LUNSCOPE_SCSI_REFUSAL_COUNT; i++)
      family.Add({{"reason", kRefusals[i]}}, static_cast<double>(layers_.totals.refusals[i]));
  }

  // Only commands of iSCSI can be found on the wire.
  void Joined() {
    {
      Family family = NewFamily(MetricType::Histogram, "scsi_command_above_wire_seconds",
                                "Of commands that the mid-layer and the wire both showed: time at "
                                "the mid-layer less time "
                                "on the wire.");
      EachOperation([&](const Labels& labels, const OperationStatistics& operation) {
        if (operation.above_wire_ns.count() != 0)
          family.AddHistogram(labels, operation.above_wire_ns, kNsPerSecond);
      });
    }
    {
      Family family = NewFamily(MetricType::Counter, "scsi_wire_seconds_total",
                                "Of the same commands: time on the wire, from the command PDU to "
                                "its status PDU.");
      EachOperation([&](const Labels& labels, const OperationStatistics& operation) {
        if (operation.above_wire_ns.count() != 0)
          family.Add(labels, static_cast<double>(operation.wire_ns) / kNsPerSecond);
      });
    }
    AddPerLun(LUNSCOPE_ROLE_INITIATOR, MetricType::Counter, "scsi_unjoined_commands_total",
              "Commands of the kernel's iSCSI initiator that were not found on the wire.",
              [](const LunStatistics& lun) { return static_cast<double>(lun.unjoined); });
  }

  // commands_seen = reported + unreported (by reason) + in flight
  void Conservation() {
    AddPerRole("scsi_commands_seen_total", "Commands that a SCSI layer took, counted in its hook.",
               layers_.totals.commands_seen);
    AddPerRole("scsi_commands_reported_total",
               "Completed commands of a SCSI layer that have a record, counted where it is made.",
               layers_.totals.commands_reported);
    {
      Family family = NewFamily(MetricType::Counter, "scsi_commands_unreported_total",
                                "Commands that a SCSI layer took and that have no record.");
      for (const uint8_t role : Roles()) {
        for (size_t i = 0; i < LUNSCOPE_SCSI_UNREPORTED_COUNT; i++) {
          family.Add({{"role", RoleLabel(role)}, {"reason", kUnreportedReasons[i]}},
                     static_cast<double>(layers_.totals.commands_unreported[role][i]));
        }
      }
    }
    {
      Family family = NewFamily(MetricType::Gauge, "scsi_commands_in_flight",
                                "Commands of a SCSI layer in flight at the time of the scrape.");
      for (const uint8_t role : Roles()) {
        double in_flight = 0;
        EachLun(role, [&](const Labels&, const LunStatistics& lun) {
          in_flight += static_cast<double>(lun.outstanding);
        });
        family.Add({{"role", RoleLabel(role)}}, in_flight);
      }
    }
    AddPerRole("scsi_unmatched_completions_total",
               "Completions of a command whose start was not seen.",
               layers_.totals.unmatched_completions);
  }

  [[nodiscard]] std::vector<uint8_t> Roles() const {
    std::vector<uint8_t> roles;
    if (layers_.has_midlayer) roles.push_back(LUNSCOPE_ROLE_INITIATOR);
    if (layers_.has_target) roles.push_back(LUNSCOPE_ROLE_TARGET);
    return roles;
  }

  void AddPerRole(const char* name, const char* help, const uint64_t (&values)[LUNSCOPE_ROLES]) {
    Family family = NewFamily(MetricType::Counter, name, help);
    for (const uint8_t role : Roles())
      family.Add({{"role", RoleLabel(role)}}, static_cast<double>(values[role]));
  }

  const Observation& observation_;
  const LayersObservation& layers_;
  std::vector<MetricFamily>& out_;
};

}  // namespace

void AddScsiLayers(const Observation& observation, std::vector<MetricFamily>& out) {
  Renderer(observation, out).Render();
}

}  // namespace lunscope
