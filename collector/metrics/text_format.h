// SPDX-License-Identifier: Apache-2.0
//
// Prometheus' text format (version 0.0.4) of one family, to the byte as prometheus-cpp's
// TextSerializer writes it, which the tests hold it to. That one goes through a std::ostream for
// each label of each series, and took 1.5 us a line: a page of 100,000 is what it is rejected for.
#pragma once

#include <prometheus/metric_family.h>

#include <string>

namespace lunscope {

// REQUIRES: the family is of counters, gauges or histograms, without timestamps.
void AppendText(const prometheus::MetricFamily& family, std::string& page);

}  // namespace lunscope
