// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/metrics.h"

#include "collector/metrics/catalogue.h"
#include "collector/metrics/process_metrics.h"
#include "collector/metrics/text_format.h"

namespace lunscope {
namespace {

using prometheus::MetricFamily;

void RenderEach(const Observation& observation, const FamilySink& sink) {
  SessionOrder session_order;
  for (const CatalogueEntry& entry : Catalogue()) {
    if (!IsAvailable(entry.available, observation)) continue;
    Family family(entry.name, entry.type, entry.unit, entry.help);
    entry.series.add({observation, entry.source, session_order}, family);
    family.Finish(sink);
  }
}

}  // namespace

std::vector<MetricFamily> RenderMetrics(const Observation& observation) {
  std::vector<MetricFamily> all;
  RenderEach(observation, [&](MetricFamily&& family) { all.push_back(std::move(family)); });
  return all;
}

// One family at a time, so that only the text is in memory as a whole.
std::string FormatMetrics(const Observation& observation) {
  std::string page;
  RenderEach(observation, [&](const MetricFamily& family) { AppendText(family, page); });
  return page;
}

std::string FormatScrape(const Observation& observation) {
  std::string page = FormatMetrics(observation);
  for (const MetricFamily& family : RenderProcessMetrics()) AppendText(family, page);
  return page;
}

}  // namespace lunscope
