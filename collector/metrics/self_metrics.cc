// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "collector/metrics/catalogue.h"

namespace lunscope {
namespace {

using prometheus::MetricType;

#define LUNSCOPE_LABEL(name, label) label,
constexpr const char* kLossReasons[] = {LUNSCOPE_LOSS_REASONS(LUNSCOPE_LABEL)};
#undef LUNSCOPE_LABEL
constexpr const char* kRingName = "events";

void AddProbes(const Observation& observation, Families& families) {
  {
    Family family = families.New(MetricType::Gauge, "probe_attached",
                                 "1 if the program is attached to its kernel hook.");
    for (const ProbeState& probe : observation.probes)
      family.Add({{"program", probe.name}}, probe.attached ? 1 : 0);
  }
  {
    Family family = families.New(MetricType::Counter, "probe_misses_total",
                                 "Runs of a program that the kernel skipped, from bpf_prog_info.");
    for (const ProbeState& probe : observation.probes)
      family.Add({{"program", probe.name}}, static_cast<double>(probe.misses));
  }
  {
    Family family = families.New(MetricType::Counter, "bpf_runs_total",
                                 "Runs of a program, while kernel.bpf_stats_enabled is set.");
    for (const ProbeState& probe : observation.probes) {
      if (probe.runs != 0) family.Add({{"program", probe.name}}, static_cast<double>(probe.runs));
    }
  }
  Family family = families.New(MetricType::Counter, "bpf_run_seconds_total",
                               "Time in a program, while kernel.bpf_stats_enabled is set.");
  for (const ProbeState& probe : observation.probes) {
    if (probe.runs != 0)
      family.Add({{"program", probe.name}}, static_cast<double>(probe.run_time_ns) / kNsPerSecond);
  }
}

struct Buffer {
  const char* name;
  uint64_t records;
  const uint64_t (&lost)[LUNSCOPE_LOSS_COUNT];
  uint64_t malformed;
};

void AddRecords(const Observation& observation, Families& families) {
  std::vector<Buffer> buffers;
  const lunscope_totals& totals = observation.totals;
  if (observation.has_iscsi) {
    buffers.push_back(
        {kRingName, totals.records, totals.records_lost, observation.malformed_records});
  }
  if (const auto& layers = observation.layers) {
    buffers.push_back(
        {"scsi", layers->totals.records, layers->totals.records_lost, layers->malformed_records});
  }
  {
    Family family = families.New(MetricType::Counter, "events_total",
                                 "Records put into the ring, from the kernel.");
    for (const Buffer& buffer : buffers)
      family.Add({{"buffer", buffer.name}}, static_cast<double>(buffer.records));
  }
  Family family = families.New(MetricType::Counter, "events_lost_total",
                               "Records that did not get into the ring, or were malformed.");
  for (const Buffer& buffer : buffers) {
    for (size_t i = 0; i < LUNSCOPE_LOSS_COUNT; i++) {
      family.Add({{"buffer", buffer.name}, {"reason", kLossReasons[i]}},
                 static_cast<double>(buffer.lost[i]));
    }
    family.Add({{"buffer", buffer.name}, {"reason", "malformed"}},
               static_cast<double>(buffer.malformed));
  }
}

void AddItself(const Observation& observation, Families& families) {
  if (observation.has_iscsi) {
    families.AddCounter("untracked_connections_total",
                        "Connections for whose state there was no memory.",
                        observation.totals.untracked_connections);
  }
  if (!observation.is_offline) {
    families.AddCounter("wakeups_total", "Times that the collector woke up to drain the ring.",
                        observation.wakeups);
  }
  families.AddCounter("dropped_series_total",
                      "Times that a label set was refused and counted as overflow instead.",
                      observation.snapshot.dropped_series);
  families.New(MetricType::Gauge, "build_info", "Version of lunscope and libbpf; always 1.")
      .Add({{"version", observation.version},
            {"revision", observation.revision},
            {"libbpf", observation.libbpf}},
           1);
}

void AddScrape(const Observation& observation, Families& families) {
  families.AddGauge("scrape_duration_seconds", "Time that this scrape took so far.",
                    observation.scrape_seconds);
  families.AddGauge("scrape_errors", "1 if the live connections could not be read for this scrape.",
                    observation.scrape_failed ? 1 : 0);
}

}  // namespace

void AddSelf(const Observation& observation, Families& families) {
  if (!observation.is_offline) {
    AddProbes(observation, families);
    AddRecords(observation, families);
  }
  AddItself(observation, families);
  if (!observation.is_offline) AddScrape(observation, families);
}

}  // namespace lunscope
