// SPDX-License-Identifier: Apache-2.0
// The parameters in effect after a login: one row for each rule of RFC 7143 sections 6.2 and 13.
#include "collector/model/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lunscope/text.h>

#include <algorithm>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using std::string_literals::operator""s;
using ::testing::HasSubstr;

struct Row {
  const char* section;
  const char* key;
  const char* initiator;  // what it says of the key; "": nothing
  const char* target;
  const char* effective;
};

// The initiator speaks first.
constexpr Row kRows[] = {
    // Neither party sends the key: the default.
    {"13.1", "HeaderDigest", "", "", "None"},
    {"13.1", "DataDigest", "", "", "None"},
    {"13.2", "MaxConnections", "", "", "1"},
    {"13.6", "TargetAlias", "", "", ""},
    {"13.7", "InitiatorAlias", "", "", ""},
    {"13.9", "TargetPortalGroupTag", "", "", ""},
    {"13.10", "InitialR2T", "", "", "Yes"},
    {"13.11", "ImmediateData", "", "", "Yes"},
    {"13.13", "MaxBurstLength", "", "", "262144"},
    {"13.14", "FirstBurstLength", "", "", "65536"},
    {"13.15", "DefaultTime2Wait", "", "", "2"},
    {"13.16", "DefaultTime2Retain", "", "", "20"},
    {"13.17", "MaxOutstandingR2T", "", "", "1"},
    {"13.18", "DataPDUInOrder", "", "", "Yes"},
    {"13.19", "DataSequenceInOrder", "", "", "Yes"},
    {"13.20", "ErrorRecoveryLevel", "", "", "0"},
    {"13.21", "SessionType", "", "", "Normal"},
    {"13.23", "TaskReporting", "", "", "RFC3720"},
    {"13.24", "iSCSIProtocolLevel", "", "", "1"},
    // Lists: the answer chooses.
    {"13.1", "HeaderDigest", "CRC32C,None", "CRC32C", "CRC32C"},
    {"13.1", "HeaderDigest", "CRC32C,None", "None", "None"},
    {"13.1", "HeaderDigest", "None,CRC32C", "CRC32C", "CRC32C"},
    {"13.1", "HeaderDigest", "CRC32C", "CRC32C", "CRC32C"},
    {"6.2.1", "HeaderDigest", "CRC32C", "", "None"},            // not answered
    {"6.2.1", "HeaderDigest", "None", "CRC32C", "None"},        // not what was offered
    {"6.2.1", "HeaderDigest", "CRC32C,None", "CRC32", "None"},  // nor is a part of a name
    {"6.2", "DataDigest", "CRC32C", "Reject", "None"},
    {"13.23", "TaskReporting", "FastAbort,ResponseFence,RFC3720", "ResponseFence", "ResponseFence"},
    {"6.2", "TaskReporting", "FastAbort", "NotUnderstood", "RFC3720"},
    // OR
    {"13.10", "InitialR2T", "No", "No", "No"},
    {"13.10", "InitialR2T", "No", "Yes", "Yes"},
    {"13.10", "InitialR2T", "Yes", "Yes", "Yes"},
    {"13.10", "InitialR2T", "Yes", "No", "Yes"},  // an answer that may not be
    {"6.2.2", "InitialR2T", "Yes", "", "Yes"},
    {"6.2.2", "InitialR2T", "No", "", "Yes"},  // needs its answer
    {"6.2", "InitialR2T", "No", "Irrelevant", "Yes"},
    {"13.18", "DataPDUInOrder", "No", "No", "No"},
    {"13.19", "DataSequenceInOrder", "No", "No", "No"},
    // AND
    {"13.11", "ImmediateData", "Yes", "Yes", "Yes"},
    {"13.11", "ImmediateData", "Yes", "No", "No"},
    {"13.11", "ImmediateData", "No", "No", "No"},
    {"13.11", "ImmediateData", "No", "Yes", "No"},
    {"6.2.2", "ImmediateData", "No", "", "No"},
    {"6.2", "ImmediateData", "No", "Reject", "Yes"},
    {"6.2", "ImmediateData", "maybe", "No", "No"},
    {"6.2", "ImmediateData", "No", "no", "Yes"},  // values are case-sensitive
    // Minimum
    {"13.2", "MaxConnections", "8", "4", "4"},
    {"13.2", "MaxConnections", "65535", "65535", "65535"},
    {"13.2", "MaxConnections", "0", "1", "1"},
    {"13.13", "MaxBurstLength", "262144", "16776192", "262144"},  // an answer that may not be
    {"13.13", "MaxBurstLength", "16776192", "131072", "131072"},
    {"13.13", "MaxBurstLength", "16777215", "16777215", "16777215"},
    {"13.13", "MaxBurstLength", "16777216", "16777215", "16777215"},  // the offer is out of range
    {"13.13", "MaxBurstLength", "511", "512", "512"},
    {"13.13", "MaxBurstLength", "1024", "511", "262144"},  // the answer is
    {"13.13", "MaxBurstLength", "1024", "99999999999999999999", "262144"},
    {"13.13", "MaxBurstLength", "1024", "-1", "262144"},
    {"13.13", "MaxBurstLength", "1024", "1024 ", "262144"},
    {"6.1", "MaxBurstLength", "0x10000", "0X8000", "32768"},  // hexadecimal numbers
    {"6.1", "MaxBurstLength", "1024", "0x", "262144"},
    {"6.2", "MaxBurstLength", "1024", "", "262144"},
    {"6.2", "MaxBurstLength", "1024", "Reject", "262144"},
    {"6.2", "MaxBurstLength", "1024", "Irrelevant", "262144"},
    {"6.2", "MaxBurstLength", "1024", "NotUnderstood", "262144"},
    {"13.14", "FirstBurstLength", "262144", "65536", "65536"},
    {"13.16", "DefaultTime2Retain", "0", "20", "0"},
    {"13.16", "DefaultTime2Retain", "3601", "20", "20"},
    {"13.17", "MaxOutstandingR2T", "16", "4", "4"},
    {"13.20", "ErrorRecoveryLevel", "2", "1", "1"},
    {"13.20", "ErrorRecoveryLevel", "3", "2", "2"},
    {"13.24", "iSCSIProtocolLevel", "2", "1", "1"},
    {"13.24", "iSCSIProtocolLevel", "32", "2", "2"},
    // Maximum
    {"13.15", "DefaultTime2Wait", "0", "5", "5"},
    {"13.15", "DefaultTime2Wait", "9", "5", "9"},
    {"13.15", "DefaultTime2Wait", "3600", "3601", "2"},
    // Declared by one party; the other party's value is ignored.
    {"13.6", "TargetAlias", "", "disks", "disks"},
    {"13.6", "TargetAlias", "mine", "", ""},
    {"13.7", "InitiatorAlias", "host", "no", "host"},
    {"13.9", "TargetPortalGroupTag", "7", "65535", "65535"},
    {"13.9", "TargetPortalGroupTag", "", "65536", ""},
    {"13.21", "SessionType", "Discovery", "", "Discovery"},
    {"RFC 4850", "X#NodeArchitecture", "Linux x86_64", "", "Linux x86_64"},
    {"RFC 4850", "X#NodeArchitecture", "Linux x86_64", "NotUnderstood", "Linux x86_64"},
    // A declaration counts without an answer.
    {"13.12", "MaxRecvDataSegmentLength", "65536", "", "65536"},
    {"13.12", "MaxRecvDataSegmentLength", "511", "", "8192"},
    {"13.12", "MaxRecvDataSegmentLength", "16777216", "", "8192"},
    {"13.12", "MaxRecvDataSegmentLength", "", "65536", "8192"},  // the initiator's own
};

ParameterValues EffectiveOf(const Negotiation& login) {
  ParameterValues values = login.Effective(Scope::kSession);
  const ParameterValues of_connection = login.Effective(Scope::kConnection);
  for (size_t i = 0; i < kParameterCount; i++) values[i] += of_connection[i];
  return values;
}

TEST(Parameter, IsWhatItsResultFunctionMakesOfBothSides) {
  for (const Row& row : kRows) {
    Negotiation login;
    login.Take(kInitiatorParty, row.key, row.initiator);
    login.Take(kTargetParty, row.key, row.target);
    EXPECT_EQ(ValueOf(EffectiveOf(login), row.key), row.effective)
        << row.section << " " << row.key << "=" << row.initiator << ", " << row.target;
  }
}

// The second value of such a key is the target's.
TEST(Parameter, OfTheTargetIsNoAnswerThatDeclines) {
  const struct {
    const char *initiator, *target, *effective;
  } kDeclared[] = {
      {"Linux", "SunOS", "SunOS"},
      {"Linux", "NotUnderstood", ""},
      {"Linux", "Reject", ""},
      {"Linux", "Irrelevant", ""},
  };
  for (const auto& row : kDeclared) {
    Negotiation login;
    login.Take(kInitiatorParty, "X#NodeArchitecture", row.initiator);
    login.Take(kTargetParty, "X#NodeArchitecture", row.target);
    const ParameterValues values = login.Effective(Scope::kSession);
    std::string of_target;
    for (size_t i = 0; i < kParameterCount; i++) {
      if (kParameters[i].key == "X#NodeArchitecture") of_target = values[i];
    }
    EXPECT_EQ(of_target, row.effective) << row.initiator << ", " << row.target;
  }
}

TEST(Parameter, OffersAreTheListsOfTheLogin) {
  Negotiation login;
  login.Take(kInitiatorParty, "DataDigest", "CRC32C,None");
  login.Take(kInitiatorParty, "MaxBurstLength", "65536");
  login.Take(kTargetParty, "DataDigest", "None");
  login.Take(kTargetParty, "HeaderDigest", "None,CRC32C");
  EXPECT_EQ(login.Offered(),
            (Offers{{"HeaderDigest", "None,CRC32C"}, {"DataDigest", "CRC32C,None"}}));
}

TEST(Parameter, HasARowForEachKey) {
  for (const Parameter& parameter : kParameters) {
    EXPECT_TRUE(std::ranges::any_of(kRows, [&](const Row& row) {
      return row.key == parameter.key;
    })) << parameter.key;
  }
}

// Values that the kernel holds back stay unknown.
TEST(Parameter, PassesTheFilterOfText) {
  for (const Parameter& parameter : kParameters) {
    const std::string pair = std::string(parameter.key) + "=?";
    lunscope_text text{};
    lunscope_text_next_key(&text);
    std::string passed;
    for (const char byte : pair) {
      if (lunscope_text_take(&text, static_cast<uint8_t>(byte))) passed.push_back(byte);
    }
    EXPECT_EQ(passed, pair);
  }
}

// The target may offer as well; then the initiator answers.
TEST(Parameter, IsTheSameWhoeverOffers) {
  Negotiation login;
  login.Take(kTargetParty, "HeaderDigest", "CRC32C,None");
  login.Take(kInitiatorParty, "HeaderDigest", "CRC32C");
  login.Take(kTargetParty, "InitialR2T", "Yes");
  login.Take(kTargetParty, "MaxBurstLength", "65536");
  login.Take(kInitiatorParty, "MaxBurstLength", "4096");
  EXPECT_EQ(ValueOf(EffectiveOf(login), "HeaderDigest"), "CRC32C");
  EXPECT_EQ(ValueOf(EffectiveOf(login), "InitialR2T"), "Yes");
  EXPECT_EQ(ValueOf(EffectiveOf(login), "MaxBurstLength"), "4096");
}

// RFC 7143 6.3: a login does not negotiate a key twice.
TEST(Parameter, IsNegotiatedOnce) {
  Negotiation login;
  login.Take(kInitiatorParty, "MaxBurstLength", "4096");
  login.Take(kTargetParty, "MaxBurstLength", "2048");
  login.Take(kInitiatorParty, "MaxBurstLength", "1024");
  login.Take(kTargetParty, "MaxBurstLength", "1024");
  EXPECT_EQ(ValueOf(EffectiveOf(login), "MaxBurstLength"), "2048");
}

// The values of both directions of the connection with this id, initiator's first.
std::string SegmentLengths(const Host& host, uint64_t id) {
  const ParameterValues& values = host.model().FindConnection(id)->parameters;
  std::string text;
  for (size_t i = 0; i < kParameterCount; i++) {
    if (kParameters[i].key == "MaxRecvDataSegmentLength") text += "/" + values[i];
  }
  return text.substr(1);
}

TEST(SegmentLength, IsDeclaredForEachDirection) {
  Host host;
  host.Opens(1).LogsIn(
      {.keys = "MaxRecvDataSegmentLength=262144\0"s, .answer = "MaxRecvDataSegmentLength=4096\0"s});
  EXPECT_EQ(SegmentLengths(host, 1), "262144/4096");
}

// RFC 7143 13.12: the one parameter of the data path that full feature phase may change.
TEST(SegmentLength, IsDeclaredAnewInFullFeaturePhase) {
  Host host;
  host.Opens(1, LUNSCOPE_ROLE_TARGET).LogsIn();
  EXPECT_EQ(SegmentLengths(host, 1), "8192/8192");
  host.On(1).Asks("MaxRecvDataSegmentLength=1048576\0MaxBurstLength=1024\0HeaderDigest=CRC32C\0"s);
  host.On(1).Answers("MaxRecvDataSegmentLength=16384\0TargetAlias=moved\0"s);
  EXPECT_EQ(SegmentLengths(host, 1), "1048576/16384");
  host.On(1).Asks("MaxRecvDataSegmentLength=1\0"s);
  EXPECT_EQ(SegmentLengths(host, 1), "1048576/16384");
  const Connection& connection = *host.model().FindConnection(1);
  EXPECT_EQ(ValueOf(connection.parameters, "HeaderDigest"), "None");
  const ParameterValues& session = host.model().sessions().all().begin()->second.parameters;
  EXPECT_EQ(ValueOf(session, "MaxBurstLength"), "262144");
  EXPECT_EQ(ValueOf(session, "TargetAlias"), "moved");
}

// With the C bit a key may be cut between two PDUs (RFC 7143 11.12.2), in a login and in a Text
// Request.
TEST(Negotiation, GoesOverSeveralPdus) {
  constexpr uint8_t kStayAndContinue = ISCSI_FLAG_CONTINUE | 0x04;
  Host host;
  host.Opens(1)
      .RequestsLogin("InitiatorName=iqn.host\0TargetName=iqn.disk\0MaxBurstLen"s, kIsid,
                     kStayAndContinue)
      .AnswersLogin(0, 0, 0x04)
      .RequestsLogin("gth=1048576\0"s)
      .AnswersLogin(0, 0, kStayAndContinue, "MaxBurstLength=10"s)
      .RequestsLogin("", kIsid, 0x04)
      .AnswersLogin(0, 1, ISCSI_FLAG_FINAL | 0x07, "24\0"s);
  const ParameterValues& session = host.model().sessions().all().begin()->second.parameters;
  EXPECT_EQ(ValueOf(session, "MaxBurstLength"), "1024");
  host.On(1)
      .Asks("MaxRecvDataSegment"s, ISCSI_FLAG_CONTINUE)
      .Answers("", 0)
      .Asks("Length=65536\0"s)
      .Answers("");
  EXPECT_EQ(SegmentLengths(host, 1), "65536/8192");
}

// RFC 7143 13: many keys are irrelevant when SessionType=Discovery.
TEST(Negotiation, OfADiscoverySessionHasNoParametersOfTheDataPath) {
  Negotiation login;
  login.Take(kInitiatorParty, "SessionType", "Discovery");
  EXPECT_EQ(ValueOf(EffectiveOf(login), "MaxBurstLength"), "");
  EXPECT_EQ(ValueOf(EffectiveOf(login), "MaxConnections"), "");
  EXPECT_EQ(ValueOf(EffectiveOf(login), "DefaultTime2Wait"), "2");
  EXPECT_EQ(ValueOf(EffectiveOf(login), "MaxRecvDataSegmentLength"), "8192");
}

// A login that failed leaves nothing behind for the next one on the same connection.
TEST(Negotiation, BeginsAnewWithEachLogin) {
  Host host;
  host.Opens(1)
      .RequestsLogin(LoginText({}) + "MaxBurstLength=1024\0"s)
      .AnswersLogin(2, 0, 0, "MaxBurstLength=1024\0"s)
      .LogsIn();
  const ParameterValues& session = host.model().sessions().all().begin()->second.parameters;
  EXPECT_EQ(ValueOf(session, "MaxBurstLength"), "262144");
}

}  // namespace
}  // namespace lunscope
