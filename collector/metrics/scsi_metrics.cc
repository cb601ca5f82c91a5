// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/catalogue.h"
#include "collector/metrics/statistics_families.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

using prometheus::MetricType;

#define LUNSCOPE_LABEL(name, label) label,
constexpr const char* kScsiUnreportedReasons[] = {LUNSCOPE_SCSI_UNREPORTED_REASONS(LUNSCOPE_LABEL)};
constexpr const char* kRefusals[] = {LUNSCOPE_SCSI_REFUSALS(LUNSCOPE_LABEL)};
#undef LUNSCOPE_LABEL

class ScsiRenderer {
 public:
  ScsiRenderer(const Observation& observation, Families& families)
      : observation_(observation),
        layers_(*observation.layers),
        walk_(observation.snapshot, Walk::kScsiLayers),
        families_(families),
        statistics_(walk_, families) {}

  void Render() {
    Commands();
    Luns();
    if (layers_.has_midlayer) Midlayer();
    if (layers_.joins) Joined();
    Conservation();
  }

 private:
  void Commands() {
    statistics_.AddCommands("scsi_commands_total",
                            "Commands completed at a SCSI layer; a retry is one more.");
    statistics_.AddErrors("scsi_command_errors_total",
                          "Commands of a SCSI layer completed with a status other than GOOD, "
                          "by status and sense key.");
    statistics_.AddDurations("scsi_command_duration_seconds",
                             "Time from the dispatch of a command to a low-level driver "
                             "(initiator), or from its CDB's arrival at LIO (target), to its "
                             "status.");
    statistics_.AddSizes("scsi_command_size_bytes",
                         "Data transferred by a command of a SCSI layer.");
  }

  void Luns() {
    statistics_.AddReadBytes("scsi_read_bytes_total",
                             "Bytes that commands of a SCSI layer have read.");
    statistics_.AddWrittenBytes("scsi_written_bytes_total",
                                "Bytes that commands of a SCSI layer have written.");
    statistics_.AddOutstanding("scsi_outstanding_commands",
                               "Commands of a SCSI layer in flight at the time of the scrape.");
    statistics_.AddOldest(
        "scsi_oldest_outstanding_command_seconds",
        "Age of the oldest command of a SCSI layer in flight; 0 if there is none.",
        observation_.now_ns);
    statistics_.AddLunInfo(LUNSCOPE_ROLE_INITIATOR, "scsi_lun_info",
                           "What a SCSI device said of itself to the kernel; always 1.");
  }

  void Midlayer() {
    {
      Family family =
          families_.New(MetricType::Counter, "scsi_host_errors_total",
                        "Commands that the low-level driver completed with a host status "
                        "other than DID_OK.");
      walk_.EachLun(LUNSCOPE_ROLE_INITIATOR, [&](const Labels& labels, const LunStatistics& lun) {
        for (const auto& [status, count] : lun.host_errors)
          family.Add(With(labels, "host_status", HostStatusLabel(status)),
                     static_cast<double>(count));
      });
    }
    statistics_.AddPerLun(
        LUNSCOPE_ROLE_INITIATOR, MetricType::Counter, "scsi_retries_total",
        "Completed dispatches of a command that had been dispatched before and failed.",
        [](const LunStatistics& lun) { return static_cast<double>(lun.retries); });
    statistics_.AddPerLun(
        LUNSCOPE_ROLE_INITIATOR, MetricType::Counter, "scsi_command_timeouts_total",
        "Times that the mid-layer's timer of a command ran out.",
        [](const LunStatistics& lun) { return static_cast<double>(lun.timeouts); });
    Family family =
        families_.New(MetricType::Counter, "scsi_refused_dispatches_total",
                      "Commands that the low-level driver had no room for, counted where "
                      "it says so; they are dispatched again.");
    for (size_t i = 0; i < LUNSCOPE_SCSI_REFUSAL_COUNT; i++)
      family.Add({{"reason", kRefusals[i]}}, static_cast<double>(layers_.totals.refusals[i]));
  }

  // Only commands of iSCSI can be found on the wire.
  void Joined() {
    {
      Family family =
          families_.New(MetricType::Histogram, "scsi_command_above_wire_seconds",
                        "Of commands that the mid-layer and the wire both showed: time at "
                        "the mid-layer less time "
                        "on the wire.");
      walk_.EachOperation([&](const Labels& labels, const OperationStatistics& operation) {
        if (operation.above_wire_ns.count() != 0)
          family.AddHistogram(labels, operation.above_wire_ns, kNsPerSecond);
      });
    }
    {
      Family family =
          families_.New(MetricType::Counter, "scsi_wire_seconds_total",
                        "Of the same commands: time on the wire, from the command PDU to "
                        "its status PDU.");
      walk_.EachOperation([&](const Labels& labels, const OperationStatistics& operation) {
        if (operation.above_wire_ns.count() != 0)
          family.Add(labels, static_cast<double>(operation.wire_ns) / kNsPerSecond);
      });
    }
    statistics_.AddPerLun(
        LUNSCOPE_ROLE_INITIATOR, MetricType::Counter, "scsi_unjoined_commands_total",
        "Commands of the kernel's iSCSI initiator that were not found on the wire.",
        [](const LunStatistics& lun) { return static_cast<double>(lun.unjoined); });
  }

  // commands_seen = reported + unreported (by reason) + in flight
  void Conservation() {
    families_.AddPerRole("scsi_commands_seen_total",
                         "Commands that a SCSI layer took, counted in its hook.", Roles(),
                         layers_.totals.commands_seen);
    families_.AddPerRole(
        "scsi_commands_reported_total",
        "Completed commands of a SCSI layer that have a record, counted where it is made.", Roles(),
        layers_.totals.commands_reported);
    families_.AddPerReason("scsi_commands_unreported_total",
                           "Commands that a SCSI layer took and that have no record.", Roles(),
                           kScsiUnreportedReasons, [this](uint8_t role, size_t reason) {
                             return layers_.totals.commands_unreported[role][reason];
                           });
    statistics_.AddInFlight("scsi_commands_in_flight",
                            "Commands of a SCSI layer in flight at the time of the scrape.",
                            Roles());
    families_.AddPerRole("scsi_unmatched_completions_total",
                         "Completions of a command whose start was not seen.", Roles(),
                         layers_.totals.unmatched_completions);
  }

  [[nodiscard]] std::vector<uint8_t> Roles() const {
    std::vector<uint8_t> roles;
    if (layers_.has_midlayer) roles.push_back(LUNSCOPE_ROLE_INITIATOR);
    if (layers_.has_target) roles.push_back(LUNSCOPE_ROLE_TARGET);
    return roles;
  }

  const Observation& observation_;
  const LayersObservation& layers_;
  const Walk walk_;
  Families& families_;
  StatisticsFamilies statistics_;
};

}  // namespace

void AddScsiLayers(const Observation& observation, Families& families) {
  ScsiRenderer(observation, families).Render();
}

}  // namespace lunscope
