// SPDX-License-Identifier: Apache-2.0
#include "collector/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "collector/base/clock.h"
#include "collector/diagnosis/words.h"
#include "collector/report/html.h"

namespace lunscope {
namespace {

constexpr double kWidth = 720;
constexpr double kBarHeight = 18;
constexpr double kLegendWidth = 144;  // of one part: five fit beside each other
constexpr double kPlotHeight = 120;
// Told apart by people who see few colours.
constexpr const char* kColours[] = {"#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677"};

std::string Begin(double height, std::string_view label) {
  return fmt::format(
      "<svg width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\">\n"
      "<title>{2}</title>\n",
      kWidth, height, HtmlEscaped(label));
}

std::string Box(double x, double y, double width, double height, const char* colour) {
  return fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n", x, y,
      width, height, colour);
}

std::string Words(double x, double y, std::string_view words) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x, y, HtmlEscaped(words));
}

}  // namespace

std::string SvgOf(const ReportBar& bar) {
  uint64_t sum = 0;
  for (const auto& [name, ns] : bar.parts) sum += ns;
  if (sum == 0) return "";
  std::string text = Begin(kBarHeight + 22, bar.label);
  double x = 0;
  size_t number = 0;
  for (const auto& [name, ns] : bar.parts) {
    const char* colour = kColours[number % std::size(kColours)];
    const double share = static_cast<double>(ns) / static_cast<double>(sum);
    const double legend_x = static_cast<double>(number) * kLegendWidth;
    text += Box(x, 0, share * kWidth, kBarHeight, colour);
    text += Box(legend_x, kBarHeight + 8, 10, 10, colour);
    text += Words(legend_x + 14, kBarHeight + 17, name + " " + PercentText(share));
    x += share * kWidth;
    number++;
  }
  return text + "</svg>\n";
}

std::string SvgOf(const ReportHistogram& histogram) {
  uint64_t most = 0;
  for (const auto& [bound, commands] : histogram.buckets) most = std::max(most, commands);
  if (most == 0) return "";
  std::string text = Begin(kPlotHeight + 40, histogram.label);
  const double width = std::min(60.0, kWidth / static_cast<double>(histogram.buckets.size()));
  double x = 0;
  for (const auto& [bound, commands] : histogram.buckets) {
    const double height = kPlotHeight * static_cast<double>(commands) / static_cast<double>(most);
    text += Box(x + 1, 14 + kPlotHeight - height, width - 2, height, kColours[0]);
    if (commands != 0) text += Words(x + 1, 11 + kPlotHeight - height, fmt::to_string(commands));
    text += Words(x + 1, kPlotHeight + 28, bound);
    x += width;
  }
  return text + "</svg>\n";
}

}  // namespace lunscope
