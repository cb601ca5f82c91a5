// SPDX-License-Identifier: Apache-2.0
//
// The metric catalogue, rendered from one snapshot when somebody scrapes. Every metric has its one
// home in a part of catalogue.h.
#pragma once

#include <lunscope/records.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/model/model.h"

namespace lunscope {

// One hook, for lunscope_probe_*.
struct ProbeState {
  std::string name;
  bool attached;
  uint64_t misses;
  uint64_t runs;
  uint64_t run_time_ns;
};

// What the SCSI layers told, where one of them is watched.
struct LayersObservation {
  lunscope_scsi_totals totals{};
  uint64_t malformed_records = 0;
  bool has_midlayer = false;
  bool has_target = false;
  bool joins = false;  // the mid-layer's commands with those on the wire
};

// Everything that a scrape speaks of, as of one moment.
struct Observation {
  bool has_iscsi = true;  // iSCSI is watched: what is not, has no metrics
  std::optional<LayersObservation> layers;
  // From a capture file: there are no programs, no ring, and no TCP to ask.
  bool is_offline = false;
  Snapshot snapshot;
  lunscope_totals totals{};
  std::vector<ProbeState> probes;
  uint64_t now_ns = 0;  // CLOCK_MONOTONIC
  uint64_t malformed_records = 0;
  uint64_t wakeups = 0;
  uint64_t tracked_commands_limit = 0;
  std::string version;
  std::string revision;
  std::string libbpf;
  bool scrape_failed = false;
  double scrape_seconds = 0;
};

std::vector<prometheus::MetricFamily> RenderMetrics(const Observation& observation);

// The same as text.
std::string FormatMetrics(const Observation& observation);

// What an endpoint answers: that, and this process's metrics.
std::string FormatScrape(const Observation& observation);

}  // namespace lunscope
