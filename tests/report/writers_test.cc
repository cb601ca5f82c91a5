// SPDX-License-Identifier: Apache-2.0
// Both forms of a report: hostile texts, and the whole of a small one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "collector/report/html.h"
#include "collector/report/markdown.h"
#include "collector/report/svg.h"

namespace lunscope {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

struct EscapeRow {
  const char* text;
  const char* html;
  const char* markdown;
};

const EscapeRow kEscapes[] = {
    {"iqn.2024-01.test:disk", "iqn.2024-01.test:disk", "iqn.2024-01.test:disk"},
    {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;",
     "&lt;script&gt;alert\\(1\\)&lt;/script&gt;"},
    {"\" onload='x'", "&quot; onload=&#39;x&#39;", "\" onload\\='x'"},
    {"&lt;", "&amp;lt;", "&amp;lt;"},
    {"a|b", "a|b", "a\\|b"},
    {"*a* _b_ `c` ~d~ $e$ ^f", "*a* _b_ `c` ~d~ $e$ ^f",
     "\\*a\\* \\_b\\_ \\`c\\` \\~d\\~ \\$e\\$ \\^f"},
    {"[a](b)", "[a](b)", "\\[a\\]\\(b\\)"},
    {"![a]{b}", "![a]{b}", "\\!\\[a\\]\\{b\\}"},
    {"# a", "# a", "\\# a"},
    {"\\x0a", "\\x0a", "\\\\x0a"},
    // Links and mentions that no markup begins.
    {"http://a.test", "http://a.test", "http:&#47;/a.test"},
    {"www.a.test", "www.a.test", "www&#46;a.test"},
    {"a@b.test", "a@b.test", "a&#64;b.test"},
    // Beginnings of a list.
    {"- a", "- a", "\\- a"},
    {"+ a", "+ a", "\\+ a"},
    {"12. a", "12. a", "12\\. a"},
    {"1)", "1)", "1\\)"},
    {"-", "-", "\\-"},
    {"-a", "-a", "-a"},
    {"12.5 ms", "12.5 ms", "12.5 ms"},
    {"12", "12", "12"},
    {"", "", ""},
};

TEST(Escapes, LeaveNoMarkup) {
  for (const EscapeRow& row : kEscapes) {
    EXPECT_EQ(HtmlEscaped(row.text), row.html);
    EXPECT_EQ(MarkdownEscaped(row.text), row.markdown);
  }
}

// In each place of a report stands the same hostile text.
Report AllIs(const std::string& text) {
  Report report;
  report.facts = {{text, text}};
  report.unseen = {text};
  report.findings = {{FindingSeverity::kWarning, text, {text}, text, "docs/RUNBOOKS.md#x", text}};
  report.tables = {{text, text, {{text}}, {{text}}}};
  report.bars = {{text, {{text, 1}}}};
  report.histograms = {{text, {{text, 1}}}};
  return report;
}

TEST(Writers, EscapeInEveryPlace) {
  const std::string html = ReportHtml(AllIs("</b><i a=\"'"));
  EXPECT_THAT(html, Not(HasSubstr("<i")));
  EXPECT_THAT(html, Not(HasSubstr("a=\"'")));
  const std::string markdown = ReportMarkdown(AllIs("|<i>"));
  EXPECT_THAT(markdown, Not(HasSubstr("<i")));
  EXPECT_THAT(markdown, Not(ContainsRegex("[^\\][|]&lt;")));
  EXPECT_THAT(markdown, HasSubstr("\\|&lt;i&gt;"));
}

TEST(Writers, LoadNothing) {
  const std::string html = ReportHtml(AllIs("a"));
  for (const char* word : {"<script", "src=", "<link", "@import", "url(", "http://", "https://"})
    EXPECT_THAT(html, Not(HasSubstr(word)));
  EXPECT_THAT(html, HasSubstr("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
}

Report Small() {
  Report report;
  report.facts = {{"Version", "lunscope 1"}};
  report.unseen = {"No target's end was seen."};
  report.findings = {{FindingSeverity::kCritical,
                      "iqn.a does not read",
                      {"Seen here."},
                      "Read.",
                      "docs/RUNBOOKS.md#x",
                      "and 2 more"}};
  report.tables = {{"LUNs", "A note.", {{"Target"}, {"LUN", Align::kRight}}, {{"iqn.disk", "1"}}},
                   {"Sessions", "None was up.", {{"Target"}}, {}}};
  report.histograms = {{"iqn.disk LUN 1", {{"16us", 2}, {"32us", 0}, {"64us", 1}}}};
  return report;
}

TEST(Writers, WriteMarkdown) {
  EXPECT_EQ(ReportMarkdown(Small()),
            "# lunscope report\n\n| | |\n|---|---|\n| Version | lunscope 1 |\n"
            "\n## Not seen\n\n- No target's end was seen.\n"
            "\n## Findings\n\n### CRITICAL\n\niqn.a does not read\n\n- Seen here.\n"
            "\nTo do: Read.\n\n[docs/RUNBOOKS.md\\#x](docs/RUNBOOKS.md#x)\n\nand 2 more\n"
            "\n## LUNs\n\nA note.\n\n| Target | LUN |\n|---|---:|\n| iqn.disk | 1 |\n"
            "\n## Sessions\n\nNone was up.\n\n"
            "\n## Durations of the slowest LUNs\n\n| LUN | Up to | Commands |\n|---|---:|---:|\n"
            "| iqn.disk LUN 1 | 16us | 2 |\n| iqn.disk LUN 1 | 32us | 0 |\n"
            "| iqn.disk LUN 1 | 64us | 1 |\n");
}

TEST(Writers, WriteHtml) {
  const std::string html = ReportHtml(Small());
  EXPECT_THAT(html, HasSubstr("<tr><th>Version</th><td>lunscope 1</td></tr>"));
  EXPECT_THAT(html, HasSubstr("<h2>Not seen</h2>\n<ul>\n<li>No target&#39;s end was seen.</li>"));
  EXPECT_THAT(html,
              HasSubstr("<div class=\"finding critical\">\n<p><b>CRITICAL</b> iqn.a does not "
                        "read</p>\n<ul>\n<li>Seen here.</li>\n</ul>\n<p><b>To do:</b> Read.</p>\n"
                        "<p><a href=\"docs/RUNBOOKS.md#x\">docs/RUNBOOKS.md#x</a></p>\n"
                        "<p>and 2 more</p>\n</div>"));
  EXPECT_THAT(html, HasSubstr("<tr><td>iqn.disk</td><td class=\"right\">1</td></tr>"));
  EXPECT_THAT(html, HasSubstr("<h2>Sessions</h2>\n<p>None was up.</p>\n</body>"));
}

TEST(Svg, HasABarOfParts) {
  EXPECT_EQ(SvgOf(ReportBar{"read", {{"send", 1000}, {"wait", 3000}}}),
            "<svg width=\"720\" height=\"40\" viewBox=\"0 0 720 40\" role=\"img\">\n"
            "<title>read</title>\n"
            "<rect x=\"0.0\" y=\"0.0\" width=\"180.0\" height=\"18.0\" fill=\"#4477aa\"/>\n"
            "<rect x=\"0.0\" y=\"26.0\" width=\"10.0\" height=\"10.0\" fill=\"#4477aa\"/>\n"
            "<text x=\"14.0\" y=\"35.0\">send 25 %</text>\n"
            "<rect x=\"180.0\" y=\"0.0\" width=\"540.0\" height=\"18.0\" fill=\"#66ccee\"/>\n"
            "<rect x=\"144.0\" y=\"26.0\" width=\"10.0\" height=\"10.0\" fill=\"#66ccee\"/>\n"
            "<text x=\"158.0\" y=\"35.0\">wait 75 %</text>\n"
            "</svg>\n");
  EXPECT_EQ(SvgOf(ReportBar{"read", {{"send", 0}}}), "");
}

TEST(Svg, HasAColumnForEachBucket) {
  EXPECT_EQ(SvgOf(ReportHistogram{"LUN 1", {{"16us", 4}, {"32us", 1}}}),
            "<svg width=\"720\" height=\"160\" viewBox=\"0 0 720 160\" role=\"img\">\n"
            "<title>LUN 1</title>\n"
            "<rect x=\"1.0\" y=\"14.0\" width=\"58.0\" height=\"120.0\" fill=\"#4477aa\"/>\n"
            "<text x=\"1.0\" y=\"11.0\">4</text>\n"
            "<text x=\"1.0\" y=\"148.0\">16us</text>\n"
            "<rect x=\"61.0\" y=\"104.0\" width=\"58.0\" height=\"30.0\" fill=\"#4477aa\"/>\n"
            "<text x=\"61.0\" y=\"101.0\">1</text>\n"
            "<text x=\"61.0\" y=\"148.0\">32us</text>\n"
            "</svg>\n");
  EXPECT_EQ(SvgOf(ReportHistogram{"LUN 1", {{"16us", 0}}}), "");
}

}  // namespace
}  // namespace lunscope
