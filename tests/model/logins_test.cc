// SPDX-License-Identifier: Apache-2.0
//
// Logins, their text, and how they fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using std::string_literals::operator""s;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint8_t kStay = 0x04;  // byte 1 of a login PDU: operational stage, T not set

TEST(Login, MakesASession) {
  Host host;
  host.Opens(1).LogsIn();
  EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=1"));
  const Snapshot snapshot = host.See();
  const SessionState& session = snapshot.sessions.at(0);
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
  EXPECT_EQ(snapshot.sessions.at(0).role, kTarget);
  EXPECT_EQ(snapshot.sessions.at(0).portal, "192.0.2.1:3260");
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

// With the C bit the text continues in the next PDU, and may be cut inside a name (RFC 7143
// 11.12.2).
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

// The kernel holds some values back. Their keys come with nothing behind them.
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
  const auto pending_bytes = [&] {
    return host.model().FindConnection(1)->login.text[LUNSCOPE_SENT].pending_bytes();
  };
  EXPECT_LE(pending_bytes(), TextReader::kMaxPairBytes);
  conversation.RequestsLogin("").AnswersLogin(0);
  EXPECT_EQ(pending_bytes(), 0u);
}

TEST(Login, OfADiscoverySessionHasNoTarget) {
  Host host;
  host.Opens(1).LogsIn({.target = ""}).LogsOut().Drops();
  EXPECT_THAT(host.Sessions(), IsEmpty());
  const Snapshot snapshot = host.See();
  const TargetStatistics& discovery = snapshot.targets.at({kInitiator, kDiscoveryName});
  EXPECT_EQ(discovery.logins, 1u);
  EXPECT_EQ(discovery.logouts.at(0), 1u);
}

struct FailureRow {
  uint16_t status;
  const char* failure;  // nullptr: none
};

// RFC 7143 11.13.5. A redirection is no failure.
constexpr FailureRow kFailures[] = {
    {0x0101, nullptr},
    {0x0102, nullptr},
    {0x01ff, nullptr},
    {0x0200, "initiator_error"},
    {0x0201, "authentication_failure"},
    {0x0202, "authorization_failure"},
    {0x0203, "not_found"},
    {0x0204, "target_removed"},
    {0x0205, "unsupported_version"},
    {0x0206, "too_many_connections"},
    {0x0207, "missing_parameter"},
    {0x0208, "cant_include_in_session"},
    {0x0209, "session_type_not_supported"},
    {0x020a, "session_does_not_exist"},
    {0x020b, "invalid_request_during_login"},
    {0x020c, "other"},
    {0x0300, "target_error"},
    {0x0301, "service_unavailable"},
    {0x0302, "out_of_resources"},
    {0x0303, "other"},
    {0x0400, "other"},
    {0xffff, "other"},
};

TEST(Login, FailuresAreCountedByStatus) {
  for (const FailureRow& row : kFailures) {
    Host host;
    host.Opens(1)
        .RequestsLogin(LoginText({}))
        .AnswersLogin(row.status >> 8, 1, ISCSI_FLAG_FINAL | 0x07, {}, row.status & 0xff)
        .Drops();
    const Snapshot snapshot = host.See();
    const TargetStatistics& target = snapshot.targets.at({kInitiator, kDisk});
    for (uint8_t i = 0; i < kLoginFailures; i++) {
      const bool is_this = row.failure != nullptr && LoginFailureLabel(i) == row.failure;
      EXPECT_EQ(target.login_failures[i], is_this ? 1u : 0u) << row.status;
    }
    EXPECT_EQ(target.login_redirections, row.failure == nullptr ? 1u : 0u) << row.status;
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
  EXPECT_TRUE(snapshot.sessions.at(0).header_digest);
  EXPECT_TRUE(snapshot.sessions.at(0).data_digest);
}

// The record of the opening was lost. The portal comes from the first record that has one.
TEST(Login, LearnsItsPortalLate) {
  Host host;
  host.Meets(1).LogsIn();
  host.Walks();
  EXPECT_EQ(host.See().sessions.at(0).portal, "192.0.2.2:3260");
}

}  // namespace
}  // namespace lunscope
