// SPDX-License-Identifier: Apache-2.0
//
// The findings of a run that goes on: when a look is due, what is said, and what the pages and the
// metrics have.
#include "collector/run/finding_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;
using Notice = Notices::Notice;

constexpr uint8_t kConflict = 0x18;

struct Scene {
  explicit Scene(bool sees_commands = true) : log(LogLevel::kInfo, sees_commands) {
    host.HandOnApplied([this](const lunscope_record& record, const Applied& applied) {
      log.Take(record, applied);
    });
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  void Looks(int looks) {
    for (int look = 0; look < looks; look++) {
      host.now_ns += kSecondNs;
      host.Walks();
      log.Look(host.model(), host.now_ns);
    }
  }
  [[nodiscard]] FindingsObservation Observe() const { return log.Observe(host.now_ns); }
  [[nodiscard]] uint64_t Begun(const std::string& rule) const {
    uint64_t sum = 0;
    for (const auto& [id, begun] : Observe().begun) sum += id == rule ? begun : 0;
    return sum;
  }

  Host host;
  FindingLog log;
};

// The labels of its series.
const FindingLabels kRejected = {
    "pdu-rejected", "warning", LUNSCOPE_ROLE_INITIATOR, "iqn.disk", {}, "iqn.host", "192.0.2.1"};

// A finding of it holds for two minutes.
void Reject(Scene& scene) {
  scene.host.Opens(scene.host.model().connections().size() + 1).LogsIn().Rejects(4);
}

TEST(FindingLog, HasEachRuleFromZero) {
  Scene scene;
  const FindingsObservation observed = scene.Observe();
  EXPECT_THAT(observed.holds, IsEmpty());
  ASSERT_EQ(observed.begun.size(), AllRules().size());
  for (size_t row = 0; row < AllRules().size(); row++)
    EXPECT_EQ(observed.begun[row], std::pair(std::string(AllRules()[row]->id), uint64_t{0}));
}

TEST(FindingLog, HasAFindingWhileItHoldsAndForFiveMinutes) {
  Scene scene;
  Reject(scene);
  scene.Looks(1);
  EXPECT_THAT(scene.Observe().holds, ElementsAre(Pair(kRejected, true)));
  EXPECT_EQ(scene.Begun("pdu-rejected"), 1u);
  int looks = 0;
  for (; scene.Observe().holds.begin()->second; looks++) scene.Looks(1);
  EXPECT_GT(looks, 1);
  EXPECT_THAT(scene.Observe().holds, ElementsAre(Pair(kRejected, false)));
  scene.Looks(298);
  EXPECT_THAT(scene.Observe().holds, ElementsAre(Pair(kRejected, false)));
  scene.Looks(2);
  EXPECT_THAT(scene.Observe().holds, IsEmpty());
  EXPECT_EQ(scene.Begun("pdu-rejected"), 1u);
}

TEST(FindingLog, HasOneSeriesOfAFindingThatComesBack) {
  Scene scene;
  Reject(scene);
  scene.Looks(1);
  while (scene.Observe().holds.begin()->second) scene.Looks(1);
  Reject(scene);
  scene.Looks(1);
  EXPECT_THAT(scene.Observe().holds, ElementsAre(Pair(kRejected, true)));
  EXPECT_EQ(scene.Begun("pdu-rejected"), 2u);
}

TEST(FindingLog, SaysWhenAFindingBeginsAndWhenItEnds) {
  Scene scene;
  Reject(scene);
  scene.Looks(1);
  const std::vector<Notice> began = scene.log.notices().Due(scene.host.now_ns);
  EXPECT_THAT(began, ElementsAre(Notice{
                         LogLevel::kWarning,
                         "pdu-rejected: at the initiator's host: iqn.disk rejects PDUs of iqn.host "
                         "at 192.0.2.1: Protocol Error, once; docs/RUNBOOKS.md#pdu-rejected"}));
  scene.Looks(130);
  const std::vector<Notice> ended = scene.log.notices().Due(scene.host.now_ns);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].level, LogLevel::kWarning);
  EXPECT_THAT(ended[0].sentence, StartsWith("pdu-rejected has ended, after "));
}

TEST(FindingLog, IsAPage) {
  Scene scene;
  EXPECT_EQ(scene.log.Text(0), "Findings: 0 hold, and 0 have ended\n");
  EXPECT_EQ(scene.log.Json(0), "{\"findings\":[],\"hold\":0,\"ended\":0,\"left_out\":\"\"}\n");
  Reject(scene);
  scene.Looks(1);
  EXPECT_THAT(scene.log.Text(0),
              StartsWith("Findings: 1 hold, and 0 have ended\n\nWARNING   iqn.disk rejects PDUs"));
  const Json page = Json::parse(scene.log.Json(0));
  EXPECT_EQ(page["hold"], 1);
  EXPECT_EQ(page["findings"][0]["finding"], "pdu-rejected");
  EXPECT_EQ(page["findings"][0]["runbook"], "docs/RUNBOOKS.md#pdu-rejected");
  EXPECT_FALSE(page["findings"][0].contains("until"));
  scene.Looks(130);
  const Json after = Json::parse(scene.log.Json(0));
  EXPECT_EQ(after["hold"], 0);
  EXPECT_EQ(after["ended"], 1);
  EXPECT_TRUE(after["findings"][0].contains("until"));
}

struct DueRow {
  const char* what;
  std::function<void(Scene&)> happen;
  uint64_t due_ns;  // behind the look
};

TEST(FindingLog, LooksLessOftenWhereNothingHappens) {
  const DueRow rows[] = {
      {"nothing", [](Scene&) {}, FindingLog::kIdleLookNs},
      {"a record", [](Scene& scene) { scene.host.Opens(9).LogsIn(); }, FindingLog::kLookNs},
      {"a finding that holds",
       [](Scene& scene) {
         Reject(scene);
         scene.Looks(1);
       },
       FindingLog::kLookNs},
      {"a command in flight",
       [](Scene& scene) {
         scene.host.Opens(9).LogsIn().Holds({{Lun(1), scene.host.now_ns}});
         scene.Looks(1);
       },
       FindingLog::kLookNs},
  };
  for (const DueRow& row : rows) {
    Scene scene;
    EXPECT_TRUE(scene.log.IsDue(scene.host.now_ns)) << "the first";
    scene.log.Look(scene.host.model(), scene.host.now_ns);
    uint64_t looked_ns = scene.host.now_ns;
    row.happen(scene);
    looked_ns = std::max(looked_ns, scene.host.now_ns);
    EXPECT_FALSE(scene.log.IsDue(looked_ns + row.due_ns - 1)) << row.what;
    EXPECT_TRUE(scene.log.IsDue(looked_ns + row.due_ns)) << row.what;
  }
}

TEST(FindingLog, MakesNothingOfTheFewCommandsThatAreNotAddedUp) {
  for (const bool sees_commands : {true, false}) {
    Scene scene(sees_commands);
    Conversation& on = scene.host.Opens(1).LogsIn();
    for (int i = 0; i < 4; i++) on.Completes(Read16(0, 1).Ending(kConflict));
    scene.Looks(1);
    EXPECT_EQ(scene.Begun("reservation-conflict"), sees_commands ? 1u : 0u);
  }
}

}  // namespace
}  // namespace lunscope
