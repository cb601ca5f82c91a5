// SPDX-License-Identifier: Apache-2.0
// The line of an event: its kind, who and why. tests/live/test_events.py has each PDU of the wire.
#include "collector/lines/event_line.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using Json = nlohmann::json;

struct EndRow {
  lunscope_end end;
  During during;
  uint64_t cut_off;
  const char* words;
};

const EndRow kEnds[] = {
    {LUNSCOPE_END_CLOSED_HERE, During::kAfterLogout, 0,
     "connection closed by this host, after the logout"},
    {LUNSCOPE_END_CLOSED_BY_PEER, During::kSession, 1,
     "connection closed by the peer, without a logout; 1 command had no answer"},
    {LUNSCOPE_END_RESET_HERE, During::kLogin, 2,
     "connection reset by this host, in the middle of the login; the initiator was to go on; "
     "2 commands had no answer"},
    {LUNSCOPE_END_RESET_HERE, During::kUnansweredLogin, 0,
     "connection reset by this host, in the middle of the login; the target had not answered the "
     "Login Request"},
    {LUNSCOPE_END_RESET_BY_PEER, During::kBeforeLogin, 0,
     "connection reset by the peer, before a login"},
    {LUNSCOPE_END_TIMED_OUT, During::kSession, 0,
     "connection timed out: the peer acknowledged nothing for too long, without a logout"},
    {LUNSCOPE_END_UNREACHABLE, During::kTurnedAway, 0,
     "connection ended: the network cannot reach the peer, after the target turned the login away"},
    {LUNSCOPE_END_UNKNOWN, During::kUnknown, 0, "connection ended, and how is not known"},
};

TEST(EventLine, SaysHowAConnectionEnded) {
  for (const EndRow& row : kEnds) {
    const EndedConnection ended{"iqn.disk", "iqn.host", "192.0.2.1:40001", "192.0.2.2:3260",
                                {},         row.end,    row.during,        row.cut_off};
    lunscope_record record{};
    record.role = LUNSCOPE_ROLE_INITIATOR;
    const auto event = EventOf(record, {.ended = &ended});
    ASSERT_TRUE(event);
    EXPECT_EQ(event->words, row.words);
    ShortNames names(16);
    EXPECT_EQ(EventRow(*event, 0, names), std::string("00:00:00.000000 ini iqn.disk         ") +
                                              row.words + " (iqn.host at 192.0.2.1:40001)");
    EXPECT_EQ(Json::parse(EventJson(*event, 0)), Json({{"time", "1970-01-01T00:00:00.000000Z"},
                                                       {"event", "connection_ended"},
                                                       {"role", "initiator"},
                                                       {"initiator", "iqn.host"},
                                                       {"target", "iqn.disk"},
                                                       {"local", "192.0.2.1:40001"},
                                                       {"remote", "192.0.2.2:3260"},
                                                       {"words", row.words}}));
  }
}

TEST(EventLine, SaysWhatBecameOfAConnect) {
  const std::pair<lunscope_end, const char*> rows[] = {
      {LUNSCOPE_END_REFUSED, "refused: nothing listens there, or a firewall refuses it"},
      {LUNSCOPE_END_UNANSWERED, "not answered: its SYN was sent again and again"},
      {LUNSCOPE_END_TIMED_OUT, "not answered: its SYN was sent again and again"},
      {LUNSCOPE_END_UNREACHABLE, "failed: the network cannot reach it"},
      {LUNSCOPE_END_RESET_HERE, "given up by this host before it was answered"},
  };
  for (const auto& [end, words] : rows) {
    EndedConnection ended;
    ended.remote = "192.0.2.2:3260";
    ended.end = end;
    ended.during = During::kConnect;
    const auto event = EventOf({}, {.ended = &ended});
    ASSERT_TRUE(event);
    EXPECT_STREQ(event->kind.label(), "connect_failed");
    EXPECT_EQ(event->words, std::string("connect to 192.0.2.2:3260 ") + words);
  }
}

std::string WordsOfLogin(const SessionBeginning& beginning, const char* kind) {
  Host host;
  host.Opens(1).LogsIn();
  lunscope_pdu_record record{};
  record.header.kind = LUNSCOPE_RECORD_PDU;
  record.header.bytes = sizeof(record);
  record.last = 1;
  record.bhs[0] = ISCSI_LOGIN_RESPONSE;
  record.bhs[1] = ISCSI_FLAG_FINAL | 0x07;
  const auto event = EventOf(
      record.header, {.connection = host.model().FindConnection(1), .beginning = &beginning});
  if (!event) return "none";
  EXPECT_STREQ(event->kind.label(), kind);
  return event->words;
}

TEST(EventLine, SaysWhatALoginCameInThePlaceOf) {
  EXPECT_EQ(WordsOfLogin({}, "logged_in"), "logged in");
  EXPECT_EQ(WordsOfLogin({.outage_ns = 12'345'600'000}, "session_restored"),
            "logged in again after 12.346 s without a session");
  EXPECT_EQ(WordsOfLogin({.taken_over_from = "192.0.2.7:40001"}, "session_reinstated"),
            "logged in, in the place of its session from 192.0.2.7:40001");
  EXPECT_EQ(WordsOfLogin({.taken_over_from = "192.0.2.7:40001", .is_from_elsewhere = true},
                         "session_taken_over"),
            "logged in, in the place of its session from 192.0.2.7:40001, which is another "
            "address");
}

TEST(EventLine, SaysWhoIsAwaited) {
  Host host;
  host.Opens(1).LogsIn();
  const std::tuple<Overdue::What, bool, const char*, const char*> rows[] = {
      {Overdue::What::kLogin, false, "login_unanswered",
       "the target has not answered the Login Request for 5 s"},
      {Overdue::What::kPingOfInitiator, true, "ping_unanswered",
       "the target has not answered the initiator's ping for 5 s, although commands are answered"},
      {Overdue::What::kPingOfTarget, false, "ping_unanswered",
       "the initiator has not answered the target's ping for 5 s"},
  };
  for (const auto& [what, is_answering, kind, words] : rows) {
    const Overdue overdue{what, host.model().FindConnection(1), 1, is_answering};
    const auto event = EventOf({}, {.connection = overdue.connection, .overdue = &overdue});
    ASSERT_TRUE(event);
    EXPECT_STREQ(event->kind.label(), kind);
    EXPECT_EQ(event->words, words);
  }
}

TEST(EventLine, SaysWhatWentWrong) {
  Host host;
  host.Opens(1).LogsIn();
  const std::tuple<Troubles, const char*, const char*> rows[] = {
      {{0, 1}, "header_digest_error", "a PDU with a wrong header digest, which the receiver drops"},
      {{0, 3},
       "header_digest_error",
       "3 PDUs with a wrong header digest, which the receiver drops"},
      {{1, 1}, "gap", "a gap: lunscope missed bytes, and what was in flight is in doubt"},
  };
  for (const auto& [troubles, kind, words] : rows) {
    const auto event =
        EventOf({}, {.connection = host.model().FindConnection(1), .troubles = troubles});
    ASSERT_TRUE(event);
    EXPECT_STREQ(event->kind.label(), kind);
    EXPECT_EQ(event->words, words);
  }
}

struct LevelRow {
  lunscope_role role;
  lunscope_end end;
  During during;
  uint64_t cut_off;
  LogLevel level;
};

constexpr LevelRow kLevels[] = {
    {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_END_CLOSED_HERE, During::kAfterLogout, 0, LogLevel::kDebug},
    {LUNSCOPE_ROLE_TARGET, LUNSCOPE_END_RESET_BY_PEER, During::kAfterLogout, 0, LogLevel::kDebug},
    {LUNSCOPE_ROLE_TARGET, LUNSCOPE_END_CLOSED_BY_PEER, During::kAfterLogout, 1,
     LogLevel::kWarning},
    {LUNSCOPE_ROLE_TARGET, LUNSCOPE_END_RESET_BY_PEER, During::kBeforeLogin, 0, LogLevel::kDebug},
    {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_END_CLOSED_BY_PEER, During::kTurnedAway, 0,
     LogLevel::kDebug},
    {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_END_CLOSED_HERE, During::kLogin, 0, LogLevel::kWarning},
    {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_END_CLOSED_HERE, During::kUnansweredLogin, 0,
     LogLevel::kWarning},
    {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_END_CLOSED_HERE, During::kSession, 0, LogLevel::kDebug},
    {LUNSCOPE_ROLE_TARGET, LUNSCOPE_END_CLOSED_BY_PEER, During::kSession, 0, LogLevel::kDebug},
    {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_END_CLOSED_BY_PEER, During::kSession, 0, LogLevel::kWarning},
    {LUNSCOPE_ROLE_TARGET, LUNSCOPE_END_CLOSED_HERE, During::kSession, 0, LogLevel::kWarning},
    {LUNSCOPE_ROLE_TARGET, LUNSCOPE_END_RESET_BY_PEER, During::kSession, 0, LogLevel::kWarning},
    {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_END_TIMED_OUT, During::kUnknown, 0, LogLevel::kWarning},
    {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_END_UNREACHABLE, During::kSession, 0, LogLevel::kWarning},
    {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_END_UNKNOWN, During::kUnknown, 0, LogLevel::kDebug},
};

TEST(EventLine, HasTheLevelOfWhatWentWrong) {
  for (const LevelRow& row : kLevels) {
    const EndedConnection ended{"", "", "", "", {}, row.end, row.during, row.cut_off};
    lunscope_record record{};
    record.role = row.role;
    const auto event = EventOf(record, {.ended = &ended});
    ASSERT_TRUE(event);
    EXPECT_EQ(event->level(), row.level) << &row - kLevels << ": " << event->words;
  }
}

// Another event has the level of its kind.
TEST(EventLine, IsASentenceWithItsLevel) {
  const LocalProcess guest{.id = 7, .guest = "vm1"};
  const EventSubject initiator{LUNSCOPE_ROLE_INITIATOR, "iqn.disk",       "iqn.host",
                               "192.0.2.1:40001",       "192.0.2.2:3260", &guest};
  const Event event{0, "login_refused", initiator, "login refused: Not found"};
  EXPECT_EQ(event.level(), LogLevel::kWarning);
  EXPECT_EQ(EventSentence(event),
            "initiator's end of iqn.disk: login refused: Not found (iqn.host at 192.0.2.1:40001, "
            "guest vm1)");
}

TEST(EventLine, IsNotThereForACommand) {
  Host host;
  host.Opens(1).LogsIn();
  lunscope_command_record record{};
  record.header.kind = LUNSCOPE_RECORD_COMMAND;
  record.header.bytes = sizeof(record);
  EXPECT_FALSE(EventOf(record.header, {.connection = host.model().FindConnection(1)}));
}

}  // namespace
}  // namespace lunscope
