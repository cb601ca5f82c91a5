// SPDX-License-Identifier: Apache-2.0
//
// Metrics that only the kernel's SCSI layers have. The other metrics of the layers are the twins in
// commands.cc and conservation.cc.
#include "collector/metrics/catalogue.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

using enum prometheus::MetricType;
using enum Unit;
using enum Available;

struct EachHostError {
  using Item = uint64_t;
  static constexpr std::array kLabels = {&kRoleLabel, &kTransportLabel, &kTargetLabel, &kLunLabel,
                                         &kHostStatusLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkLuns(view, LunRoles::kInitiator, [&](Labels& labels, const LunStatistics& lun) {
      for (const auto& [status, count] : lun.host_errors) {
        const Scoped scoped(labels, kHostStatusLabel, HostStatusLabel(status));
        visit(labels, count);
      }
    });
  }
};

// Only commands of iSCSI can be found on the wire.
bool IsJoined(const OperationStatistics& operation) { return operation.above_wire_ns.count() != 0; }

constexpr Metric kScsiLayerMetrics[] = {
    {"scsi_host_errors_total", Counter, kCount, kMidlayer,
     "Commands that the low-level driver completed with a host status other than DID_OK.",
     Of<EachHostError>()},
    {"scsi_retries_total", Counter, kCount, kMidlayer,
     "Completed dispatches of a command that had been dispatched before and failed.",
     Of<EachInitiatorLun, &LunStatistics::retries>()},
    {"scsi_command_timeouts_total", Counter, kCount, kMidlayer,
     "Times that the mid-layer's timer of a command ran out.",
     Of<EachInitiatorLun, &LunStatistics::timeouts>()},
    {"scsi_refused_dispatches_total", Counter, kCount, kMidlayer,
     "Dispatches that the low-level driver refused; the mid-layer dispatches the command again.",
     Of<EachReason<&lunscope_scsi_totals::refusals, kRefusalLabel>>()},
    {"scsi_command_above_wire_seconds", Histogram, kSeconds, kJoined,
     "Time at the mid-layer less time on the wire, of the commands that were seen at both.",
     Of<Where<EachOperation, &IsJoined>, &OperationStatistics::above_wire_ns>()},
    {"scsi_wire_seconds_total", Counter, kSeconds, kJoined,
     "Time on the wire, from command PDU to status PDU, of the commands that were seen at both the "
     "mid-layer and the wire.",
     Of<Where<EachOperation, &IsJoined>, &OperationStatistics::wire_ns>()},
    {"scsi_unjoined_commands_total", Counter, kCount, kJoined,
     "Commands of the kernel's iSCSI initiator that were not found on the wire.",
     Of<EachInitiatorLun, &LunStatistics::unjoined>()},
};

}  // namespace

std::span<const Metric> ScsiLayerMetrics() { return kScsiLayerMetrics; }

}  // namespace lunscope
