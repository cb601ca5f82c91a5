// SPDX-License-Identifier: Apache-2.0
// A report of a host: what is in it, and that no name is left in one with stand-ins.
#include "collector/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "collector/report/html.h"
#include "collector/report/markdown.h"
#include "tests/model/host.h"

namespace lunscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// Behind the same host: what it knows, what was found, and the report of it.
struct Ward {
  Ward() {
    host.HandOnApplied([this](const lunscope_record& record, const Applied& applied) {
      diagnosis.Take(record, applied);
    });
  }
  Ward(const Ward&) = delete;
  Ward& operator=(const Ward&) = delete;

  void Looks() {
    host.now_ns += kSecondNs;
    host.Walks();
    diagnosis.Look(host.model(), host.now_ns);
  }

  [[nodiscard]] std::vector<Finding> Found(StandIns& names) {
    LearnNames(host.model(), names);
    const std::vector<Finding> all = diagnosis.All();
    LearnNames(all, names);
    std::vector<Finding> covered;
    for (const Finding& finding : all) covered.push_back(WithStandIns(finding, names));
    return covered;
  }

  Report Reports(StandIns& names) {
    const ReportOrigin origin{"1 (abc)", "node7", {}, 0};
    Report report;
    const std::vector<Finding> findings = Found(names);
    AddFindings(findings, WithStandIns(looked_at, names), origin, names, report);
    const Snapshot snapshot = host.See();
    AddSessions(host.model(), 0, names, report);
    AddLuns(snapshot, names, report);
    AddPhases(snapshot, names, report);
    return report;
  }

  LookedAt looked_at{"port 3260", 30 * kSecondNs, 1, 2, {"iqn.disk redirects."}, kSecondNs};
  Host host;
  Diagnosis diagnosis;
};

Report Reported(Ward& ward) {
  StandIns names;
  return ward.Reports(names);
}

TEST(Report, SaysWhatWasLookedAt) {
  Ward ward;
  const Report report = Reported(ward);
  EXPECT_THAT(
      report.facts,
      ElementsAre(
          std::pair("Version", "lunscope 1 (abc)"), std::pair("Host", "node7"),
          std::pair("Looked at", "port 3260 for 30.0 s: 2 commands, 1 connection open at the end"),
          std::pair("From", "1970-01-01T00:00:01.000000Z"),
          std::pair("Until", "1970-01-01T00:00:31.000000Z"), std::pair("Findings", "none")));
  EXPECT_THAT(report.unseen, ElementsAre("iqn.disk redirects."));
  ASSERT_THAT(report.tables, SizeIs(3));
  EXPECT_EQ(report.tables[0].note, "No session was up at the end.");
  EXPECT_EQ(report.tables[1].note, "No command to a LUN was seen.");
  EXPECT_EQ(report.tables[2].note, "No phase of a command is known.");
}

TEST(Report, NamesTheCaptureInThePlaceOfTheHost) {
  StandIns names;
  Report report;
  AddFindings({}, {}, {"1", "", {"a.pcap", "\x1b.pcap"}, 0}, names, report);
  EXPECT_EQ(report.facts.at(1),
            std::pair(std::string("Capture"), std::string("a.pcap, \\x1b.pcap")));
}

TEST(Report, HasTheFindings) {
  Ward ward;
  ward.host.Opens(1).LogsIn().SendsBeyond(1);
  ward.Looks();
  const Report report = Reported(ward);
  ASSERT_THAT(report.findings, SizeIs(1));
  EXPECT_EQ(report.findings[0].severity, FindingSeverity::kCritical);
  EXPECT_EQ(report.findings[0].runbook, "docs/RUNBOOKS.md#commands-beyond-window");
  EXPECT_THAT(report.findings[0].evidence,
              ElementsAre("Seen at the initiator's host, since 00:00:02."));
}

TEST(Report, HasSessionsWithTheirParameters) {
  Ward ward;
  const std::string keys("MaxBurstLength=8192\0InitialR2T=No\0", 34);
  ward.host.Opens(1).LogsIn({.keys = keys, .answer = keys});
  ward.host.Meets(2, kTarget).IsFound();
  ward.Looks();
  const Report report = Reported(ward);
  const ReportTable& table = report.tables.at(0);
  ASSERT_THAT(table.rows, SizeIs(2));
  EXPECT_EQ(table.rows[0].at(0), "initiator");
  EXPECT_EQ(table.rows[0].at(1), "up");
  EXPECT_EQ(table.rows[0].at(4), "iqn.disk");
  EXPECT_EQ(table.rows[0].at(5), "iqn.host");
  EXPECT_THAT(table.rows[0].at(6), HasSubstr("CID 0: 192.0.2.1:"));
  EXPECT_THAT(table.rows[0].at(7), HasSubstr("InitialR2T=No, "));
  EXPECT_THAT(table.rows[0].at(7), HasSubstr("MaxBurstLength=8192, "));
  EXPECT_THAT(table.rows[0].at(7), HasSubstr("initiator MaxRecvDataSegmentLength=8192, target "
                                             "MaxRecvDataSegmentLength=8192"));
  EXPECT_EQ(table.rows[1].at(0), "target");
  EXPECT_EQ(table.rows[1].at(1), "open before");
  EXPECT_EQ(table.rows[1].at(7), "not known");
}

TEST(Report, HasTheSlowestLunFirst) {
  Ward ward;
  Conversation& on = ward.host.Opens(1).LogsIn();
  on.Completes(Read16(0, 8).OnLun(Lun(1)).Taking(20'000));
  on.Completes(Read16(0, 8).OnLun(Lun(2)).Taking(9'000'000).Ending(8));
  const Report report = Reported(ward);
  const ReportTable& table = report.tables.at(1);
  ASSERT_THAT(table.rows, SizeIs(2));
  // End, target, LUN, commands, errors, without a status, in flight, read, written, mean.
  EXPECT_EQ(table.rows[0].at(2), "2");
  EXPECT_EQ(table.rows[0].at(3), "1");
  EXPECT_EQ(table.rows[0].at(4), "1");
  EXPECT_EQ(table.rows[0].at(9), "9.0ms");
  EXPECT_EQ(table.rows[1].at(2), "1");
  EXPECT_EQ(table.rows[1].at(4), "0");
  EXPECT_EQ(table.rows[1].at(7), "4096");
  ASSERT_THAT(report.histograms, SizeIs(2));
  EXPECT_EQ(report.histograms[0].label, "iqn.disk LUN 2, initiator's end");
  EXPECT_THAT(report.histograms[1].buckets, ElementsAre(std::pair("32.0us", 1)));
}

TEST(Report, ListsTwentyLuns) {
  Ward ward;
  Conversation& on = ward.host.Opens(1).LogsIn();
  for (uint8_t lun = 0; lun < 25; lun++) on.Completes(Read16(0, 8).OnLun(Lun(lun)).Taking(1000));
  const ReportTable table = Reported(ward).tables.at(1);
  EXPECT_THAT(table.rows, SizeIs(20));
  EXPECT_THAT(table.note, HasSubstr(" 5 more are not listed."));
}

TEST(Report, HasPhasesOfEachOperation) {
  Ward ward;
  Conversation& on = ward.host.Opens(1, kTarget).LogsIn();
  on.Completes(Read16(0, 8).Taking(4'000'000).Spending(LUNSCOPE_PHASE_QUEUE, 1'000'000));
  const Report report = Reported(ward);
  const ReportTable& table = report.tables.at(2);
  ASSERT_THAT(table.rows, SizeIs(2));
  EXPECT_THAT(table.rows[0],
              ElementsAre("target", "iqn.disk", "read", "queue", "1", "1.0ms", "1.0ms", "25 %"));
  EXPECT_THAT(table.rows[1],
              ElementsAre("target", "iqn.disk", "read", "service", "1", "3.0ms", "3.0ms", "75 %"));
  ASSERT_THAT(report.bars, SizeIs(1));
  EXPECT_EQ(report.bars[0].label, "read of iqn.disk, target's end: 4.0ms in all");
}

// Every kind of name that a report may have.
void FillWithNames(Ward& ward) {
  const std::string keys("InitiatorAlias=alias.of.host\0", 29);
  Conversation& on = ward.host.Opens(1).LogsIn({.keys = keys});
  ward.host.Runs(1, {4711, "qemu-secret", "guest-secret", "/cgroup-secret", ""});
  on.SendsBeyond(1).Rejects(4).RequestsTask(1);
  on.Completes(Read16(0, 8).Taking(4'000'000).Spending(LUNSCOPE_PHASE_SEND, 1'000'000));
  HostSession session{kInitiator, kDisk, kHost, {}, {}, "sysfs", {}, {}};
  session.luns[0] = {"sdsecret", "mpathsecret", {"/mnt/secret"}, 0};
  ward.host.HasLuns({session});
  ward.Looks();
}

constexpr const char* kSecrets[] = {"iqn.",        "192.0.2.",     "node7",         "alias.of.host",
                                    "qemu-",       "guest-secret", "cgroup-secret", "sdsecret",
                                    "mpathsecret", "/mnt/secret"};

TEST(Report, WithStandInsHasNoName) {
  Ward ward;
  FillWithNames(ward);
  StandIns plain;
  const std::string open = ReportMarkdown(ward.Reports(plain));
  for (const char* secret : {"iqn.host", "192.0.2.1", "node7", "alias.of.host", "qemu-secret",
                             "guest-secret", "sdsecret", "mpathsecret", "/mnt/secret"})
    EXPECT_THAT(open, HasSubstr(secret));  // else the test below would prove nothing
  StandIns names(true);
  const Report report = ward.Reports(names);
  ASSERT_THAT(report.findings, Not(IsEmpty()));
  const std::vector<Finding> findings = ward.Found(names);
  const LookedAt looked_at = WithStandIns(ward.looked_at, names);
  const std::string texts[] = {ReportHtml(report), ReportMarkdown(report),
                               ReportText(findings, looked_at, 0),
                               ReportJson(findings, looked_at, 0)};
  for (const std::string& text : texts) {
    for (const char* secret : kSecrets) EXPECT_THAT(text, Not(HasSubstr(secret)));
    EXPECT_THAT(text, HasSubstr("initiator-1 at host-1 sent 1 command with a CmdSN above MaxCmdSN "
                                "to target-1"));
  }
  EXPECT_EQ(report.tables.at(0).rows.at(0).at(5), "initiator-1");
  EXPECT_EQ(report.tables.at(1).rows.at(0).at(1), "target-1");
  EXPECT_EQ(report.unseen.at(0), "target-1 redirects.");
}

}  // namespace
}  // namespace lunscope
