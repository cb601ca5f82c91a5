// SPDX-License-Identifier: Apache-2.0
// The life of sessions: their connections, their ends, and the sessions that replace them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using std::string_literals::operator""s;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Session, EndsWithItsLogout) {
  Host host;
  host.Opens(1).LogsIn().LogsOut();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
  host.On(1).Closes();
  EXPECT_THAT(host.Sessions(), IsEmpty());
  EXPECT_EQ(host.See().targets.at({kInitiator, kDisk}).logouts.at(0), 1u);
}

TEST(Session, IsDownWithoutALogout) {
  Host host;
  host.Opens(1).LogsIn().Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0"));
  EXPECT_EQ(host.See().targets.at({kInitiator, kDisk}).logouts.size(), 0u);
}

TEST(Session, IsDownAfterALogoutThatFailed) {
  Host host;
  host.Opens(1).LogsIn().RequestsLogout(0).AnswersLogout(1).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0"));
  EXPECT_EQ(host.See().targets.at({kInitiator, kDisk}).logouts.size(), 0u);
}

// The target chooses a new TSIH. The ISID shows that this is the session that was down.
TEST(Session, ComesBackUnderItsIsid) {
  Host host;
  host.Opens(1).LogsIn({.tsih = 1}).Drops();
  host.Opens(2).LogsIn({.tsih = 2});
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0002 up=1"));
}

TEST(Session, ComesBackUnderItsTsih) {
  Host host;
  host.Opens(1).LogsIn().Drops();
  host.Opens(2).LogsIn();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
}

TEST(Session, ComesBackWithoutAnInitiatorName) {
  Host host;
  host.Opens(1).RequestsLogin("TargetName=iqn.disk\0"s).AnswersLogin(0, 1).Drops();
  host.Opens(2).RequestsLogin("TargetName=iqn.disk\0"s).AnswersLogin(0, 2);
  EXPECT_THAT(host.Sessions(), ElementsAre("unknown iqn.disk 00023d000001:0002 up=1"));
}

struct OtherRow {
  const char* what;
  Login login;
  uint8_t role;
};

const OtherRow kOthers[] = {
    {"another initiator", {.initiator = "iqn.other"}, kInitiator},
    {"another target", {.target = "iqn.other"}, kInitiator},
    {"the other end", {}, kTarget},
};

TEST(Session, ThatIsDownIsNotReplacedByAnother) {
  for (const OtherRow& row : kOthers) {
    Host host;
    host.Opens(1).LogsIn().Drops();
    host.Opens(2, row.role).LogsIn(row.login);
    EXPECT_THAT(host.Sessions(), SizeIs(2)) << row.what;
    EXPECT_THAT(host.Sessions(), Contains("iqn.host iqn.disk 00023d000001:0001 up=0")) << row.what;
  }
}

// Tools that never log out choose a new ISID each time.
TEST(Session, ThatIsDownIsGoneWhenItsInitiatorIsBackAtThePortal) {
  Host host;
  host.Opens(1).LogsIn().Drops();
  host.Opens(2).LogsIn({.isid = kIsid + 1});
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000002:0001 up=1"));
}

TEST(Session, ThatIsUpStaysWhenItsInitiatorOpensAnother) {
  Host host;
  host.Opens(1).LogsIn();
  host.Opens(2).LogsIn({.isid = kIsid + 1});
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1",
                                           "iqn.host iqn.disk 00023d000002:0001 up=1"));
}

TEST(Session, ThatWasDownHasAnOutage) {
  for (const uint64_t isid : {kIsid, kIsid + 1}) {
    Host host;
    host.Opens(1).LogsIn().Drops();
    host.now_ns += 2'500'000'000;
    host.Opens(2).LogsIn({.isid = isid, .tsih = 2});
    const TargetCounters target = host.See().targets.at({kInitiator, kDisk});
    EXPECT_EQ(target.outages, 1u);
    EXPECT_EQ(target.outage_ns, 2'500'000'000u);
    EXPECT_THAT(target.session_reinstatements, Each(0u));
  }
}

// A session tells of those that it came in the place of. One that another login takes over while it
// is up has no outage.
TEST(Session, RemembersRelogins) {
  Host host;
  host.Opens(1).LogsIn().Drops();
  host.now_ns += 2'500'000'000;
  host.Opens(2).LogsIn({.isid = kIsid, .tsih = 2}).Drops();
  host.now_ns += 500'000'000;
  host.Opens(3).LogsIn({.isid = kIsid, .tsih = 3});
  host.Opens(4).LogsIn({.isid = kIsid, .tsih = 4});
  ASSERT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0004 up=1"));
  const SessionHistory& history = host.model().sessions().all().begin()->second.history;
  EXPECT_EQ(history.relogins, 3u);
  EXPECT_EQ(history.outages, 2u);
  EXPECT_EQ(history.outage_ns, 3'000'000'000u);
}

// A connection that is added to a session that is down brings it back.
TEST(Session, ThatAConnectionJoinsIsBack) {
  Host host;
  host.Opens(1).LogsIn().Drops();
  host.now_ns += 500'000'000;
  host.Opens(2).Joining(1, 1).LogsIn();
  ASSERT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
  const SessionHistory& history = host.model().sessions().all().begin()->second.history;
  EXPECT_EQ(history.relogins, 0u);
  EXPECT_EQ(history.outages, 1u);
  EXPECT_EQ(history.outage_ns, 500'000'000u);
  host.Opens(3).Joining(1, 2).LogsIn();
  EXPECT_EQ(host.model().sessions().all().begin()->second.history.outages, 1u);
  EXPECT_EQ(host.See().targets.at({kInitiator, kDisk}).outages, 1u);
}

TEST(Session, ThatEndedOrIsAnotherPathHasNoOutage) {
  Host host;
  host.Opens(1).LogsIn().LogsOut().Drops();
  host.Opens(2).LogsIn();
  host.Opens(3).LogsIn({.isid = kIsid + 1, .tsih = 2});
  const TargetCounters target = host.See().targets.at({kInitiator, kDisk});
  EXPECT_EQ(target.outages, 0u);
  EXPECT_THAT(target.session_reinstatements, Each(0u));
}

TEST(Session, ThatIsUpIsTakenOver) {
  for (const uint8_t number : {2, 7}) {
    Host host;
    host.Opens(1, kTarget).LogsIn();
    host.Meets(2, kTarget).HasRemoteHost(number).Opens().LogsIn({.tsih = 2});
    const TargetCounters target = host.See().targets.at({kTarget, kDisk});
    EXPECT_EQ(target.session_reinstatements[kFromSameAddress], number == 2 ? 1u : 0u);
    EXPECT_EQ(target.session_reinstatements[kFromElsewhere], number == 2 ? 0u : 1u);
    host.On(1).Drops();
    EXPECT_EQ(host.See().targets.at({kTarget, kDisk}).outages, 0u);
  }
}

// One of two paths is back under its own ISID. The other is still down.
TEST(Session, ThatIsDownStaysWhenAnotherPathIsBack) {
  Host host;
  host.Opens(1).LogsIn({.tsih = 1});
  host.Opens(2).LogsIn({.isid = kIsid + 1, .tsih = 2});
  host.On(1).Drops();
  host.On(2).Drops();
  host.Opens(3).LogsIn({.isid = kIsid + 1, .tsih = 3});
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0",
                                           "iqn.host iqn.disk 00023d000002:0003 up=1"));
  host.Meets(4).IsIpv6().Opens().LogsIn({.isid = kIsid + 2, .tsih = 4});
  EXPECT_THAT(host.Sessions(), SizeIs(3)) << "another portal is another path";
}

TEST(Session, ThatIsDownIsForgottenAfterAWhile) {
  Host host;
  host.Opens(1).LogsIn().Drops();
  host.now_ns += SessionTable::kMaxDownNs;
  host.Walks();
  EXPECT_THAT(host.Sessions(), SizeIs(1));
  host.now_ns++;
  host.Walks();
  EXPECT_THAT(host.Sessions(), IsEmpty());
}

TEST(Session, ThatIsUpDoesNotAge) {
  Host host;
  host.Opens(1).LogsIn();
  host.now_ns += 2 * SessionTable::kMaxDownNs;
  host.Walks();
  EXPECT_THAT(host.Sessions(), SizeIs(1));
}

// RFC 7143 6.3.5: a login with TSIH 0 ends the session with the same ISID. The old connections then
// change nothing, neither by their ends nor by a logout.
TEST(Session, IsReinstatedUnderItsIsid) {
  for (uint16_t new_tsih : {1, 2}) {
    Host host;
    host.Opens(1).LogsIn({.tsih = 1});
    host.Opens(2).Joining(1, 1).LogsIn({.tsih = 1});
    host.Opens(3).LogsIn({.tsih = new_tsih});
    const std::string reinstated = fmt::format("iqn.host iqn.disk 00023d000001:000{}", new_tsih);
    EXPECT_THAT(host.Sessions(), ElementsAre(reinstated + " up=1"));
    host.On(1).LogsOut().Closes();
    host.On(2).Drops();
    EXPECT_THAT(host.Sessions(), ElementsAre(reinstated + " up=1"));
    host.On(3).Drops();
    EXPECT_THAT(host.Sessions(), ElementsAre(reinstated + " up=0"));
  }
}

// The ISID is the initiator's name for a session with one portal group (RFC 7143 4.4.3).
TEST(Session, OfAnotherPortalGroupIsAnother) {
  Host host;
  host.Opens(1).LogsIn({.answer = "TargetPortalGroupTag=1\0"s});
  host.Opens(2).LogsIn({.answer = "TargetPortalGroupTag=2\0"s});
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1",
                                           "iqn.host iqn.disk 00023d000001:0001 up=1"));
  host.Opens(3).LogsIn({.tsih = 7, .answer = "TargetPortalGroupTag=2\0"s});
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1",
                                           "iqn.host iqn.disk 00023d000001:0007 up=1"));
}

// RFC 7143 6.3.4: a CID in use is taken over by the new connection.
TEST(Session, KeepsItsConnectionReinstated) {
  Host host;
  host.Opens(1).LogsIn();
  host.Opens(2).Joining(1, 0).LogsIn();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
  host.On(1).LogsOut().Closes();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
  host.On(2).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0"));
}

// An initiator must not log in twice on a connection (RFC 7143 6.3). One that does leaves the first
// session.
TEST(Session, IsLeftByAnotherLoginOnItsConnection) {
  for (bool logs_out : {false, true}) {
    Host host;
    Conversation& connection = host.Opens(1).LogsIn();
    if (logs_out) connection.LogsOut();
    connection.Joining(0, 5).LogsIn({.isid = kIsid + 1});
    EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000002:0001 up=1"));
    connection.Drops();
    EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000002:0001 up=0"));
  }
}

TEST(Session, IsKeptWhenAnotherLoginOnItsConnectionFails) {
  Host host;
  host.Opens(1).LogsIn().Joining(0, 5).RequestsLogin(LoginText({})).AnswersLogin(2);
  host.On(1).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0"));
}

// The target sends its portal group in the leading login only.
TEST(Session, IsJoinedByItsTsih) {
  Host host;
  host.Opens(1).LogsIn({.answer = "TargetPortalGroupTag=1\0MaxConnections=2\0"s});
  host.Opens(2).Joining(1, 1).LogsIn();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=2"));
}

TEST(Session, ThatIsDownIsUpWhenAConnectionJoinsIt) {
  Host host;
  host.Opens(1).LogsIn().Drops();
  host.Opens(2).Joining(1, 0).LogsIn();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
}

// The leading login was before lunscope started, so the parameters are unknown and stay so.
TEST(Session, ThatIsJoinedUnseenHasNoParameters) {
  Host host;
  host.Opens(1).Joining(5, 1).LogsIn({.tsih = 5, .keys = "MaxBurstLength=1024\0"s});
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0005 up=1"));
  EXPECT_EQ(ValueOf(host.model().sessions().all().begin()->second.parameters, "MaxBurstLength"),
            "");
}

// A command on one connection and its ABORT TASK on the other belong to one target.
TEST(Session, OfTwoConnectionsIsOneTargetsWork) {
  Host host;
  host.Opens(1).LogsIn().Completes(Read16(0, 1));
  host.Opens(2).Joining(1, 1).LogsIn().RequestsTask(1).Completes(Read16(0, 1));
  const Snapshot snapshot = host.See();
  const TargetStatistics& target = snapshot.targets.at({kInitiator, kDisk});
  EXPECT_EQ(target.luns.at(0).read_bytes, 1024u);
  EXPECT_EQ(target.task_functions.at(1), 1u);
  EXPECT_EQ(target.logins, 2u);
}

// Reinstatement (RFC 7143 6.3.5): the target may close the old connection after the new login.
TEST(Session, ThatWasReinstatedIsGone) {
  Host host;
  host.Opens(1).LogsIn({.tsih = 1});
  host.Opens(2).LogsIn({.tsih = 2});
  host.On(1).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0002 up=1"));
}

TEST(Session, IsReinstatedAtAnyPortalOfItsGroup) {
  Host host;
  host.Opens(1).LogsIn({.tsih = 1, .answer = "TargetPortalGroupTag=1\0"s});
  host.Meets(2).IsIpv6().Opens().LogsIn({.tsih = 2, .answer = "TargetPortalGroupTag=1\0"s});
  host.On(1).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0002 up=1"));
}

// Somebody else's listener, and a client of it, can take every name and number of a session.
TEST(Session, IsLeftAloneByTheSameNamesAtAnotherPortal) {
  const std::string up = "iqn.host iqn.disk 00023d000001:0001 up=1";
  const std::string down = "iqn.host iqn.disk 00023d000001:0001 up=0";
  for (const bool joins : {false, true}) {
    Host host;
    host.Opens(1).LogsIn({.answer = "TargetPortalGroupTag=1\0"s});
    Conversation& other = host.Meets(2).IsIpv6().Opens();
    if (joins) other.Joining(1, 0);
    other.LogsIn({.answer = "TargetPortalGroupTag=1\0"s});
    EXPECT_THAT(host.Sessions(), ElementsAre(up, up));
    other.Drops();
    EXPECT_THAT(host.Sessions(), ElementsAre(up, down));
  }
}

// A CID that is taken over through another portal of the group (RFC 7143 6.3.4).
TEST(Session, KeepsItsConnectionReinstatedAtAnotherPortal) {
  Host host;
  host.Opens(1).LogsIn({.answer = "TargetPortalGroupTag=1\0"s});
  host.Meets(2).IsIpv6().Opens().Joining(1, 0).LogsIn();
  host.On(1).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
}

// The same ISID to another portal may be another session (RFC 7143 10.1.1), a path of its own.
TEST(Session, OfAnotherPortalIsNotReinstated) {
  Host host;
  host.Opens(1).LogsIn({.tsih = 1});
  host.Meets(2).IsIpv6().Opens().LogsIn({.tsih = 2});
  host.On(1).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0",
                                           "iqn.host iqn.disk 00023d000001:0002 up=1"));
}

TEST(Session, OfTwoConnectionsIsUpUntilTheLastIsGone) {
  Host host;
  host.Opens(1).LogsIn();
  host.Opens(2).Joining(1, 1).LogsIn();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=2"));
  host.On(1).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
  host.On(2).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0"));
}

// "Close the session" comes on one connection and ends all of them (RFC 7143 11.14.1).
TEST(Session, OfTwoConnectionsEndsWithOneLogout) {
  for (uint64_t first_to_close : {1, 2}) {
    Host host;
    host.Opens(1).LogsIn();
    host.Opens(2).Joining(1, 1).LogsIn();
    host.On(1).LogsOut();
    host.On(first_to_close).Closes();
    host.On(3 - first_to_close).Closes();
    EXPECT_THAT(host.Sessions(), IsEmpty()) << "connection " << first_to_close << " closes first";
  }
}

// "Close the connection" ends the session only with its last connection.
TEST(Session, IsDownWhenAnotherConnectionLoggedOut) {
  constexpr uint8_t kCloseConnection = 1;
  Host host;
  host.Opens(1).LogsIn();
  host.Opens(2).Joining(1, 1).LogsIn();
  host.On(1).LogsOut(kCloseConnection).Closes();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
  host.On(2).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0"));
  host.Opens(3).LogsIn().LogsOut(kCloseConnection).Closes();
  EXPECT_THAT(host.Sessions(), IsEmpty());
}

TEST(Session, ThatIsDownIsRememberedWithinABound) {
  Host host({.max_down_sessions = 2});
  const auto drops = [&](uint64_t connection, const char* initiator) {
    host.now_ns++;
    host.Opens(connection).LogsIn({.initiator = initiator}).Drops();
  };
  host.Opens(9).LogsIn({.initiator = "iqn.9"});
  drops(3, "iqn.3");
  drops(4, "iqn.4");
  drops(1, "iqn.1");
  drops(2, "iqn.2");
  // The two sessions that went down last, and the one that is up.
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.1 iqn.disk 00023d000001:0001 up=0",
                                           "iqn.2 iqn.disk 00023d000001:0001 up=0",
                                           "iqn.9 iqn.disk 00023d000001:0001 up=1"));
  // A session that comes back and goes down again is then the youngest.
  drops(10, "iqn.1");
  drops(11, "iqn.3");
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.1 iqn.disk 00023d000001:0001 up=0",
                                           "iqn.3 iqn.disk 00023d000001:0001 up=0",
                                           "iqn.9 iqn.disk 00023d000001:0001 up=1"));
}

TEST(Session, ThatIsUpIsNeverForgotten) {
  Host host({.max_down_sessions = 0});
  host.Opens(1).LogsIn({.isid = 1});
  host.Opens(2).LogsIn({.isid = 2}).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 000000000001:0001 up=1"));
}

// A TSIH is unique for one initiator name only (RFC 7143 section 2.2), and hosts share their ISIDs.
TEST(Session, OfTwoInitiatorsWithTheSameNumbersIsTwo) {
  Host host;
  host.Opens(1, kTarget).LogsIn({.initiator = "iqn.one"});
  host.Opens(2, kTarget).LogsIn({.initiator = "iqn.two"});
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.one iqn.disk 00023d000001:0001 up=1",
                                           "iqn.two iqn.disk 00023d000001:0001 up=1"));
}

}  // namespace
}  // namespace lunscope
