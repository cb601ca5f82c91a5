// SPDX-License-Identifier: Apache-2.0
#include "collector/report/markdown.h"

#include <fmt/format.h>

#include <algorithm>

namespace lunscope {
namespace {

constexpr std::string_view kEscaped = "\\`*_{}[]()#|~!$^=";

// As much of the text as begins a list: "-", "+", "12." or "12)". 0: nothing does.
size_t ListMarkerAtFront(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == text.size()) return 0;
  const bool is_marker =
      digits == 0 ? text[0] == '-' || text[0] == '+' : text[digits] == '.' || text[digits] == ')';
  const bool is_alone = digits + 1 == text.size() || text[digits + 1] == ' ';
  return is_marker && is_alone ? digits + 1 : 0;
}

std::string RowText(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const std::string& cell : cells) text += " " + MarkdownEscaped(cell) + " |";
  return text + "\n";
}

std::string TableText(const ReportTable& table) {
  std::string text = "\n## " + MarkdownEscaped(table.title) + "\n\n";
  if (!table.note.empty()) text += MarkdownEscaped(table.note) + "\n\n";
  if (table.rows.empty()) return text;
  std::vector<std::string> titles;
  std::string rule = "|";
  for (const TextTable::Column& column : table.columns) {
    titles.push_back(column.title);
    rule += column.align == Align::kRight ? "---:|" : "---|";
  }
  text += RowText(titles) + rule + "\n";
  for (const std::vector<std::string>& row : table.rows) text += RowText(row);
  return text;
}

std::string FindingText(const ReportFinding& finding) {
  std::string text = fmt::format("\n### {}\n\n{}\n\n", SeverityLabel(finding.severity),
                                 MarkdownEscaped(finding.sentence));
  for (const std::string& sentence : finding.evidence)
    text += "- " + MarkdownEscaped(sentence) + "\n";
  text += fmt::format("\nTo do: {}\n\n[{}]({})\n", MarkdownEscaped(finding.advice),
                      MarkdownEscaped(finding.runbook), finding.runbook);
  if (!finding.more.empty()) text += "\n" + MarkdownEscaped(finding.more) + "\n";
  return text;
}

// The histograms as one table. The bars have their table already.
ReportTable TableOf(const std::vector<ReportHistogram>& histograms) {
  ReportTable table{"Durations of the slowest LUNs",
                    "",
                    {{"LUN"}, {"Up to", Align::kRight}, {"Commands", Align::kRight}},
                    {}};
  for (const ReportHistogram& histogram : histograms) {
    for (const auto& [bound, commands] : histogram.buckets)
      table.rows.push_back({histogram.label, bound, fmt::to_string(commands)});
  }
  return table;
}

}  // namespace

std::string MarkdownEscaped(std::string_view text) {
  std::string escaped;
  const size_t marker = ListMarkerAtFront(text);
  for (size_t at = 0; at < text.size(); at++) {
    const char c = text[at];
    const bool is_of_link = c == '/' && at > 0 && text[at - 1] == ':';
    const bool is_of_domain = c == '.' && at >= 3 && text.substr(at - 3, 3) == "www";
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '@': escaped += "&#64;"; break;
      default:
        if (is_of_link || is_of_domain) {
          escaped += fmt::format("&#{};", static_cast<int>(c));
        } else {
          if (kEscaped.find(c) != std::string_view::npos || at + 1 == marker) escaped += '\\';
          escaped += c;
        }
    }
  }
  return escaped;
}

std::string ReportMarkdown(const Report& report) {
  std::string text = "# lunscope report\n\n| | |\n|---|---|\n";
  for (const auto& [name, value] : report.facts) text += RowText({name, value});
  if (!report.unseen.empty()) text += "\n## Not seen\n\n";
  for (const std::string& sentence : report.unseen) text += "- " + MarkdownEscaped(sentence) + "\n";
  text += "\n## Findings\n";
  if (report.findings.empty()) text += "\nNothing found.\n";
  for (const ReportFinding& finding : report.findings) text += FindingText(finding);
  for (const ReportTable& table : report.tables) text += TableText(table);
  if (!report.histograms.empty()) text += TableText(TableOf(report.histograms));
  return text;
}

}  // namespace lunscope
