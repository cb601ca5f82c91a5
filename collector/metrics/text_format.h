// SPDX-License-Identifier: Apache-2.0
//
// Prometheus' text format (version 0.0.4) of one family, with the same bytes as the TextSerializer
// of prometheus-cpp; a test compares them. TextSerializer itself is too slow for a page of 100,000
// lines: it writes each label of each series to a std::ostream, and took 1.5 us a line.
#pragma once

#include <prometheus/metric_family.h>

#include <string>

namespace lunscope {

// "counter", "gauge" or "histogram".
const char* TypeName(prometheus::MetricType type);

// REQUIRES: the family has counters, gauges or histograms, without timestamps.
void AppendText(const prometheus::MetricFamily& family, std::string& page);

}  // namespace lunscope
