// SPDX-License-Identifier: Apache-2.0
//
// All judges of a command give the answer of the one table (outcome.h). They are a row of a trace,
// the JSON object, the summary, the metrics, and the kernel half, which adds up commands without an
// error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lunscope/aggregate.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "collector/lines/summary.h"
#include "collector/lines/trace_line.h"
#include "collector/metrics/metrics.h"
#include "tests/model/host.h"
#include "tests/model/layers.h"

namespace lunscope {
namespace {

using Json = nlohmann::json;

constexpr uint8_t kConditionMet = 0x04;
constexpr uint8_t kBusy = 0x08;
constexpr uint8_t kDidTimeOut = 0x03;

// The answers of all judges for one command.
struct Answers {
  std::string words;    // at the end of the row
  std::string status;   // in JSON; "": no such key
  std::string summary;  // "errors of commands"
  double errors = 0;    // in the metrics

  bool operator==(const Answers&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Answers& answers) {
  return out << answers.words << ", status \"" << answers.status << "\", " << answers.summary
             << " in the summary, " << answers.errors << " in the metrics";
}

std::string InSummary(const TracedCommand& traced) {
  Summary summary;
  if (traced.applied.verdict.is_end()) summary.Add(traced);
  std::istringstream lines(summary.Format());
  std::string line;
  std::getline(lines, line);
  std::getline(lines, line);
  std::istringstream words(line);
  const std::vector<std::string> row{std::istream_iterator<std::string>(words), {}};
  return row.empty() ? "none" : row.at(3) + " of " + row.at(2);
}

double ErrorsInMetrics(const Host& host) {
  Observation observation;
  observation.snapshot = host.See();
  observation.layers = LayersObservation{{}, 0, true, true, false};
  std::istringstream page(FormatMetrics(observation));
  double errors = 0;
  for (std::string line; std::getline(page, line);) {
    if (line.find("command_errors_total{") != std::string::npos)
      errors += std::stod(line.substr(line.rfind(' ')));
  }
  return errors;
}

Answers Ask(const Host& host, const TracedCommand& traced) {
  // The last column: what stands behind the duration.
  const std::string row = TableRow(traced);
  const std::string duration = "1.0ms ";
  const Json object = Json::parse(JsonObject(traced));
  return {row.substr(row.find(duration) + duration.size()), object.value("status", ""),
          InSummary(traced), ErrorsInMetrics(host)};
}

struct IscsiRow {
  const char* what;
  Command command;
  Answers answers;
};

const IscsiRow kIscsi[] = {
    {"good", Read16(0, 1), {"Good", "Good", "0 of 1", 0}},
    {"busy", Read16(0, 1).Ending(kBusy), {"Busy", "Busy", "1 of 1", 1}},
    {"condition met",
     Read16(0, 1).Ending(kConditionMet),
     {"Condition Met", "Condition Met", "0 of 1", 0}},
    {"intermediate",
     Read16(0, 1).Ending(0x10),
     {"Intermediate (obsolete)", "Intermediate (obsolete)", "0 of 1", 0}},
    {"intermediate, condition met",
     Read16(0, 1).Ending(0x14),
     {"Intermediate-Condition Met (obsolete)", "Intermediate-Condition Met (obsolete)", "0 of 1",
      0}},
    {"sense",
     Read16(0, 1).Sensing(5, 0x21, 0),
     {"Check 5/21/00 Illegal Request: Logical block address out of range", "Check Condition",
      "1 of 1", 1}},
    {"a deferred error",
     Read16(0, 1).Sensing({0x71, 0, 3, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0x0c, 0}),
     {"Check, deferred 3/0c/00 Medium Error: Write error", "Check Condition", "1 of 1", 1}},
    {"sense that was lost",
     Read16(0, 1).Ending(SCSI_STATUS_CHECK_CONDITION),
     {"Check Condition", "Check Condition", "1 of 1", 1}},
    {"good, with sense",
     Read16(0, 1).Sensing(1, 0x17, 1).Ending(SCSI_STATUS_GOOD),
     {"Good", "Good", "0 of 1", 0}},
    {"busy, with sense",
     Read16(0, 1).Sensing(5, 0x21, 0).Ending(kBusy),
     {"Busy", "Busy", "1 of 1", 1}},
    {"target failure", Read16(0, 1).Responding(1), {"target failure", "", "1 of 1", 1}},
    {"target failure, with a status",
     Read16(0, 1).Responding(1).Ending(kBusy),
     {"target failure", "", "1 of 1", 1}},
};

TEST(Judges, AgreeOnACommandOfIscsi) {
  for (const IscsiRow& row : kIscsi) {
    Host host;
    Command command = row.command;
    host.Opens(1).LogsIn().Completes(command.Taking(1'000'000));
    const lunscope_command_record& record = command.record.command;
    const Applied applied{
        .connection = host.model().FindConnection(1), .device_type = 0, .verdict = Judge(record)};
    EXPECT_EQ(Ask(host, {record, applied, 0}), row.answers) << row.what;

    uint8_t bhs[ISCSI_BHS_BYTES] = {ISCSI_SCSI_RESPONSE, 0, record.response, record.status};
    EXPECT_EQ(lunscope_is_success(bhs) != 0, row.answers.errors == 0) << row.what;
  }
}

struct LayerRow {
  const char* what;
  Dispatched ended;
  Answers answers;
};

const LayerRow kLayer[] = {
    {"good", Dispatched(1, Read16(0, 1)), {"Good", "Good", "0 of 1", 0}},
    {"sense",
     Dispatched(1, Read16(0, 1).Sensing(3, 0x11, 0)),
     {"Check 3/11/00 Medium Error: Unrecovered read error", "Check Condition", "1 of 1", 1}},
    {"host status",
     Dispatched(1, Read16(0, 1)).Failing(kDidTimeOut),
     {"DID_TIME_OUT", "", "1 of 1", 1}},
    {"host status, with a status",
     Dispatched(1, Read16(0, 1).Ending(kBusy)).Failing(kDidTimeOut),
     {"DID_TIME_OUT", "", "1 of 1", 1}},
    {"a timer that ran out", Dispatched(1, Read16(0, 1)).TimingOut(), {"Timed out", "", "none", 0}},
};

TEST(Judges, AgreeOnACommandOfALayer) {
  for (const LayerRow& row : kLayer) {
    Host host;
    host.Apply(NexusRecord(1).Below("scsi_debug").record);
    Dispatched ended = row.ended;
    lunscope_command_record& record = ended.record.sensed.command;
    record.duration_ns = 1'000'000;
    const Applied applied = host.Apply(ended.record);
    EXPECT_EQ(Ask(host, {record, applied, 0}), row.answers) << row.what;
  }
}

}  // namespace
}  // namespace lunscope
