// SPDX-License-Identifier: Apache-2.0
//
// A report as one HTML file: no script, nothing that is loaded from elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "collector/report/report.h"

namespace lunscope {

// As text of an element, or as a value of an attribute in quotes.
std::string HtmlEscaped(std::string_view text);

std::string ReportHtml(const Report& report);

}  // namespace lunscope
