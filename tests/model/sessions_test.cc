// SPDX-License-Identifier: Apache-2.0
//
// Logins and what becomes of their sessions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using std::string_literals::operator""s;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr uint8_t kInitiator = LUNSCOPE_ROLE_INITIATOR;
constexpr uint8_t kTarget = LUNSCOPE_ROLE_TARGET;
constexpr uint8_t kStay = 0x04;  // byte 1 of a login PDU: operational stage, T not set

TEST(Login, MakesASession) {
  Host host;
  host.Opens(1).LogsIn();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
  const Snapshot snapshot = host.See();
  const Session& session = snapshot.sessions.front();
  EXPECT_EQ(session.role, kInitiator);
  EXPECT_EQ(session.portal, "192.0.2.2:3260");
  EXPECT_FALSE(session.header_digest);
  EXPECT_FALSE(session.data_digest);
  EXPECT_EQ(snapshot.targets.at({kInitiator, kDisk}).logins, 1u);
}

TEST(Login, IsSeenFromTheTargetAsWell) {
  Host host;
  host.Opens(1, kTarget).LogsIn();
  const Snapshot snapshot = host.See();
  EXPECT_EQ(snapshot.sessions.front().role, kTarget);
  EXPECT_EQ(snapshot.sessions.front().portal, "192.0.2.1:3260");
  EXPECT_EQ(snapshot.targets.at({kTarget, kDisk}).logins, 1u);
}

// Both ends of a loopback connection are two vantage points, not one counted twice.
TEST(Login, OverLoopbackIsTwoSessions) {
  Host host;
  host.Opens(1, kInitiator).LogsIn();
  host.Opens(2, kTarget).LogsIn();
  EXPECT_THAT(host.Sessions(), SizeIs(2));
  EXPECT_THAT(host.Targets(), Contains("initiator/iqn.disk"));
  EXPECT_THAT(host.Targets(), Contains("target/iqn.disk"));
}

TEST(Login, NamesThePeerOfATrace) {
  Host host;
  host.Opens(1).LogsIn();
  const Connection& connection = *host.model().FindConnection(1);
  EXPECT_EQ(connection.initiator, kHost);
  EXPECT_EQ(connection.target->first.name, kDisk);
  EXPECT_EQ(connection.local, "192.0.2.1:40001");
  EXPECT_EQ(connection.remote, "192.0.2.2:3260");
}

TEST(Login, TextMayBeCutAnywhere) {
  for (size_t chunk_bytes = 1; chunk_bytes <= 80; chunk_bytes++) {
    Host host;
    host.Opens(1).LogsIn({.chunk_bytes = chunk_bytes});
    EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"))
        << chunk_bytes;
  }
}

TEST(Login, TextLongerThanOneChunk) {
  const std::string initiator(223, 'i');
  const std::string target(223, 't');
  Host host;
  host.Opens(1).LogsIn({.initiator = initiator, .target = target});
  EXPECT_THAT(host.Sessions(), ElementsAre(initiator + " " + target + " 00023d000001:0001 up=1"));
}

// C: the text goes on in the next PDU, and may be cut inside a name (RFC 7143 11.12.2).
TEST(Login, TextGoesOnInTheNextPdu) {
  Host host;
  host.Opens(1)
      .RequestsLogin("InitiatorName=iqn.host\0SessionType=Normal\0Targe"s, kIsid,
                     ISCSI_FLAG_CONTINUE | kStay)
      .AnswersLogin(0, 0, kStay)
      .RequestsLogin("tName=iqn.disk\0"s)
      .AnswersLogin(0, 1);
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
}

TEST(Login, OfSeveralStagesIsOne) {
  Host host;
  host.Opens(1)
      .RequestsLogin(LoginText({}), kIsid, ISCSI_FLAG_FINAL | 0x01)
      .AnswersLogin(0, 0, ISCSI_FLAG_FINAL | 0x01)
      .RequestsLogin("HeaderDigest=None\0"s)
      .AnswersLogin(0, 7);
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0007 up=1"));
  EXPECT_EQ(host.See().targets.at({kInitiator, kDisk}).logins, 1u);
}

// Values that the kernel held back leave a key and nothing behind it.
TEST(Login, WithoutTheSecretsOfChap) {
  Host host;
  host.Opens(1)
      .RequestsLogin(LoginText({}) + "AuthMethod=CHAP,None\0"s, kIsid, ISCSI_FLAG_FINAL | 0x01)
      .AnswersLogin(0, 0, ISCSI_FLAG_FINAL | 0x01)
      .RequestsLogin("CHAP_A=5\0"s, kIsid, kStay)
      .AnswersLogin(0, 0, kStay)
      .RequestsLogin("CHAP_N=\0CHAP_R=\0TargetName=\0InitiatorName=\0"s)
      .AnswersLogin(0, 2);
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0002 up=1"));
}

TEST(Login, NamesAreHostile) {
  Host host;
  host.Opens(1).LogsIn({.initiator = "iqn.\x1b[2J", .target = "iqn.\"\n\\"});
  EXPECT_THAT(host.Sessions(), ElementsAre(R"(iqn.\x1b[2J iqn."\x0a\x5c 00023d000001:0001 up=1)"));
}

TEST(Login, TextWithoutEndIsBounded) {
  Host host;
  Conversation& conversation = host.Opens(1);
  const std::string junk(100'000, 'x');
  for (int i = 0; i < 10; i++) conversation.RequestsLogin(junk, kIsid, ISCSI_FLAG_CONTINUE | kStay);
  EXPECT_LE(host.model().FindConnection(1)->text[LUNSCOPE_SENT].size(), 64u * 1024);
  conversation.RequestsLogin("").AnswersLogin(0);
  EXPECT_EQ(host.model().FindConnection(1)->text[LUNSCOPE_SENT].size(), 0u);
}

TEST(Login, OfADiscoverySessionHasNoTarget) {
  Host host;
  host.Opens(1).LogsIn({.target = ""}).LogsOut().Drops();
  EXPECT_THAT(host.Sessions(), IsEmpty());
  const Snapshot snapshot = host.See();
  const TargetStatistics& discovery = snapshot.targets.at({kInitiator, kDiscoveryName});
  EXPECT_EQ(discovery.logins, 1u);
  EXPECT_EQ(discovery.logouts, 1u);
}

struct FailureRow {
  uint8_t status_class;
  std::array<uint64_t, kLoginFailures> failures;
};

// RFC 7143 11.13.5: 1 redirection, 2 initiator error, 3 target error, others reserved.
constexpr FailureRow kFailures[] = {
    {1, {1, 0, 0}}, {2, {0, 1, 0}}, {3, {0, 0, 1}}, {4, {0, 0, 1}}, {255, {0, 0, 1}},
};

TEST(Login, FailuresAreCountedByClass) {
  for (const FailureRow& row : kFailures) {
    Host host;
    host.Opens(1).RequestsLogin(LoginText({})).AnswersLogin(row.status_class).Drops();
    const Snapshot snapshot = host.See();
    const TargetStatistics& target = snapshot.targets.at({kInitiator, kDisk});
    EXPECT_EQ(target.login_failures, row.failures) << int{row.status_class};
    EXPECT_EQ(target.logins, 0u);
    EXPECT_THAT(host.Sessions(), IsEmpty());
  }
}

TEST(Login, ThatIsNotCompleteIsNoLogin) {
  Host host;
  host.Opens(1).RequestsLogin(LoginText({})).AnswersLogin(0, 1, kStay).Drops();
  EXPECT_THAT(host.Sessions(), IsEmpty());
  EXPECT_EQ(host.See().targets.at({kInitiator, kDisk}).logins, 0u);
}

TEST(Login, DigestsAreThoseOfTheReport) {
  Host host;
  host.Opens(1).LogsIn().UsesDigests();
  host.Walks();
  const Snapshot snapshot = host.See();
  EXPECT_TRUE(snapshot.sessions.front().header_digest);
  EXPECT_TRUE(snapshot.sessions.front().data_digest);
}

// The record of the opening was lost: the portal is that of the first record that has one.
TEST(Login, LearnsItsPortalLate) {
  Host host;
  host.Meets(1).LogsIn();
  host.Walks();
  EXPECT_EQ(host.See().sessions.front().portal, "192.0.2.2:3260");
}

TEST(Session, EndsWithItsLogout) {
  Host host;
  host.Opens(1).LogsIn().LogsOut();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
  host.On(1).Closes();
  EXPECT_THAT(host.Sessions(), IsEmpty());
  EXPECT_EQ(host.See().targets.at({kInitiator, kDisk}).logouts, 1u);
}

TEST(Session, IsDownWithoutALogout) {
  Host host;
  host.Opens(1).LogsIn().Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0"));
  EXPECT_EQ(host.See().targets.at({kInitiator, kDisk}).logouts, 0u);
}

TEST(Session, IsDownAfterALogoutThatFailed) {
  Host host;
  host.Opens(1).LogsIn().RequestsLogout(0).AnswersLogout(1).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0"));
  EXPECT_EQ(host.See().targets.at({kInitiator, kDisk}).logouts, 0u);
}

// The target chooses a TSIH anew; the ISID tells that this is the session that was down.
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
    {"another ISID", {.isid = kIsid + 1}, kInitiator},
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

TEST(Session, ThatIsUpIsNotReplaced) {
  Host host;
  host.Opens(1).LogsIn({.tsih = 1});
  host.Opens(2).LogsIn({.tsih = 2});
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1",
                                           "iqn.host iqn.disk 00023d000001:0002 up=1"));
}

// Reinstatement (RFC 7143 6.3.5): the target may close the old connection behind the new login.
TEST(Session, ThatWasReinstatedIsGone) {
  Host host;
  host.Opens(1).LogsIn({.tsih = 1});
  host.Opens(2).LogsIn({.tsih = 2});
  host.On(1).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0002 up=1"));
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
  host.Opens(2).LogsIn();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=2"));
  host.On(1).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
  host.On(2).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0"));
}

// "Close the session" is asked on one connection and ends all of them (RFC 7143 11.14.1).
TEST(Session, OfTwoConnectionsEndsWithOneLogout) {
  for (uint64_t first_to_close : {1, 2}) {
    Host host;
    host.Opens(1).LogsIn();
    host.Opens(2).LogsIn();
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
  host.Opens(2).LogsIn();
  host.On(1).LogsOut(kCloseConnection).Closes();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
  host.On(2).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0"));
  host.Opens(3).LogsIn().LogsOut(kCloseConnection).Closes();
  EXPECT_THAT(host.Sessions(), IsEmpty());
}

TEST(Session, ThatIsDownIsRememberedWithinABound) {
  Host host({.max_down_sessions = 2});
  host.Opens(9).LogsIn({.isid = 9});
  for (uint64_t isid : {3, 4, 1, 2}) host.Opens(isid).LogsIn({.isid = isid}).Drops();
  // The two that went down last, and the one that is up.
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 000000000001:0001 up=0",
                                           "iqn.host iqn.disk 000000000002:0001 up=0",
                                           "iqn.host iqn.disk 000000000009:0001 up=1"));
  // One that comes back is not the oldest any more when it goes down again.
  host.Opens(10).LogsIn({.isid = 1}).Drops();
  host.Opens(11).LogsIn({.isid = 3}).Drops();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 000000000001:0001 up=0",
                                           "iqn.host iqn.disk 000000000003:0001 up=0",
                                           "iqn.host iqn.disk 000000000009:0001 up=1"));
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
