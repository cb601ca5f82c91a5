// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the metric catalogue share: a family while its series are added, and labels.
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collector/model/model.h"

namespace lunscope {

using Labels = std::vector<prometheus::ClientMetric::Label>;

inline constexpr double kNsPerSecond = 1e9;

// What becomes of a family that is complete.
using FamilySink = std::function<void(prometheus::MetricFamily&&)>;

// One metric while its series are added; families without a series are left out.
class Family {
 public:
  Family(const FamilySink& sink, prometheus::MetricType type, const char* name, const char* help)
      : sink_(sink) {
    family_.name = std::string("lunscope_") + name;
    family_.help = help;
    family_.type = type;
  }
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;
  ~Family() {
    if (!family_.metric.empty()) sink_(std::move(family_));
  }

  void Add(Labels labels, double value) {
    prometheus::ClientMetric& metric = NewSeries(std::move(labels));
    if (family_.type == prometheus::MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
  }

  // unit: what a bound of the histogram is divided by.
  template <typename Histogram>
  void AddHistogram(Labels labels, const Histogram& histogram, double unit) {
    prometheus::ClientMetric::Histogram& out = NewSeries(std::move(labels)).histogram;
    out.bucket.reserve(Histogram::kBuckets);
    uint64_t cumulative = 0;
    for (size_t i = 0; i < Histogram::kBuckets; i++) {
      cumulative += histogram.counts()[i];
      const bool is_last = i + 1 == Histogram::kBuckets;
      out.bucket.push_back({cumulative, is_last ? std::numeric_limits<double>::infinity()
                                                : static_cast<double>(Histogram::Bound(i)) / unit});
    }
    out.sample_count = cumulative;
    out.sample_sum = static_cast<double>(histogram.sum()) / unit;
  }

 private:
  prometheus::ClientMetric& NewSeries(Labels labels) {
    family_.metric.emplace_back();
    family_.metric.back().label = std::move(labels);
    return family_.metric.back();
  }

  const FamilySink& sink_;
  prometheus::MetricFamily family_;
};

// The families of a page, in their order.
class Families {
 public:
  explicit Families(FamilySink sink) : sink_(std::move(sink)) {}

  Family New(prometheus::MetricType type, const char* name, const char* help) {
    return {sink_, type, name, help};
  }

  void AddGauge(const char* name, const char* help, double value) {
    New(prometheus::MetricType::Gauge, name, help).Add({}, value);
  }
  void AddCounter(const char* name, const char* help, uint64_t value) {
    New(prometheus::MetricType::Counter, name, help).Add({}, static_cast<double>(value));
  }
  // A family with a series for each of these roles.
  void AddPerRole(const char* name, const char* help, std::span<const uint8_t> roles,
                  const uint64_t (&values)[LUNSCOPE_ROLES],
                  prometheus::MetricType type = prometheus::MetricType::Counter);
  // A counter with a series for each of these roles and reasons.
  void AddPerReason(const char* name, const char* help, std::span<const uint8_t> roles,
                    std::span<const char* const> reasons,
                    const std::function<uint64_t(uint8_t role, size_t reason)>& value);

 private:
  const FamilySink sink_;
};

inline Labels With(const Labels& labels, const char* name, std::string value) {
  Labels more = labels;
  more.push_back({name, std::move(value)});
  return more;
}

// The label of a LUN, or of the place for those beyond the limit.
std::string LunLabel(uint64_t lun);

}  // namespace lunscope
