// SPDX-License-Identifier: Apache-2.0
//
// The process_* metrics that every exporter has, of this process, from /proc/self.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace lunscope {

std::vector<prometheus::MetricFamily> RenderProcessMetrics();

}  // namespace lunscope
