// SPDX-License-Identifier: Apache-2.0
#include "collector/report/metrics.h"

#include <prometheus/text_serializer.h>

#include <utility>

#include "collector/report/catalogue.h"
#include "collector/report/process_metrics.h"

namespace lunscope {
namespace {

using prometheus::MetricFamily;

class ObservedMetrics : public prometheus::Collectable {
 public:
  explicit ObservedMetrics(std::function<Observation()> observe) : observe_(std::move(observe)) {}

  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> families = RenderMetrics(observe_());
    for (MetricFamily& family : RenderProcessMetrics()) families.push_back(std::move(family));
    return families;
  }

 private:
  std::function<Observation()> observe_;
};

}  // namespace

std::shared_ptr<prometheus::Collectable> MakeCollectable(std::function<Observation()> observe) {
  return std::make_shared<ObservedMetrics>(std::move(observe));
}

std::vector<MetricFamily> RenderMetrics(const Observation& observation) {
  Families families;
  if (observation.has_iscsi) {
    AddCommands(observation, families);
    AddSessions(observation, families);
    AddTargets(observation, families);
    AddConservation(observation, families);
  }
  if (observation.layers) AddScsiLayers(observation, families);
  AddSelf(observation, families);
  return families.Take();
}

std::string FormatMetrics(const Observation& observation) {
  return prometheus::TextSerializer().Serialize(RenderMetrics(observation));
}

}  // namespace lunscope
