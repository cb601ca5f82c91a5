// SPDX-License-Identifier: Apache-2.0
//
// The metrics of an observation. catalogue.h declares them; this renders them.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "collector/metrics/observation.h"

namespace lunscope {

// The families that have a series, in the order of the catalogue.
std::vector<prometheus::MetricFamily> RenderMetrics(const Observation& observation);

// The same as text.
std::string FormatMetrics(const Observation& observation);

// The answer of the endpoint: that text, and the metrics of this process.
std::string FormatScrape(const Observation& observation);

}  // namespace lunscope
