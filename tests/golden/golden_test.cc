// SPDX-License-Identifier: Apache-2.0
//
// Each output of lunscope, compared as a whole with a golden file in this folder.
#include "tests/golden/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include <nlohmann/json.hpp>

#include "collector/lines/session_list.h"
#include "collector/lines/summary.h"
#include "tests/lines/pdu_lines.h"

namespace lunscope {
namespace {

TEST(Golden, Metrics) { ExpectGolden("golden.metrics", FormatMetrics(FixedObservation())); }

TEST(Golden, TraceTable) {
  setenv("TZ", "UTC", 1);
  std::string table = TableHeader() + "\n";
  ShortNames names(kTargetColumns);
  const FixedTrace trace;
  for (TracedCommand command : trace.commands()) {
    command.names = &names;
    table += TableRow(command) + "\n";
  }
  ExpectGolden("golden.trace.txt", table);
}

TEST(Golden, TraceJson) {
  std::string lines;
  const FixedTrace trace;
  for (const TracedCommand& command : trace.commands()) lines += JsonObject(command) + "\n";
  ExpectGolden("golden.trace.jsonl", lines);
}

TEST(Golden, PduJson) {
  std::string lines;
  for (const NamedPdu& pdu : VectorPdus()) lines += LineOf(pdu.wire) + "\n";
  ExpectGolden("golden.pdu.jsonl", lines);
}

TEST(Golden, SessionsTable) {
  const FixedSessions fixed;
  ExpectGolden("golden.sessions.txt", SessionsTable(fixed.model(), fixed.wall_clock_offset_ns()));
}

// The output is one line. The file has it as nlohmann-json reads and indents it, which also shows
// that it is valid JSON.
TEST(Golden, SessionsJson) {
  const FixedSessions fixed;
  const std::string text = SessionsJson(fixed.model(), fixed.wall_clock_offset_ns());
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  ExpectGolden("golden.sessions.json", nlohmann::ordered_json::parse(text).dump(1) + "\n");
}

TEST(Golden, SessionsJsonOfAnEmptyModel) {
  const Model model;
  EXPECT_EQ(SessionsJson(model, 0),
            R"({"sessions":[],"other_connections":[],"targets":[],"targets_left_out":0})"
            "\n");
}

TEST(Golden, Summary) {
  Summary summary;
  const FixedTrace trace;
  for (const TracedCommand& command : trace.commands()) summary.Add(command);
  ExpectGolden("golden.summary.txt", summary.Format());
}

}  // namespace
}  // namespace lunscope
