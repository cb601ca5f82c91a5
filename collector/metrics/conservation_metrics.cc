// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "collector/metrics/catalogue.h"

namespace lunscope {
namespace {

using prometheus::MetricType;

#define LUNSCOPE_LABEL(name, label) label,
constexpr const char* kUnreportedReasons[] = {LUNSCOPE_UNREPORTED_REASONS(LUNSCOPE_LABEL)};
constexpr const char* kSyncReasons[] = {LUNSCOPE_SYNC_REASONS(LUNSCOPE_LABEL)};
#undef LUNSCOPE_LABEL
constexpr std::array<uint8_t, 2> kRoles = {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_ROLE_TARGET};

void AddPerReason(Families& families, const char* name, const char* help,
                  const uint64_t (&values)[LUNSCOPE_REASON_COUNT], size_t first) {
  Family family = families.New(MetricType::Counter, name, help);
  for (size_t i = first; i < LUNSCOPE_REASON_COUNT; i++)
    family.Add({{"reason", kSyncReasons[i]}}, static_cast<double>(values[i]));
}

// commands_seen = reported + unreported (by reason) + in flight
void AddAccounts(const Observation& observation, Families& families) {
  const lunscope_totals& totals = observation.totals;
  families.AddPerRole("commands_seen_total",
                      "SCSI Command PDUs seen, counted where PDUs are framed.", kRoles,
                      totals.commands_seen);
  families.AddPerRole(
      "commands_reported_total",
      "Completed commands that have a record, or were added up instead, counted in the kernel.",
      kRoles, totals.commands_reported);
  families.AddPerReason("commands_unreported_total",
                        "Commands seen that have no record, counted where it would be made.",
                        kRoles, kUnreportedReasons, [&](uint8_t role, size_t reason) {
                          return totals.commands_unreported[role][reason];
                        });
  families.AddPerRole("commands_in_flight",
                      "Commands in flight, counted as they begin and end in the in-flight tables.",
                      kRoles, totals.commands_in_flight, MetricType::Gauge);
  families.AddPerRole("unmatched_responses_total", "Responses to a command that was not seen.",
                      kRoles, totals.unmatched_responses);
  families.AddGauge("tracked_commands", "Commands in all in-flight tables.",
                    static_cast<double>(observation.snapshot.tracked_commands));
  families.AddGauge("tracked_commands_limit",
                    "Commands that one connection may have in flight and still be tracked.",
                    static_cast<double>(observation.tracked_commands_limit));
}

void AddStreams(const Observation& observation, Families& families) {
  const lunscope_totals& totals = observation.totals;
  AddPerReason(families, "stream_gaps_total", "Times that PDU boundaries were lost.", totals.gaps,
               1);
  AddPerReason(families, "stream_resyncs_total", "Times that PDU boundaries were found again.",
               totals.resyncs, 0);
  AddPerReason(families, "unparsed_bytes_total",
               "Bytes passed over while PDU boundaries were not known.", totals.unparsed_bytes, 0);
}

}  // namespace

void AddConservation(const Observation& observation, Families& families) {
  AddAccounts(observation, families);
  AddStreams(observation, families);
}

}  // namespace lunscope
