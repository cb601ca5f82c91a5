// SPDX-License-Identifier: Apache-2.0
//
// The metric catalogue: every metric of lunscope itself, in the order of the page. Each metric is
// declared once, in a row of the file of its topic; a new metric is a new row there.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "collector/metrics/metric.h"

namespace lunscope {

// The rows of a topic.
std::span<const Metric> CommandMetrics();       // commands.cc: commands and LUNs
std::span<const Metric> ProfileMetrics();       // profile.cc: the workload of LUNs
std::span<const Metric> SessionMetrics();       // sessions.cc: sessions and connections
std::span<const Metric> TargetMetrics();        // targets.cc: logins, PDUs, bytes
std::span<const Metric> ConservationMetrics();  // conservation.cc: what was seen and what was not
std::span<const Metric> ScsiLayerMetrics();     // scsi_layers.cc: what only the SCSI layers have
std::span<const Metric> FindingMetrics();       // findings.cc: what goes wrong
std::span<const Metric> SelfMetrics();          // self.cc: programs, rings, this scrape

struct CatalogueEntry {
  std::string name;  // "lunscope_commands_total"
  const char* topic;
  prometheus::MetricType type;
  Unit unit;
  Available available;
  const char* help;
  MetricSeries series;
  SeriesSource source;

  // The labels of its series, in their order.
  [[nodiscard]] std::vector<const Label*> LabelsOfSeries() const;
};

const std::vector<CatalogueEntry>& Catalogue();

// Words for a reader of the catalogue.
const char* UnitName(Unit unit);                 // "seconds"
const char* AvailableName(Available available);  // "iscsi"
const char* AvailableHelp(Available available);  // "iSCSI is watched."

bool IsAvailable(Available available, const Observation& observation);

}  // namespace lunscope
