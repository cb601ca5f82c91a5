// SPDX-License-Identifier: Apache-2.0
#include "collector/report/html.h"

#include <fmt/format.h>

#include "collector/report/svg.h"

namespace lunscope {
namespace {

// The policy has the browser load nothing, should a text ever get through unescaped.
constexpr std::string_view kHead =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n<title>lunscope report</title>\n<style>\n"
    "body { font: 14px sans-serif; margin: 2em; max-width: 90em; }\n"
    "table { border-collapse: collapse; }\n"
    "th, td { border: 1px solid #bbb; padding: 2px 6px; text-align: left; vertical-align: top; "
    "overflow-wrap: anywhere; }\n"
    "th { background: #eee; }\n.right { text-align: right; }\n"
    ".finding { border-left: 6px solid #888; margin: 1em 0; padding: 0 1em; }\n"
    ".critical { border-color: #c22; }\n.warning { border-color: #e90; }\n"
    "svg text { font: 10px sans-serif; }\n</style>\n</head>\n<body>\n<h1>lunscope report</h1>\n";

std::string Element(const char* name, std::string_view text) {
  return fmt::format("<{0}>{1}</{0}>\n", name, HtmlEscaped(text));
}

std::string Cell(const char* name, std::string_view text, Align align) {
  const char* attribute = align == Align::kRight ? " class=\"right\"" : "";
  return fmt::format("<{0}{1}>{2}</{0}>", name, attribute, HtmlEscaped(text));
}

std::string FactsText(const Report& report) {
  std::string text = "<table>\n";
  for (const auto& [name, value] : report.facts)
    text += "<tr>" + Cell("th", name, Align::kLeft) + Cell("td", value, Align::kLeft) + "</tr>\n";
  text += "</table>\n";
  if (report.unseen.empty()) return text;
  text += "<h2>Not seen</h2>\n<ul>\n";
  for (const std::string& sentence : report.unseen) text += Element("li", sentence);
  return text + "</ul>\n";
}

std::string FindingText(const ReportFinding& finding) {
  std::string text = fmt::format("<div class=\"finding {}\">\n<p><b>{}</b> {}</p>\n<ul>\n",
                                 SeverityName(finding.severity), SeverityLabel(finding.severity),
                                 HtmlEscaped(finding.sentence));
  for (const std::string& sentence : finding.evidence) text += Element("li", sentence);
  text += fmt::format("</ul>\n<p><b>To do:</b> {0}</p>\n<p><a href=\"{1}\">{1}</a></p>\n",
                      HtmlEscaped(finding.advice), HtmlEscaped(finding.runbook));
  if (!finding.more.empty()) text += Element("p", finding.more);
  return text + "</div>\n";
}

std::string TableText(const ReportTable& table) {
  std::string text = Element("h2", table.title);
  if (!table.note.empty()) text += Element("p", table.note);
  if (table.rows.empty()) return text;
  text += "<table>\n<tr>";
  for (const TextTable::Column& column : table.columns)
    text += Cell("th", column.title, column.align);
  text += "</tr>\n";
  for (const std::vector<std::string>& row : table.rows) {
    text += "<tr>";
    for (size_t i = 0; i < row.size(); i++) text += Cell("td", row[i], table.columns[i].align);
    text += "</tr>\n";
  }
  return text + "</table>\n";
}

template <typename Plot>
std::string PlotsText(const char* title, const std::vector<Plot>& plots) {
  if (plots.empty()) return "";
  std::string text = Element("h2", title);
  for (const Plot& plot : plots) text += Element("p", plot.label) + SvgOf(plot);
  return text;
}

}  // namespace

std::string HtmlEscaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::string ReportHtml(const Report& report) {
  std::string text = std::string(kHead) + FactsText(report) + "<h2>Findings</h2>\n";
  if (report.findings.empty()) text += Element("p", "Nothing found.");
  for (const ReportFinding& finding : report.findings) text += FindingText(finding);
  text += PlotsText("Phases", report.bars);
  text += PlotsText("Durations of the slowest LUNs, in commands", report.histograms);
  for (const ReportTable& table : report.tables) text += TableText(table);
  return text + "</body>\n</html>\n";
}

}  // namespace lunscope
