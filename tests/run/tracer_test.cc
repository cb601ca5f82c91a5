// SPDX-License-Identifier: Apache-2.0
//
// A trace prints rows of a host's records: which rows, when, and in which order.
#include "collector/run/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "collector/base/clock.h"
#include "tests/model/host.h"

namespace lunscope {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class TracerTest : public ::testing::Test {
 protected:
  TracerTest() {
    host_.HandOn([this](const lunscope_record& record) {
      const Applied applied = model_.Apply(record);
      if (tracer_) tracer_->Take(record, applied);
    });
  }

  // Print the host's records from now on.
  void Trace(const LineOptions& options) {
    options_ = options;
    tracer_.emplace(options_, [] { return int64_t{0}; });
  }

  // The lines that this prints on standard output.
  static std::vector<std::string> LinesOf(const std::function<void()>& print) {
    testing::internal::CaptureStdout();
    print();
    std::istringstream text(testing::internal::GetCapturedStdout());
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  // Complete a command whose status came at this time.
  void CompletesAt(uint64_t time_ns, uint64_t lba) {
    host_.now_ns = time_ns;
    host_.On(1).Completes(Read16(lba, 8));
  }

  LineOptions options_;
  Host host_;
  Model model_;  // of what the host tells
  std::optional<Tracer> tracer_;
};

TEST_F(TracerTest, BeginsWithTheHeadOfItsTable) {
  Trace({});
  EXPECT_THAT(LinesOf([&] { tracer_->Begin(); }), ElementsAre(StartsWith("TIME")));
  Trace({.json = true});
  EXPECT_THAT(LinesOf([&] { tracer_->Begin(); }), IsEmpty());
  Trace({.pdus = true});
  EXPECT_THAT(LinesOf([&] { tracer_->Begin(); }), ElementsAre(StartsWith("TIME")));
  Trace({.json = true, .pdus = true});
  EXPECT_THAT(LinesOf([&] { tracer_->Begin(); }), IsEmpty());
}

TEST_F(TracerTest, PrintsInTheOrderOfTimesWhatIsOldEnough) {
  host_.Opens(1);
  Trace({.json = true});
  for (const auto& [time_ns, lba] : {std::pair(30, 3), {10, 1}, {20, 2}, {40, 4}})
    CompletesAt(static_cast<uint64_t>(time_ns), static_cast<uint64_t>(lba));
  EXPECT_THAT(LinesOf([&] { EXPECT_TRUE(tracer_->Flush(30)); }),
              ElementsAre(HasSubstr("\"lba\":1,"), HasSubstr("\"lba\":2,")));
  CompletesAt(35, 9);
  EXPECT_THAT(
      LinesOf([&] { tracer_->End(); }),
      ElementsAre(HasSubstr("\"lba\":3,"), HasSubstr("\"lba\":9,"), HasSubstr("\"lba\":4,")));
}

// A finding about the target of connection 1, which begins at 1 s.
Finding Rejected(uint64_t until_ns = 0) {
  const auto* rule = *std::ranges::find(AllRules(), "pdu-rejected", &Rule::id);
  return {rule,
          FindingSeverity::kWarning,
          {kTarget, kDisk, kHost, "192.0.2.1"},
          "it rejects PDUs",
          {},
          "Look.",
          1'000'000'000,
          until_ns};
}

TEST_F(TracerTest, HasALineForAFindingAmongTheOthers) {
  setenv("TZ", "UTC", 1);
  tzset();
  host_.Opens(1);
  Trace({.json = true});
  CompletesAt(3'000'000'000, 3);
  tracer_->TakeFinding(Rejected(), 2'000'000'000);
  CompletesAt(1'000'000'000, 1);
  EXPECT_THAT(
      LinesOf([&] { tracer_->End(); }),
      ElementsAre(
          HasSubstr("\"lba\":1,"),
          "{\"time\":\"1970-01-01T00:00:02.000000Z\",\"finding\":\"pdu-rejected\","
          "\"severity\":\"warning\",\"subject\":{\"kind\":\"initiator\",\"role\":\"target\","
          "\"target\":\"iqn.disk\",\"initiator\":\"iqn.host\",\"address\":\"192.0.2.1\"},"
          "\"sentence\":\"it rejects PDUs\",\"evidence\":[],"
          "\"since\":\"1970-01-01T00:00:01.000000Z\",\"advice\":\"Look.\","
          "\"runbook\":\"docs/RUNBOOKS.md#pdu-rejected\"}",
          HasSubstr("\"lba\":3,")));
  Trace({});
  tracer_->TakeFinding(Rejected(), 2'000'000'000);
  tracer_->TakeFinding(Rejected(6'000'000'000), 7'000'000'000);
  EXPECT_THAT(LinesOf([&] { tracer_->End(); }),
              ElementsAre("1970-01-01 +0000",
                          "00:00:02.000000 tgt iqn.disk         finding pdu-rejected: it rejects "
                          "PDUs",
                          "00:00:07.000000 tgt iqn.disk         finding pdu-rejected has ended, "
                          "after 5.0 s: it rejects PDUs"));
}

TEST_F(TracerTest, HasNoFindingBehindItsCount) {
  host_.Opens(1);
  Trace({.json = true, .count = 1});
  CompletesAt(1, 1);
  tracer_->TakeFinding(Rejected(), 2);
  EXPECT_EQ(LinesOf([&] { tracer_->End(); }).size(), 1u);
}

TEST_F(TracerTest, IsDoneAfterACount) {
  host_.Opens(1);
  Trace({.json = true, .count = 2});
  CompletesAt(1, 1);
  EXPECT_FALSE(tracer_->is_done());
  CompletesAt(2, 2);
  EXPECT_TRUE(tracer_->is_done());
  CompletesAt(3, 3);
  EXPECT_EQ(LinesOf([&] { tracer_->End(); }).size(), 2u);
}

TEST_F(TracerTest, HasALineForEachDayThatIsNotToday) {
  setenv("TZ", "UTC", 1);
  tzset();
  constexpr uint64_t kDay = 86'400'000'000'000;
  host_.Opens(1);
  Trace({});
  for (const uint64_t time_ns : {uint64_t{1}, uint64_t{2}, kDay}) CompletesAt(time_ns, 1);
  EXPECT_THAT(LinesOf([&] { tracer_->End(); }),
              ElementsAre("1970-01-01 +0000", StartsWith("00:00:00"), StartsWith("00:00:00"),
                          "1970-01-02 +0000", StartsWith("00:00:00")));
  Trace({});
  CompletesAt(MonotonicNs() + static_cast<uint64_t>(WallClockOffsetNs()), 1);
  EXPECT_EQ(LinesOf([&] { tracer_->End(); }).size(), 1u) << "today";
  Trace({.json = true});
  CompletesAt(1, 1);
  EXPECT_EQ(LinesOf([&] { tracer_->End(); }).size(), 1u);
}

// Before the first row that has it.
TEST_F(TracerTest, SaysOnceWhatAShortNameStandsFor) {
  host_.Opens(1).LogsIn({.target = "iqn.2024-01.org.example:storage.disk1"});
  Trace({});
  CompletesAt(MonotonicNs() + static_cast<uint64_t>(WallClockOffsetNs()), 1);
  EXPECT_THAT(LinesOf([&] { tracer_->End(); }),
              ElementsAre("..storage.disk1 is iqn.2024-01.org.example:storage.disk1",
                          HasSubstr(" ini ..storage.disk1 ")));
  CompletesAt(MonotonicNs() + static_cast<uint64_t>(WallClockOffsetNs()), 2);
  EXPECT_EQ(LinesOf([&] { tracer_->End(); }).size(), 1u);
}

// A walk shows the commands in flight: the list is sorted by age, and counts as no line.
TEST_F(TracerTest, ListsWhatIsInFlight) {
  const std::string long_name = "iqn.2024-01.org.example:storage.disk1";
  const std::string explained = "..storage.disk1 is " + long_name;
  host_.Opens(1).LogsIn({.target = long_name});
  host_.HandOn(
      [this](const lunscope_record& record) { tracer_->TakeOpen(record, model_.Apply(record)); });
  const auto walk = [&] {
    for (const auto& [lba, age_ns] : {std::pair(1, 10), {2, 30}, {3, 20}}) {
      Command command = Read16(static_cast<uint64_t>(lba), 8).Taking(static_cast<uint64_t>(age_ns));
      command.record.command.no_status = LUNSCOPE_OPEN;
      host_.On(1).Completes(command);
    }
  };
  Trace({.json = true});
  walk();
  EXPECT_THAT(LinesOf([&] { tracer_->End(); }),
              ElementsAre(HasSubstr("\"lba\":2,"), HasSubstr("\"lba\":3,"),
                          AllOf(HasSubstr("\"lba\":1,"), HasSubstr("\"no_status\":\"open\""))));
  Trace({});
  walk();
  testing::internal::CaptureStderr();
  EXPECT_THAT(LinesOf([&] { tracer_->SayOpen(); }), ElementsAre(explained));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(StartsWith("lunscope: 3 commands are in flight\n" + explained + "\n"),
                    HasSubstr(" ini ..storage.disk1 "), HasSubstr("No status yet")));
  EXPECT_THAT(LinesOf([&] { tracer_->End(); }), IsEmpty()) << "it was said";
}

TEST_F(TracerTest, EndsWithASummary) {
  host_.Opens(1);
  Trace({.summary = true});
  CompletesAt(1, 1);
  CompletesAt(2, 2);
  const std::vector<std::string> lines = LinesOf([&] { tracer_->End(); });
  ASSERT_GT(lines.size(), 4u);
  EXPECT_EQ(lines[3], "");
  EXPECT_THAT(lines.back(), AllOf(HasSubstr("Read(16)"), HasSubstr("initiator")));
}

TEST_F(TracerTest, ASummaryDoesNotMixWithJson) {
  host_.Opens(1);
  Trace({.json = true, .summary = true});
  CompletesAt(1, 1);
  testing::internal::CaptureStderr();
  const std::vector<std::string> lines = LinesOf([&] { tracer_->End(); });
  EXPECT_THAT(lines, ElementsAre(StartsWith("{")));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("Read(16)"));
}

TEST_F(TracerTest, AnnouncesOnceAConnectionThatWasOpenBefore) {
  Trace({});
  testing::internal::CaptureStderr();
  host_.Meets(1).IsFound();
  host_.On(1).IsFound();
  host_.Opens(2);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("was open before: its login was not seen"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
}

TEST_F(TracerTest, WithPdusCommandsHaveNoLines) {
  host_.Opens(1);
  Trace({.pdus = true});
  CompletesAt(1, 1);
  EXPECT_THAT(LinesOf([&] { tracer_->End(); }), IsEmpty());
}

}  // namespace
}  // namespace lunscope
