// SPDX-License-Identifier: Apache-2.0
// When a finding begins and ends, what is bounded, and the table of rules itself.
#include "collector/diagnosis/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "tests/diagnosis/clinic.h"

namespace lunscope {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A window that is shut for most of each second.
void Shuts(Clinic& clinic, Conversation& on) {
  clinic.host.now_ns += 0;
  on.ShutsWindow(900'000'000).Completes(Read16(0, 8));
}

TEST(Diagnosis, BeginsWhenARuleHasHeldForLong) {
  Clinic clinic;
  Conversation& on = clinic.host.Opens(1).LogsIn().Takes(0).Holds({{0, clinic.host.now_ns}});
  clinic.Looks(2, [&] { Shuts(clinic, on); });
  EXPECT_THAT(clinic.Found(), IsEmpty());
  clinic.Looks(2, [&] { Shuts(clinic, on); });
  EXPECT_THAT(clinic.Found(), ElementsAre("warning window-shut"));
  EXPECT_THAT(clinic.diagnosis.news(), SizeIs(1));
}

TEST(Diagnosis, EndsWhenItHasNotHeldForLong) {
  Clinic clinic;
  clinic.host.Opens(1).LogsIn().SendsBeyond(1);
  clinic.Looks(1);
  const uint64_t since_ns = clinic.host.now_ns;
  EXPECT_EQ(clinic.diagnosis.All().at(0).until_ns, 0);
  clinic.Looks(40);
  const std::vector<Finding> all = clinic.diagnosis.All();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].since_ns, since_ns);
  EXPECT_GT(all[0].until_ns, since_ns);
  EXPECT_LT(all[0].until_ns, since_ns + 21 * kSecondNs);
}

TEST(Diagnosis, PutsTheWorstFirst) {
  Clinic clinic;
  clinic.host.Opens(1).LogsIn().Rejects(4);
  clinic.Looks(1);
  clinic.host.On(1).SendsBeyond(1);
  clinic.Looks(1);
  EXPECT_THAT(clinic.Found(),
              ElementsAre("critical commands-beyond-window", "warning pdu-rejected"));
}

TEST(Diagnosis, ForgetsNothingOfAConnectionThatHasClosed) {
  Clinic clinic;
  clinic.host.Opens(1).LogsIn().Rejects(4).Closes();
  clinic.Looks(1);
  EXPECT_THAT(clinic.Found(), ElementsAre("warning pdu-rejected"));
}

TEST(Diagnosis, BoundsItsFindings) {
  Clinic clinic;
  for (uint64_t id = 1; id <= Diagnosis::kMaxOfRule + 50; id++)
    clinic.host.Opens(id).LogsIn({.target = "iqn.disk" + std::to_string(id)}).Rejects(4);
  clinic.Looks(2);  // the second one counts none again
  EXPECT_THAT(clinic.Found(), SizeIs(Diagnosis::kMaxOfRule));
  EXPECT_EQ(clinic.diagnosis.LeftOut(), "50 findings");
}

// Initiators that send beyond the command window.
std::vector<ConnectionLook> Beyond(size_t count) {
  std::vector<ConnectionLook> looks(count);
  for (size_t i = 0; i < count; i++) {
    looks[i].id = i + 1;
    looks[i].role = kInitiator;
    looks[i].target = "iqn.disk";
    looks[i].initiator = "iqn.host" + std::to_string(i);
    looks[i].local = "192.0.2.1:40000";
    looks[i].remote = "192.0.2.2:3260";
    looks[i].counters.commands_beyond = 1;
  }
  return looks;
}

TEST(Diagnosis, GroupsTenThousandSubjectsOfARule) {
  Diagnosis diagnosis;
  diagnosis.Look(Beyond(10'000), kSecondNs);
  const std::vector<Finding> all = diagnosis.All();
  EXPECT_THAT(all, SizeIs(Diagnosis::kMaxOfRule));
  EXPECT_EQ(diagnosis.LeftOut(), "9936 findings");
  LookedAt looked_at;
  looked_at.beyond = diagnosis.beyond();
  const std::string text = ReportText(all, looked_at, 0);
  size_t shown = 0;
  for (size_t at = 0; (at = text.find("CRITICAL", at)) != std::string::npos; at++) shown++;
  EXPECT_EQ(shown, 3u);
  EXPECT_THAT(text, HasSubstr("\n          and 9,997 more of commands-beyond-window\n\n"
                              "10,000 findings.\n"));
  const Json json = Json::parse(ReportJson(all, looked_at, 0));
  EXPECT_THAT(json["findings"], SizeIs(Diagnosis::kMaxOfRule));
  EXPECT_EQ(json["not_listed"],
            Json({{{"finding", "commands-beyond-window"}, {"subjects", 9936}}}));
}

// The figure is that of the worst look, so that looking again adds nothing.
TEST(Diagnosis, CountsWhatHadNoRoomOnce) {
  Diagnosis diagnosis;
  for (uint64_t look = 1; look <= 3; look++) diagnosis.Look(Beyond(100), look * kSecondNs);
  EXPECT_EQ(diagnosis.LeftOut(), "36 findings");
}

TEST(Diagnosis, LeavesRoomForOtherRules) {
  Clinic clinic;
  for (uint64_t id = 1; id <= 300; id++)
    clinic.host.Opens(id)
        .LogsIn({.target = "iqn.disk" + std::to_string(id)})
        .Rejects(4)
        .RequestsTask(1)
        .SendsBeyond(1);
  clinic.Looks(1);
  const std::vector<std::string> found = clinic.Found();
  for (const char* id :
       {"critical commands-beyond-window", "warning pdu-rejected", "warning commands-aborted"})
    EXPECT_EQ(std::ranges::count(found, id), Diagnosis::kMaxOfRule) << id;
}

TEST(Grouped, KeepsFewFindingsAsTheyAre) {
  Diagnosis diagnosis;
  diagnosis.Look(Beyond(4), kSecondNs);
  const std::vector<Finding> all = diagnosis.All();
  const std::vector<FindingGroup> groups = Grouped(all, {});
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_THAT(groups[0].shown, ElementsAre(&all[0], &all[1], &all[2]));
  EXPECT_EQ(groups[0].MoreText(), "and 1 more of commands-beyond-window");
}

TEST(Tally, BoundsItsEntries) {
  Clinic clinic;
  Tally tally;
  clinic.host.HandOnApplied(
      [&](const lunscope_record& record, const Applied& applied) { tally.Take(record, applied); });
  for (uint64_t id = 1; id <= 2 * Tally::kMaxEntries; id++) {
    clinic.host.now_ns++;
    clinic.host.Opens(id).LogsIn({.target = "iqn.disk" + std::to_string(id)}).Closes();
  }
  EXPECT_THAT(tally.all(), SizeIs(Tally::kMaxEntries));
  // Each has two entries: its login, and its end without a logout.
  EXPECT_EQ(tally.left_out(), 3 * Tally::kMaxEntries);
  tally.Age(clinic.host.now_ns + Tally::kKeptNs + 1);
  EXPECT_THAT(tally.all(), IsEmpty());
}

TEST(Rules, HaveAnIdEachAndAReasonForEachNumber) {
  std::set<std::string_view> ids;
  for (const Rule* rule : AllRules()) {
    EXPECT_TRUE(ids.insert(rule->id).second) << rule->id;
    EXPECT_FALSE(rule->advice.empty()) << rule->id;
    for (const Threshold& threshold : rule->thresholds)
      EXPECT_EQ(threshold.name.empty(), threshold.reason.empty()) << rule->id;
  }
  EXPECT_THAT(ids, SizeIs(38));
}

TEST(Rules, HaveAParagraphInTheRunbooks) {
  std::ifstream file(LUNSCOPE_RUNBOOKS);
  ASSERT_TRUE(file);
  std::stringstream text;
  text << file.rdbuf();
  std::set<std::string> written;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("## ")) written.insert(line.substr(3));
  }
  std::set<std::string> ids;
  for (const Rule* rule : AllRules()) ids.insert(std::string(rule->id));
  EXPECT_EQ(written, ids);
}

const LookedAt kLookedAt{"port 3260", 30 * kSecondNs, 1, 2, {"No target's end was seen."}};

TEST(Report, SaysWhatWasLookedAt) {
  EXPECT_EQ(ReportText({}, kLookedAt, 0),
            "Nothing found.\n"
            "Looked at port 3260 for 30.0 s: 2 commands, 1 connection open at the end\n"
            "Not seen  No target's end was seen.\n");
  EXPECT_EQ(Json::parse(ReportJson({}, kLookedAt, 0)),
            Json({{"findings", Json::array()},
                  {"not_listed", Json::array()},
                  {"looked_at", "port 3260"},
                  {"seconds", 30.0},
                  {"commands", 2},
                  {"connections", 1},
                  {"not_seen", {"No target's end was seen."}}}));
}

TEST(Report, HasAFindingInWordsAndAsJson) {
  Clinic clinic;
  clinic.host.Opens(1).LogsIn().SendsBeyond(1);
  clinic.Looks(1);
  const std::vector<Finding> all = clinic.diagnosis.All();
  EXPECT_TRUE(HasTrouble(all));
  const std::string advice(all.at(0).advice);
  EXPECT_EQ(FindingText(all[0], 0),
            "CRITICAL  iqn.host at 192.0.2.1 sent 1 command with a CmdSN above MaxCmdSN to "
            "iqn.disk, which\n"
            "          ignores them for ever\n"
            "          Seen at the initiator's host, since 00:00:02.\n"
            "  To do:  The initiator breaks the protocol: it must not send beyond MaxCmdSN. Update "
            "it. Until then\n"
            "          a larger window (tgt MaxQueueCmd, LIO cmdsn_depth) makes it seldom.\n"
            "          docs/RUNBOOKS.md#commands-beyond-window\n");
  EXPECT_EQ(Json::parse(FindingJson(all[0], 0)),
            Json({{"finding", "commands-beyond-window"},
                  {"severity", "critical"},
                  {"subject",
                   {{"kind", "initiator"},
                    {"role", "initiator"},
                    {"target", "iqn.disk"},
                    {"initiator", "iqn.host"},
                    {"address", "192.0.2.1"}}},
                  {"sentence",
                   "iqn.host at 192.0.2.1 sent 1 command with a CmdSN above MaxCmdSN to iqn.disk, "
                   "which ignores them for ever"},
                  {"evidence", Json::array()},
                  {"since", "1970-01-01T00:00:02.000000Z"},
                  {"advice", advice},
                  {"runbook", "docs/RUNBOOKS.md#commands-beyond-window"}}));
}

}  // namespace
}  // namespace lunscope
