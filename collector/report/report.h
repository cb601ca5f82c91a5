// SPDX-License-Identifier: Apache-2.0
//
// A report for a ticket, as a value: what was looked at, the findings, and what the model knows of
// sessions, LUNs and time. It is filled here and written by html.h and markdown.h. Texts are as
// they are, printable and not escaped. No data of a command is in it.
//
// Pure: no clock, no I/O.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/text_table.h"
#include "collector/diagnosis/diagnosis.h"
#include "collector/diagnosis/report.h"
#include "collector/model/applied.h"
#include "collector/model/model.h"
#include "collector/report/stand_ins.h"

namespace lunscope {

struct ReportFinding {
  FindingSeverity severity = FindingSeverity::kInfo;
  std::string sentence;
  std::vector<std::string> evidence;  // sentences; the last one says where and when
  std::string advice;
  std::string runbook;  // "docs/RUNBOOKS.md#pdu-rejected"
  std::string more;     // further subjects of the same rule: "and 2 more ..."; "": none
};

struct ReportTable {
  std::string title;
  std::string note;  // "": none
  std::vector<TextTable::Column> columns;
  std::vector<std::vector<std::string>> rows;  // none: only the note is shown
};

// A bar of parts, each with its name and its nanoseconds.
struct ReportBar {
  std::string label;
  std::vector<std::pair<std::string, uint64_t>> parts;
};

// Commands by the upper bound of their duration, as text.
struct ReportHistogram {
  std::string label;
  std::vector<std::pair<std::string, uint64_t>> buckets;
};

struct Report {
  std::vector<std::pair<std::string, std::string>> facts;  // "Version", "lunscope 0.1.0"
  std::vector<std::string> unseen;                         // sentences
  std::vector<ReportFinding> findings;                     // the worst first
  std::vector<ReportTable> tables;
  std::vector<ReportBar> bars;
  std::vector<ReportHistogram> histograms;
};

// The place and time of a report.
struct ReportOrigin {
  std::string version;                // "0.1.0 (123456789abc)"
  std::string host;                   // its name; "": a capture was read
  std::vector<std::string> captures;  // names of files
  int64_t wall_clock_offset_ns = 0;   // from the records' clock to the epoch
};

// Give stand-ins to the names that the model knows, so that sentences lose them.
void LearnNames(const Model& model, StandIns& names);
void LearnNames(const Applied& applied,
                StandIns& names);  // of a connection that ends, and the like
void LearnNames(const std::vector<Finding>& findings, StandIns& names);

// The same finding, with stand-ins.
Finding WithStandIns(const Finding& finding, StandIns& names);
LookedAt WithStandIns(const LookedAt& looked_at, StandIns& names);

// The parts of a report. Each gives stand-ins to all names, if these are on. For the first one they
// have been given: findings and looked_at are as WithStandIns() returns them.
void AddFindings(const std::vector<Finding>& findings, const LookedAt& looked_at,
                 const ReportOrigin& origin, StandIns& names, Report& report);
void AddSessions(const Model& model, int64_t wall_clock_offset_ns, StandIns& names, Report& report);
// The LUNs with the longest p99, and histograms of the first of them.
void AddLuns(const Snapshot& snapshot, StandIns& names, Report& report);
// The phases of each target and operation, where they are known, and a bar for each.
void AddPhases(const Snapshot& snapshot, StandIns& names, Report& report);

}  // namespace lunscope
