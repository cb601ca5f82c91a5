// SPDX-License-Identifier: Apache-2.0
//
// Findings for a person, and as JSON. All text is printable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collector/diagnosis/diagnosis.h"
#include "collector/lines/short_names.h"

namespace lunscope {

// The part of the world that was looked at, and the part that could not be seen.
struct LookedAt {
  std::string from;  // "port 3260", "lo.pcapng"
  uint64_t length_ns = 0;
  size_t connections = 0;  // open at the end
  uint64_t commands = 0;
  std::vector<std::string> unseen;  // sentences
  uint64_t begin_ns = 0;            // 0: not known
  std::vector<uint64_t> beyond;     // as Diagnosis has it; empty: none
};

// The findings of one rule, of which the first few are shown.
struct FindingGroup {
  static constexpr size_t kShown = 3;

  const Rule* rule = nullptr;
  std::vector<const Finding*> shown;
  uint64_t more = 0;  // that are not shown, with those that had no room

  // "and 9,997 more of login-refused"; "" if all are shown.
  [[nodiscard]] std::string MoreText() const;
};

// In the order of the first finding of each rule. findings: the worst first; they outlive this.
std::vector<FindingGroup> Grouped(const std::vector<Finding>& findings, const LookedAt& looked_at);
// "1 finding", "10,000 findings": with those that had no room.
std::string FindingsCountText(const std::vector<Finding>& findings, const LookedAt& looked_at);

std::string_view SeverityName(FindingSeverity severity);  // "warning"
const char* SeverityLabel(FindingSeverity severity);      // "WARNING"
// "docs/RUNBOOKS.md#pdu-rejected"
std::string RunbookOf(const Finding& finding);
// "Seen at the target's host, since 14:02:11."
std::string SeenText(const Finding& finding, int64_t wall_clock_offset_ns);
// "port 3260 for 30.0 s: 2 commands, 1 connection open at the end"
std::string LookedAtText(const LookedAt& looked_at);

// Some lines, each with its line end. wall_clock_offset_ns: from the records' clock to the epoch.
std::string FindingText(const Finding& finding, int64_t wall_clock_offset_ns);
// One object, without a line end.
std::string FindingJson(const Finding& finding, int64_t wall_clock_offset_ns);
std::string ReportText(const std::vector<Finding>& findings, const LookedAt& looked_at,
                       int64_t wall_clock_offset_ns);
// One object on one line, with its line end.
std::string ReportJson(const std::vector<Finding>& findings, const LookedAt& looked_at,
                       int64_t wall_clock_offset_ns);

// As a page: those that hold, and those that have ended. left_out: what had no room; "": nothing.
std::string FindingsText(const std::vector<Finding>& findings, std::string_view left_out,
                         int64_t wall_clock_offset_ns);
// One object on one line, with its line end.
std::string FindingsJson(const std::vector<Finding>& findings, std::string_view left_out,
                         int64_t wall_clock_offset_ns);
// The same two for a trace, without a line end: that it begins, or that it has ended. time_ns: when
// that is known. names: of targets.
std::string FindingRow(const Finding& finding, uint64_t time_ns, int64_t wall_clock_offset_ns,
                       ShortNames& names);
std::string FindingLineJson(const Finding& finding, uint64_t time_ns, int64_t wall_clock_offset_ns);
// For the log: that it begins, or that it has ended.
std::string FindingSentence(const Finding& finding);

// Is one of them more than an information?
bool HasTrouble(const std::vector<Finding>& findings);

}  // namespace lunscope
