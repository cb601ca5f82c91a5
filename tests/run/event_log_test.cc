// SPDX-License-Identifier: Apache-2.0
//
// The list of the last events: its order, its limit, its two pages, and that it owns what it has.
#include "collector/run/event_log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>

namespace lunscope {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kDayNs = 86'400 * kSecondNs;

class EventLogTest : public ::testing::Test {
 protected:
  EventLogTest() {
    setenv("TZ", "UTC", 1);
    tzset();
  }

  // An event whose texts are gone when this returns.
  void Happens(uint64_t second, const std::string& words, const std::string& target = "iqn.disk",
               int64_t wall_clock_offset_ns = 0) {
    const std::string initiator = "iqn.host";
    const LocalProcess process{.id = 7, .comm = "reader", .guest = "vm1"};
    const Event event{
        second * kSecondNs,
        "login_refused",
        {LUNSCOPE_ROLE_INITIATOR, target, initiator, "192.0.2.1:40001", "192.0.2.2:3260", &process},
        words};
    log_.Take(event, wall_clock_offset_ns);
  }

  EventLog log_;
};

TEST_F(EventLogTest, SaysThatThereIsNothing) {
  EXPECT_EQ(log_.Rows(0), "0 events, and 0 older ones are no longer kept\n");
  EXPECT_EQ(log_.Json(), "{\"events\":[],\"kept\":0,\"dropped\":0}\n");
}

TEST_F(EventLogTest, HasTheRowsOfTheTable) {
  const std::string target = "iqn.2024-01.org.example:storage.disk1";
  Happens(2, "the second", target);
  Happens(1, "the first", target);  // another ring was drained later
  Happens(3, "the third");
  EXPECT_EQ(
      log_.Rows(0),
      "3 events, and 0 older ones are no longer kept\n"
      "..storage.disk1 is iqn.2024-01.org.example:storage.disk1\n"
      "00:00:01.000000 ini ..storage.disk1  the first (iqn.host at 192.0.2.1:40001, guest vm1)\n"
      "00:00:02.000000 ini ..storage.disk1  the second (iqn.host at 192.0.2.1:40001, guest vm1)\n"
      "00:00:03.000000 ini iqn.disk         the third (iqn.host at 192.0.2.1:40001, guest vm1)\n");
}

TEST_F(EventLogTest, SaysTheDayOfWhatIsNotOfToday) {
  Happens(1, "yesterday");
  Happens(kDayNs / kSecondNs, "today");
  EXPECT_THAT(log_.Rows(kDayNs), HasSubstr("kept\n1970-01-01 +0000\n00:00:01"));
  EXPECT_THAT(log_.Rows(kDayNs), HasSubstr("\n1970-01-02 +0000\n00:00:00"));
}

// The clock of the host is set between two events: each has the time as of then.
TEST_F(EventLogTest, HasTheTimeAsItWasThen) {
  Happens(1, "before", "iqn.disk", 0);
  Happens(2, "after", "iqn.disk", 3600 * kSecondNs);
  const Json page = Json::parse(log_.Json());
  EXPECT_EQ(page["events"][0]["time"], "1970-01-01T00:00:01.000000Z");
  EXPECT_EQ(page["events"][1]["time"], "1970-01-01T01:00:02.000000Z");
}

TEST_F(EventLogTest, HasTheObjectsOfTheTrace) {
  Happens(1, "login refused: Not found");
  EXPECT_EQ(Json::parse(log_.Json()),
            Json({{"events",
                   {{{"time", "1970-01-01T00:00:01.000000Z"},
                     {"event", "login_refused"},
                     {"role", "initiator"},
                     {"initiator", "iqn.host"},
                     {"target", "iqn.disk"},
                     {"local", "192.0.2.1:40001"},
                     {"remote", "192.0.2.2:3260"},
                     {"process", {{"id", 7}, {"comm", "reader"}, {"guest", "vm1"}}},
                     {"words", "login refused: Not found"}}}},
                  {"kept", 1},
                  {"dropped", 0}}));
}

TEST_F(EventLogTest, KeepsTheLastAndCountsAll) {
  constexpr uint64_t kMore = 9000;
  for (uint64_t i = 1; i <= EventLog::kKept + kMore; i++) Happens(i, fmt::format("number {}", i));
  const Json page = Json::parse(log_.Json());
  EXPECT_EQ(page["events"].size(), EventLog::kKept);
  EXPECT_EQ(page["events"].front()["words"], fmt::format("number {}", kMore + 1));
  EXPECT_EQ(page["events"].back()["words"], fmt::format("number {}", kMore + EventLog::kKept));
  EXPECT_EQ(page["dropped"], kMore);
  EXPECT_THAT(log_.Rows(0), StartsWith("1000 events, and 9000 older ones are no longer kept\n"));
  const EventCounts counts = log_.counts();
  EXPECT_EQ(counts.dropped, kMore);
  EXPECT_EQ(counts.met[LUNSCOPE_ROLE_INITIATOR][EventKind("login_refused").row()],
            kMore + EventLog::kKept);
  EXPECT_EQ(counts.met[LUNSCOPE_ROLE_TARGET], EventCounts::OfRole{});
}

}  // namespace
}  // namespace lunscope
