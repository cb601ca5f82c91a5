// SPDX-License-Identifier: Apache-2.0
//
// The part of the metric catalogue that speaks of the kernel's SCSI layers. Families of their own,
// and not a label on those of iSCSI: a command of the kernel's iSCSI initiator passes the mid-layer
// and the wire, and a sum over one family would count it twice.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "collector/report/metrics.h"

namespace lunscope {

// REQUIRES: observation.layers.
void AddScsiLayers(const Observation& observation, std::vector<prometheus::MetricFamily>& out);

}  // namespace lunscope
