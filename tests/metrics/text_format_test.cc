// SPDX-License-Identifier: Apache-2.0
//
// The text format against prometheus-cpp's own serializer: the same families, the same bytes.
#include "collector/metrics/text_format.h"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <vector>

#include "tests/golden/golden.h"

namespace lunscope {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string TextOf(const MetricFamily& family) {
  std::string page;
  AppendText(family, page);
  return page;
}

std::string Reference(const MetricFamily& family) {
  return prometheus::TextSerializer().Serialize({family});
}

MetricFamily Of(MetricType type, const std::vector<ClientMetric::Label>& labels, double value) {
  MetricFamily family{"lunscope_x", "Some help.", type, {}};
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = labels;
  metric.counter.value = value;
  metric.gauge.value = value;
  metric.histogram.sample_sum = value;
  metric.histogram.sample_count = 3;
  const double infinity = std::numeric_limits<double>::infinity();
  metric.histogram.bucket = {{1, value}, {3, infinity}};
  return family;
}

const double kValues[] = {0,
                          -0.0,
                          1,
                          -1,
                          0.5,
                          1.6e-05,
                          0.1,
                          1.0 / 3,
                          40.0,
                          123456789,
                          999999999999999.0,
                          1e15,
                          1e15 + 1,
                          9007199254740993.0,
                          1e16,
                          1e17,
                          18446744073709551615.0,
                          -1e15,
                          5e-324,
                          1.7976931348623157e308,
                          std::numeric_limits<double>::infinity(),
                          -std::numeric_limits<double>::infinity(),
                          std::numeric_limits<double>::quiet_NaN()};

const std::vector<ClientMetric::Label> kLabels[] = {
    {},
    {{"role", "target"}},
    {{"role", ""}, {"target", "iqn.\"quoted\"\n\\"}},
    {{"a", "\\"}, {"b", "\n\n"}, {"c", "x\"y"}},
};

TEST(TextFormat, IsThatOfPrometheusCpp) {
  for (const MetricType type : {MetricType::Counter, MetricType::Gauge, MetricType::Histogram}) {
    for (const double value : kValues) {
      for (const auto& labels : kLabels) {
        const MetricFamily family = Of(type, labels, value);
        EXPECT_EQ(TextOf(family), Reference(family));
      }
    }
  }
}

TEST(TextFormat, OfAWholePageIsThatOfPrometheusCpp) {
  const Observation observation = FixedObservation();
  EXPECT_EQ(FormatMetrics(observation),
            prometheus::TextSerializer().Serialize(RenderMetrics(observation)));
}

}  // namespace
}  // namespace lunscope
