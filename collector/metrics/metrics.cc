// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/metrics.h"

#include "collector/metrics/catalogue.h"
#include "collector/metrics/process_metrics.h"
#include "collector/metrics/text_format.h"

namespace lunscope {
namespace {

using prometheus::MetricFamily;

void AddAll(const Observation& observation, const FamilySink& sink) {
  Families families(sink);
  if (observation.has_iscsi) {
    AddCommands(observation, families);
    AddSessions(observation, families);
    AddTargets(observation, families);
    AddConservation(observation, families);
  }
  if (observation.layers) AddScsiLayers(observation, families);
  AddSelf(observation, families);
}

}  // namespace

std::vector<MetricFamily> RenderMetrics(const Observation& observation) {
  std::vector<MetricFamily> all;
  AddAll(observation, [&](MetricFamily&& family) { all.push_back(std::move(family)); });
  return all;
}

// Family by family: the text is the only one of them that is there as a whole.
std::string FormatMetrics(const Observation& observation) {
  std::string page;
  AddAll(observation, [&](const MetricFamily& family) { AppendText(family, page); });
  return page;
}

std::string FormatScrape(const Observation& observation) {
  std::string page = FormatMetrics(observation);
  for (const MetricFamily& family : RenderProcessMetrics()) AppendText(family, page);
  return page;
}

}  // namespace lunscope
