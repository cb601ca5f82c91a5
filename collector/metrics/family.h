// SPDX-License-Identifier: Apache-2.0
//
// One metric while its series are added.
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace lunscope {

using Labels = std::vector<prometheus::ClientMetric::Label>;

// Takes a family that is complete.
using FamilySink = std::function<void(prometheus::MetricFamily&&)>;

enum class Unit {
  kCount,    // of what the name says
  kSeconds,  // integers are nanoseconds, as everywhere in the model, and are divided
  kBytes,
  kFlag,  // 1: yes, 0: no
  kInfo,  // always 1: the labels are the information
};

class Family {
 public:
  Family(const std::string& name, prometheus::MetricType type, Unit unit, const char* help)
      : integers_a_unit_(unit == Unit::kSeconds ? 1e9 : 1) {
    family_.name = name;
    family_.help = help;
    family_.type = type;
  }

  template <typename Number>
  requires std::is_arithmetic_v<Number>
  void Add(const Labels& labels, Number value) {
    const auto number = static_cast<double>(value);
    prometheus::ClientMetric& metric = NewSeries(labels);
    double& sample =
        family_.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
    sample = std::is_integral_v<Number> ? number / integers_a_unit_ : number;
  }

  // A histogram of the model: its buckets, their bounds and counts, and the sum of its values.
  template <typename Histogram>
  requires(Histogram::kBuckets > 0) void Add(const Labels& labels, const Histogram& histogram) {
    const auto& counts = histogram.counts();
    prometheus::ClientMetric::Histogram& out = NewSeries(labels).histogram;
    out.bucket.reserve(Histogram::kBuckets);
    uint64_t cumulative = 0;
    for (size_t i = 0; i < Histogram::kBuckets; i++) {
      cumulative += counts[i];
      const bool is_last = i + 1 == Histogram::kBuckets;
      out.bucket.push_back(
          {cumulative, is_last ? std::numeric_limits<double>::infinity()
                               : static_cast<double>(Histogram::Bound(i)) / integers_a_unit_});
    }
    out.sample_count = cumulative;
    out.sample_sum = static_cast<double>(histogram.sum()) / integers_a_unit_;
  }

  // Hands the family on. A family without a series is left out.
  void Finish(const FamilySink& sink) {
    if (!family_.metric.empty()) sink(std::move(family_));
  }

 private:
  prometheus::ClientMetric& NewSeries(const Labels& labels) {
    family_.metric.emplace_back();
    family_.metric.back().label = labels;
    return family_.metric.back();
  }

  const double integers_a_unit_;
  prometheus::MetricFamily family_;
};

}  // namespace lunscope
