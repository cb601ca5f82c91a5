// SPDX-License-Identifier: Apache-2.0
//
// Metrics of what lunscope saw and what it missed. At every moment, for each role:
// commands_seen = commands_reported + commands_unreported (all reasons) + commands_in_flight
#include "collector/metrics/catalogue.h"

namespace lunscope {
namespace {

using enum prometheus::MetricType;
using enum Unit;
using enum Available;

// Commands in flight at the time of the walk, added up from the LUNs.
struct EachRoleInFlight {
  using Item = uint64_t;
  static constexpr std::array kLabels = {&kRoleLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const uint8_t role : RolesOf(view)) {
      uint64_t commands = 0;
      WalkTargets(view, [&](Labels&, const TargetKey& key, const TargetStatistics& target) {
        if (key.role != role) return;
        for (const auto& [number, lun] : target.luns) commands += lun.outstanding;
      });
      visit(RoleLabels(role), commands);
    }
  }
};

uint64_t TrackedCommands(const Observation& observation) {
  return observation.snapshot.tracked_commands;
}

uint64_t HealedBytes(const Observation& observation) { return observation.totals.healed_bytes; }

// The boundaries of a connection that was open before lunscope started were never known, so the
// first reason is no gap.
constexpr size_t kFirstGapReason = 1;

constexpr Metric kConservationMetrics[] = {
    {"commands_seen_total", Counter, kCount, kIscsi,
     "SCSI Command PDUs seen, counted where PDUs are framed.",
     Of<EachRole<&lunscope_totals::commands_seen>>(),
     Twin{"Commands that a SCSI layer took, counted in its hook.",
          Of<EachRole<&lunscope_scsi_totals::commands_seen>>()}},
    {"commands_reported_total", Counter, kCount, kIscsi,
     "Commands with a status that have a record, or were added up instead, counted in the kernel.",
     Of<EachRole<&lunscope_totals::commands_reported>>(),
     Twin{"Completed commands of a SCSI layer that have a record, counted where it is made.",
          Of<EachRole<&lunscope_scsi_totals::commands_reported>>()}},
    {"commands_unreported_total", Counter, kCount, kIscsi,
     "Commands that were seen and ended without a status, or whose record was lost, by reason.",
     Of<EachRoleAndReason<&lunscope_totals::commands_unreported, kUnreportedLabel>>(),
     Twin{"Commands that a SCSI layer took and that have no record, by reason.",
          Of<EachRoleAndReason<&lunscope_scsi_totals::commands_unreported,
                               kScsiUnreportedLabel>>()}},
    {"commands_in_flight", Gauge, kCount, kIscsi,
     "Commands in flight, counted as they begin and end in the in-flight tables.",
     Of<EachRole<&lunscope_totals::commands_in_flight>>(),
     Twin{"Commands of a SCSI layer in flight at the time of the scrape.", Of<EachRoleInFlight>()}},
    {"unmatched_responses_total", Counter, kCount, kIscsi,
     "Statuses of a command that was not in flight: it was not seen, or had ended.",
     Of<EachTarget, &TargetStatistics::unmatched_responses>(),
     Twin{"Completions of a command whose start was not seen.",
          Of<EachRole<&lunscope_scsi_totals::unmatched_completions>>(),
          "scsi_unmatched_completions_total"}},
    {"tracked_commands", Gauge, kCount, kIscsi, "Commands in all in-flight tables.",
     Of<Once, &TrackedCommands>()},
    {"tracked_commands_limit", Gauge, kCount, kIscsi,
     "Commands that one connection may have in flight and still be tracked.",
     Of<Once, &Observation::tracked_commands_limit>()},
    {"stream_gaps_total", Counter, kCount, kIscsi, "Times that PDU boundaries were lost.",
     Of<EachReason<&lunscope_totals::gaps, kSyncLabel, kFirstGapReason>>()},
    {"stream_resyncs_total", Counter, kCount, kIscsi, "Times that PDU boundaries were found again.",
     Of<EachReason<&lunscope_totals::resyncs, kSyncLabel>>()},
    {"unparsed_bytes_total", Counter, kBytes, kIscsi,
     "Bytes that were skipped while PDU boundaries were unknown.",
     Of<EachReason<&lunscope_totals::unparsed_bytes, kSyncLabel>>()},
    {"healed_bytes_total", Counter, kBytes, kLive,
     "Sent bytes that no program saw, and that were read from TCP's retransmit queue instead.",
     Of<Once, &HealedBytes>()},
};

}  // namespace

std::span<const Metric> ConservationMetrics() { return kConservationMetrics; }

}  // namespace lunscope
