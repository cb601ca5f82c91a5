// SPDX-License-Identifier: Apache-2.0
//
// Findings in a trace: when it looks, and what it prints.
#include "collector/run/finding_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/run/scripted_source.h"

namespace lunscope {
namespace {

using Json = nlohmann::json;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A host whose target rejects a PDU, and a trace of it.
struct Traced {
  explicit Traced(bool is_on) : findings(tracer, is_on) {
    watcher.set_listener([this](const lunscope_record& record, const Applied& applied) {
      findings.Take(record, applied);
    });
    script->Record(host);
    host.Opens(1).LogsIn().Rejects(4);
    watcher.Drain();
  }
  Traced(const Traced&) = delete;
  Traced& operator=(const Traced&) = delete;

  SourceList Sources() {
    SourceList sources;
    sources.push_back(std::make_unique<ScriptedSource>(script));
    return sources;
  }
  // The lines of a look so long after the first records.
  std::vector<Json> LooksAt(uint64_t seconds, uint64_t from_ns = 0) {
    findings.Look(watcher, host.now_ns + seconds * kSecondNs, from_ns);
    testing::internal::CaptureStdout();
    tracer.Flush(UINT64_MAX);
    std::istringstream text(testing::internal::GetCapturedStdout());
    std::vector<Json> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
    return lines;
  }

  Host host;
  std::shared_ptr<Script> script = std::make_shared<Script>();
  Watcher watcher{Sources(), ModelOptions{}};
  LineOptions options{.json = true};
  Tracer tracer{options, [] { return int64_t{0}; }};
  FindingLines findings;
};

TEST(FindingLines, SayThatAFindingBeginsAndEnds) {
  Traced traced(true);
  const std::vector<Json> begun = traced.LooksAt(1);
  ASSERT_THAT(begun, SizeIs(1));
  EXPECT_EQ(begun[0]["finding"], "pdu-rejected");
  EXPECT_FALSE(begun[0].contains("until"));
  EXPECT_THAT(traced.LooksAt(2), IsEmpty());
  const std::vector<Json> ended = traced.LooksAt(300);
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_EQ(ended[0]["finding"], "pdu-rejected");
  EXPECT_TRUE(ended[0].contains("until"));
}

TEST(FindingLines, AreNotShownFromBefore) {
  Traced traced(true);
  EXPECT_THAT(traced.LooksAt(1, UINT64_MAX), IsEmpty());
}

TEST(FindingLines, LookOnceASecondWhileSomethingHolds) {
  Traced traced(true);
  traced.LooksAt(1);
  const uint64_t looked_ns = traced.host.now_ns + kSecondNs;
  EXPECT_FALSE(traced.findings.IsDue(looked_ns + FindingLines::kLookNs - 1));
  EXPECT_TRUE(traced.findings.IsDue(looked_ns + FindingLines::kLookNs));
  traced.LooksAt(300);
  const uint64_t idle_ns = traced.host.now_ns + 300 * kSecondNs;
  EXPECT_FALSE(traced.findings.IsDue(idle_ns + FindingLines::kIdleLookNs - 1));
  EXPECT_TRUE(traced.findings.IsDue(idle_ns + FindingLines::kIdleLookNs));
}

TEST(FindingLines, AreNoneIfTheyAreOff) {
  Traced traced(false);
  EXPECT_FALSE(traced.findings.IsDue(UINT64_MAX));
  EXPECT_THAT(traced.LooksAt(1), IsEmpty());
}

}  // namespace
}  // namespace lunscope
