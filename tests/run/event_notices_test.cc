// SPDX-License-Identifier: Apache-2.0
//
// Which events are said, at which level, and that those left out are counted.
#include "collector/run/event_notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Notice = EventNotices::Notice;

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kStartNs = 1000 * kSecondNs;

Event EventOfKind(EventKind kind, const std::string& words = "words") {
  static const LocalProcess kNobody;
  return {0, kind, {LUNSCOPE_ROLE_TARGET, "iqn.disk", "iqn.host", "a", "b", &kNobody}, words};
}

void Happen(EventNotices& notices, EventKind kind, int times, uint64_t now_ns) {
  for (int i = 0; i < times; i++) notices.Take(EventOfKind(kind), now_ns);
}

TEST(EventNotices, AreTheSentencesOfEventsFromTheLevelOn) {
  struct {
    LogLevel least;
    size_t said;
  } const rows[] = {
      {LogLevel::kDebug, 3}, {LogLevel::kInfo, 2}, {LogLevel::kWarning, 1}, {LogLevel::kError, 0}};
  for (const auto& row : rows) {
    EventNotices notices(row.least);
    for (const EventKind kind :
         {EventKind("logged_in"), EventKind("login_redirected"), EventKind("login_refused")})
      notices.Take(EventOfKind(kind), kStartNs);
    const std::vector<Notice> due = notices.Due(kStartNs);
    EXPECT_THAT(due, SizeIs(row.said));
    if (row.least == LogLevel::kWarning) {
      EXPECT_THAT(due, ElementsAre(Notice{LogLevel::kWarning,
                                          "target's end of iqn.disk: words (iqn.host at b)"}));
    }
    EXPECT_THAT(notices.Due(kStartNs + EventNotices::kRepeatNs, true), IsEmpty()) << "said once";
    EXPECT_EQ(notices.unsaid(), 0u);
  }
}

TEST(EventNotices, AreFewOfEachKindAndThenOneAMinute) {
  EventNotices notices(LogLevel::kInfo);
  Happen(notices, "login_refused", 25, kStartNs);
  Happen(notices, "reject", 11, kStartNs);
  Happen(notices, "logged_in", 100, kStartNs);  // below the level
  EXPECT_THAT(notices.Due(kStartNs), SizeIs(2 * EventNotices::kAtOnce));
  EXPECT_EQ(notices.unsaid(), 16u);
  EXPECT_THAT(notices.Due(kStartNs + EventNotices::kRepeatNs - 1), IsEmpty());
  EXPECT_THAT(notices.Due(kStartNs + EventNotices::kRepeatNs),
              ElementsAre(Notice{LogLevel::kWarning,
                                 "16 more events were not said: 15 login_refused, 1 reject; "
                                 "/events has the last ones"}));
  // It goes on: one a minute, and the others are counted.
  for (uint64_t minute = 2; minute < 5; minute++) {
    const uint64_t now_ns = kStartNs + minute * EventNotices::kRepeatNs;
    EXPECT_THAT(notices.Due(now_ns), SizeIs(minute == 2 ? 0 : 1)) << "of the last minute";
    Happen(notices, "login_refused", 20, now_ns);
    EXPECT_THAT(notices.Due(now_ns), SizeIs(minute == 2 ? 2 : 1)) << minute;
  }
  EXPECT_EQ(notices.unsaid(), 16u + 18u + 19u + 19u);
  EXPECT_THAT(notices.Due(kStartNs + 4 * EventNotices::kRepeatNs, true), SizeIs(1)) << "at the end";
}

TEST(EventNotices, OfAFloodAreBounded) {
  EventNotices notices(LogLevel::kDebug);
  for (int i = 0; i < 30'000; i++) {
    notices.Take(EventOfKind("logged_in"), kStartNs);
    notices.Take(EventOfKind("connection_ended"), kStartNs);
  }
  EXPECT_THAT(notices.Due(kStartNs, true), SizeIs(2 * EventNotices::kAtOnce + 1));
  EXPECT_EQ(notices.unsaid(), 60'000u - 2 * EventNotices::kAtOnce);
}

}  // namespace
}  // namespace lunscope
