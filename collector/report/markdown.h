// SPDX-License-Identifier: Apache-2.0
//
// A report as Markdown (CommonMark with the tables of GitHub). It has no plots: their figures are
// in the tables.
#pragma once

#include <string>
#include <string_view>

#include "collector/report/report.h"

namespace lunscope {

// As text of a paragraph, a list item or a cell. Nothing in it is markup, HTML, a link or a
// mention.
std::string MarkdownEscaped(std::string_view text);

std::string ReportMarkdown(const Report& report);

}  // namespace lunscope
