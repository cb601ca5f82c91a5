// SPDX-License-Identifier: Apache-2.0
//
// Plots of a report as SVG elements that stand in HTML. Texts are escaped here.
#pragma once

#include <string>

#include "collector/report/report.h"

namespace lunscope {

// The parts side by side, as wide as their share, and below them a legend.
std::string SvgOf(const ReportBar& bar);
// A column for each bucket.
std::string SvgOf(const ReportHistogram& histogram);

}  // namespace lunscope
