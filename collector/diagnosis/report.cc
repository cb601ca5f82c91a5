// SPDX-License-Identifier: Apache-2.0
#include "collector/diagnosis/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "collector/base/clock.h"
#include "collector/base/json.h"
#include "collector/base/quantity.h"
#include "collector/diagnosis/words.h"
#include "collector/lines/shared_keys.h"
#include "collector/lines/trace_line.h"
#include "collector/model/lun.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

constexpr size_t kColumns = 100;
constexpr size_t kIndent = 10;

// The text in lines of at most kColumns, behind the label and below it. A word is never cut.
std::string Wrapped(std::string_view label, std::string_view text) {
  std::string lines = fmt::format("{:<{}}", label, kIndent);
  size_t column = kIndent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (column > kIndent && column + 1 + word.size() > kColumns) {
      lines += "\n" + std::string(kIndent, ' ');
      column = kIndent;
    } else if (column > kIndent) {
      lines += ' ';
      column++;
    }
    lines += word;
    column += word.size();
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return lines + "\n";
}

std::string SecondText(uint64_t ns, int64_t offset_ns) {
  return FormatTimeOfDay(static_cast<int64_t>(ns) + offset_ns).substr(0, 8);
}

std::string WhenText(const Finding& finding, int64_t offset_ns) {
  std::string when = "since " + SecondText(finding.since_ns, offset_ns);
  if (finding.until_ns != 0) when += ", until " + SecondText(finding.until_ns, offset_ns);
  return when;
}

void FillSubject(json::Members& line, const Finding& finding) {
  const Subject& subject = finding.subject;
  line.String("kind", SubjectKindName(finding.rule->kind));
  line.String("role", subject.role == LUNSCOPE_ROLE_TARGET ? "target" : "initiator");
  line.String("target", subject.target);
  if (!subject.initiator.empty()) line.String("initiator", subject.initiator);
  if (!subject.address.empty()) line.String("address", subject.address);
  if (subject.lun) line.String("lun", FormatLun(*subject.lun));
}

void FillFinding(json::Members& line, const Finding& finding, int64_t offset_ns) {
  const auto time = [&](uint64_t ns) { return FormatTime(static_cast<int64_t>(ns) + offset_ns); };
  line.String("finding", finding.rule->id);
  line.String("severity", SeverityName(finding.severity));
  line.Object("subject", FillSubject, finding);
  line.String("sentence", finding.sentence);
  line.Array("evidence", [&](json::Elements& list) {
    for (const std::string& sentence : finding.evidence) list.String(sentence);
  });
  line.String("since", time(finding.since_ns));
  if (finding.until_ns != 0) line.String("until", time(finding.until_ns));
  line.String("advice", finding.advice);
  line.String("runbook", RunbookOf(finding));
}

// The rules with more subjects than there is room for.
void FillBeyond(json::Elements& list, const std::vector<uint64_t>& beyond) {
  for (size_t row = 0; row < beyond.size(); row++) {
    if (beyond[row] == 0) continue;
    list.Object([&](json::Members& line) {
      line.String("finding", AllRules()[row]->id);
      line.Number("subjects", beyond[row]);
    });
  }
}

// "pdu-rejected", "pdu-rejected has ended, after 12.0 s"
std::string NewsText(const Finding& finding) {
  if (finding.until_ns == 0) return std::string(finding.rule->id);
  return fmt::format("{} has ended, after {}", finding.rule->id,
                     TimeText(finding.until_ns - finding.since_ns));
}

size_t CountHolding(const std::vector<Finding>& findings) {
  return static_cast<size_t>(std::ranges::count(findings, uint64_t{0}, &Finding::until_ns));
}

}  // namespace

std::string_view SeverityName(FindingSeverity severity) {
  switch (severity) {
    case FindingSeverity::kCritical: return "critical";
    case FindingSeverity::kWarning: return "warning";
    default: return "info";
  }
}

const char* SeverityLabel(FindingSeverity severity) {
  switch (severity) {
    case FindingSeverity::kCritical: return "CRITICAL";
    case FindingSeverity::kWarning: return "WARNING";
    default: return "INFO";
  }
}

std::string RunbookOf(const Finding& finding) {
  return fmt::format("docs/RUNBOOKS.md#{}", finding.rule->id);
}

std::string SeenText(const Finding& finding, int64_t wall_clock_offset_ns) {
  return fmt::format("Seen at {}, {}.", EndText(finding.subject.role),
                     WhenText(finding, wall_clock_offset_ns));
}

std::string LookedAtText(const LookedAt& looked_at) {
  return fmt::format("{} for {}: {}, {} open at the end", looked_at.from,
                     TimeText(looked_at.length_ns), FormatCount(looked_at.commands, "command"),
                     FormatCount(looked_at.connections, "connection"));
}

std::string FindingGroup::MoreText() const {
  if (more == 0) return "";
  return fmt::format("and {} more of {}", NumberText(more), rule->id);
}

std::vector<FindingGroup> Grouped(const std::vector<Finding>& findings, const LookedAt& looked_at) {
  std::vector<FindingGroup> groups;
  for (const Finding& finding : findings) {
    auto group = std::ranges::find(groups, finding.rule, &FindingGroup::rule);
    if (group == groups.end()) {
      const size_t row = RowOf(*finding.rule);
      const uint64_t beyond = row < looked_at.beyond.size() ? looked_at.beyond[row] : 0;
      group = groups.insert(group, {finding.rule, {}, beyond});
    }
    if (group->shown.size() < FindingGroup::kShown) {
      group->shown.push_back(&finding);
    } else {
      group->more++;
    }
  }
  return groups;
}

std::string FindingsCountText(const std::vector<Finding>& findings, const LookedAt& looked_at) {
  const uint64_t count =
      std::accumulate(looked_at.beyond.begin(), looked_at.beyond.end(), findings.size());
  return fmt::format("{} finding{}", NumberText(count), count == 1 ? "" : "s");
}

bool HasTrouble(const std::vector<Finding>& findings) {
  return std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.severity > FindingSeverity::kInfo; });
}

std::string FindingText(const Finding& finding, int64_t wall_clock_offset_ns) {
  std::string text = Wrapped(SeverityLabel(finding.severity), finding.sentence);
  for (const std::string& sentence : finding.evidence) text += Wrapped("", sentence);
  text += Wrapped("", SeenText(finding, wall_clock_offset_ns));
  text += Wrapped("  To do:", finding.advice);
  text += Wrapped("", RunbookOf(finding));
  return text;
}

std::string FindingJson(const Finding& finding, int64_t wall_clock_offset_ns) {
  return json::Object(FillFinding, finding, wall_clock_offset_ns);
}

std::string ReportText(const std::vector<Finding>& findings, const LookedAt& looked_at,
                       int64_t wall_clock_offset_ns) {
  std::string text;
  for (const FindingGroup& group : Grouped(findings, looked_at)) {
    for (const Finding* finding : group.shown)
      text += FindingText(*finding, wall_clock_offset_ns) + "\n";
    if (group.more != 0) text += Wrapped("", group.MoreText()) + "\n";
  }
  text += findings.empty() ? "Nothing found.\n" : FindingsCountText(findings, looked_at) + ".\n";
  text += Wrapped("Looked at", LookedAtText(looked_at));
  for (const std::string& sentence : looked_at.unseen) text += Wrapped("Not seen", sentence);
  return text;
}

std::string ReportJson(const std::vector<Finding>& findings, const LookedAt& looked_at,
                       int64_t wall_clock_offset_ns) {
  const std::string text = json::Object([&](json::Members& line) {
    line.Array("findings", [&](json::Elements& list) {
      for (const Finding& finding : findings)
        list.Object(FillFinding, finding, wall_clock_offset_ns);
    });
    line.Array("not_listed", FillBeyond, looked_at.beyond);
    line.String("looked_at", looked_at.from);
    line.Decimal("seconds", static_cast<double>(looked_at.length_ns) / 1e9, 3);
    line.Number("commands", looked_at.commands);
    line.Number("connections", looked_at.connections);
    line.Array("not_seen", [&](json::Elements& list) {
      for (const std::string& sentence : looked_at.unseen) list.String(sentence);
    });
  });
  return text + "\n";
}

std::string FindingsText(const std::vector<Finding>& findings, std::string_view left_out,
                         int64_t wall_clock_offset_ns) {
  const size_t holding = CountHolding(findings);
  std::string text =
      fmt::format("Findings: {} hold, and {} have ended\n", holding, findings.size() - holding);
  if (!left_out.empty()) text += fmt::format("Too many to be looked at: {}\n", left_out);
  for (const Finding& finding : findings) text += "\n" + FindingText(finding, wall_clock_offset_ns);
  return text;
}

std::string FindingsJson(const std::vector<Finding>& findings, std::string_view left_out,
                         int64_t wall_clock_offset_ns) {
  const size_t holding = CountHolding(findings);
  const std::string text = json::Object([&](json::Members& page) {
    page.Array("findings", [&](json::Elements& list) {
      for (const Finding& finding : findings)
        list.Object(FillFinding, finding, wall_clock_offset_ns);
    });
    page.Number("hold", holding);
    page.Number("ended", findings.size() - holding);
    page.String("left_out", left_out);
  });
  return text + "\n";
}

std::string FindingRow(const Finding& finding, uint64_t time_ns, int64_t wall_clock_offset_ns,
                       ShortNames& names) {
  return fmt::format("{:<15} {:<3} {:<{}} finding {}: {}",
                     FormatTimeOfDay(static_cast<int64_t>(time_ns) + wall_clock_offset_ns),
                     EndName(finding.subject.role), names.Of(finding.subject.target),
                     kTargetColumns, NewsText(finding), finding.sentence);
}

std::string FindingLineJson(const Finding& finding, uint64_t time_ns,
                            int64_t wall_clock_offset_ns) {
  return json::Object([&](json::Members& line) {
    line.String("time", FormatTime(static_cast<int64_t>(time_ns) + wall_clock_offset_ns));
    FillFinding(line, finding, wall_clock_offset_ns);
  });
}

std::string FindingSentence(const Finding& finding) {
  return fmt::format("{}: at {}: {}; {}", NewsText(finding), EndText(finding.subject.role),
                     finding.sentence, RunbookOf(finding));
}

}  // namespace lunscope
