// SPDX-License-Identifier: Apache-2.0
// text.h: the bytes of a negotiation that may leave the kernel, and the digests on which it agreed.
#include <lunscope/text.h>

#include <gtest/gtest.h>

#include "tests/engine/follower.h"

namespace lunscope {
namespace {

uint64_t Fnv1a(std::string_view bytes) {
  uint64_t hash = LUNSCOPE_HASH_START;
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * LUNSCOPE_HASH_PRIME;
  return hash;
}

TEST(TextKeys, AreTheHashesOfTheirNames) {
#define LUNSCOPE_EXPECT(name, hash) EXPECT_EQ(Fnv1a(name), hash) << name;
  LUNSCOPE_TEXT_KEYS(LUNSCOPE_EXPECT)
#undef LUNSCOPE_EXPECT
  EXPECT_EQ(Fnv1a("HeaderDigest"), LUNSCOPE_KEY_HEADER_DIGEST);
  EXPECT_EQ(Fnv1a("DataDigest"), LUNSCOPE_KEY_DATA_DIGEST);
  EXPECT_EQ(Fnv1a("CRC32C"), LUNSCOPE_VALUE_CRC32C);
  EXPECT_EQ(Fnv1a(""), 0xcbf29ce484222325u);  // the test vectors of draft-eastlake-fnv
  EXPECT_EQ(Fnv1a("foobar"), 0x85944171f73967e8u);
}

// Filters a text from its beginning.
std::string Filter(lunscope_text* text, const Bytes& bytes) {
  std::string shown;
  lunscope_text_next_key(text);
  for (const uint8_t byte : bytes)
    if (lunscope_text_take(text, byte)) shown += byte != 0 ? static_cast<char>(byte) : ';';
  return shown;
}

std::string Filter(const Bytes& bytes) {
  lunscope_text text = {};
  return Filter(&text, bytes);
}

// RFC 7143 sections 6.1, 12.1 (authentication), 13 (keys).
TEST(TextFilter, ShowsWhatAnOperatorNeedsAndNothingElse) {
  const struct {
    std::string_view pair, shown;
  } kRows[] = {
      {"InitiatorName=iqn.2026-01.example:host", "InitiatorName=iqn.2026-01.example:host;"},
      {"TargetName=iqn.2026-01.example:disk", "TargetName=iqn.2026-01.example:disk;"},
      {"TargetAddress=10.0.0.9:3260,1", "TargetAddress=10.0.0.9:3260,1;"},
      {"MaxRecvDataSegmentLength=262144", "MaxRecvDataSegmentLength=262144;"},
      {"HeaderDigest=CRC32C,None", "HeaderDigest=CRC32C,None;"},
      {"AuthMethod=CHAP,None", "AuthMethod=CHAP,None;"},
      {"CHAP_A=5", "CHAP_A=5;"},
      {"CHAP_I=97", "CHAP_I=;"},
      {"CHAP_C=0x8f2ae1c0", "CHAP_C=;"},
      {"CHAP_N=alice", "CHAP_N=;"},
      {"CHAP_R=0x0badc0de", "CHAP_R=;"},
      {"SRP_U=alice", "SRP_U=;"},
      {"SRP_GROUP=SRP-1536", "SRP_GROUP=;"},
      {"SRP_A=0x0badc0de", "SRP_A=;"},
      {"SRP_B=0x0badc0de", "SRP_B=;"},
      {"SRP_s=0x0badc0de", "SRP_s=;"},
      {"SRP_M=0x0badc0de", "SRP_M=;"},
      {"SRP_HM=0x0badc0de", "SRP_HM=;"},
      {"KRB_AP_REQ=0x0badc0de", "KRB_AP_REQ=;"},
      {"KRB_AP_REP=0x0badc0de", "KRB_AP_REP=;"},
      {"TargetAuth=Yes", "TargetAuth=;"},
      {"X-com.example.password=hunter2", "X-com.example.password=;"},
      {"X#NodeArchitecture=amd64", "X#NodeArchitecture=amd64;"},
      {"X#NodeArchitectures=secret", "X#NodeArchitectures=;"},
      // Names that resemble the shown ones.
      {"initiatorname=secret", "initiatorname=;"},
      {"InitiatorNames=secret", "InitiatorNames=;"},
      {"InitiatorNam=secret", "InitiatorNam=;"},
      {" InitiatorName=secret", " InitiatorName=;"},
      {"CHAP_R =secret", "CHAP_R =;"},
      // Texts of an odd form.
      {"=secret", "=;"},
      {"CHAP_R=TargetName=secret", "CHAP_R=;"},
      {"TargetName=a=b", "TargetName=a=b;"},
      {"TargetName=", "TargetName=;"},
      {"JustAName", "JustAName;"},
      {"", ";"},
  };
  Bytes all;
  std::string all_shown;
  for (const auto& row : kRows) {
    const Bytes pair = Keys({row.pair});
    EXPECT_EQ(Filter(pair), row.shown);
    all.insert(all.end(), pair.begin(), pair.end());
    all_shown += row.shown;
  }
  EXPECT_EQ(Filter(all), all_shown);
}

TEST(TextFilter, EveryShownKeyIsShown) {
#define LUNSCOPE_EXPECT(name, hash) EXPECT_EQ(Filter(Keys({name "=value"})), name "=value;");
  LUNSCOPE_TEXT_KEYS(LUNSCOPE_EXPECT)
#undef LUNSCOPE_EXPECT
}

TEST(TextFilter, DetectsDigests) {
  const struct {
    std::initializer_list<std::string_view> pairs;
    bool header, data;
  } kRows[] = {
      {{"HeaderDigest=CRC32C"}, true, false},
      {{"DataDigest=CRC32C"}, false, true},
      {{"HeaderDigest=CRC32C", "DataDigest=CRC32C"}, true, true},
      {{"HeaderDigest=None", "DataDigest=None"}, false, false},
      {{"HeaderDigest=CRC32C", "HeaderDigest=None"}, false, false},
      {{"HeaderDigest=Reject", "DataDigest=NotUnderstood"}, false, false},
      {{"HeaderDigest=CRC32", "DataDigest=CRC32CC"}, false, false},
      {{"X-HeaderDigest=CRC32C", "CHAP_N=CRC32C", "CRC32C"}, false, false},
      {{"HeaderDigest="}, false, false},
  };
  for (const auto& row : kRows) {
    lunscope_text text = {};
    Filter(&text, Keys(row.pairs));
    EXPECT_EQ(text.header_digest == LUNSCOPE_DIGEST_CRC32C, row.header);
    EXPECT_EQ(text.data_digest == LUNSCOPE_DIGEST_CRC32C, row.data);
  }
}

// A real login with CHAP, from both sides.
const Bytes& Secrets() {
  static const Bytes kText =
      Keys({"InitiatorName=iqn.2026-01.example:host", "CHAP_A=5", "CHAP_I=97",
            "CHAP_C=0xc0ffee01c0ffee02c0ffee03c0ffee04", "CHAP_N=alice-the-secret",
            "CHAP_R=0xdeadbeefdeadbeefdeadbeefdeadbeef", "SRP_U=alice-the-secret",
            "KRB_AP_REQ=0xfeedface", "TargetName=iqn.2026-01.example:disk"});
  return kText;
}

void ExpectNoSecret(const std::string& text) {
  for (const char* secret : {"97", "c0ffee", "alice", "deadbeef", "feedface", "beef", "face"})
    EXPECT_EQ(text.find(secret), std::string::npos) << secret;
}

std::string WithoutSecrets() {
  Bytes text =
      Keys({"InitiatorName=iqn.2026-01.example:host", "CHAP_A=5", "CHAP_I=", "CHAP_C=", "CHAP_N=",
            "CHAP_R=", "SRP_U=", "KRB_AP_REQ=", "TargetName=iqn.2026-01.example:disk"});
  return {text.begin(), text.end()};
}

// The values stay inside, wherever TCP or the C bit cuts the text.
TEST(TextFilter, NeverShowsASecretCutAnywhere) {
  for (size_t cut = 0; cut <= Secrets().size(); cut++) {
    SCOPED_TRACE(cut);
    Follower session;
    session.Open();
    session.Initiator(LoginRequest(Slice(Secrets(), 0, cut), kContinue));
    session.Target(LoginResponse({}, 0));
    session.Initiator(LoginRequest(Slice(Secrets(), cut, Secrets().size())));
    EXPECT_EQ(session.Text(), WithoutSecrets());
    ExpectNoSecret(session.Text());
  }
}

TEST(TextFilter, NeverShowsASecretInSegmentsOfAnySize) {
  for (size_t bytes = 1; bytes < 300; bytes++) {
    SCOPED_TRACE(bytes);
    Follower session;
    session.Open();
    session.InitiatorIn(bytes, LoginRequest(Secrets()));
    EXPECT_EQ(session.Text(), WithoutSecrets());
  }
}

// One key over three PDUs, one byte of text in each but the last.
TEST(TextFilter, FollowsAKeyOverManyPdus) {
  Follower session;
  session.Open();
  for (size_t i = 0; i + 1 < Secrets().size(); i++) {
    session.Initiator(LoginRequest(Slice(Secrets(), i, i + 1), kContinue));
    session.Target(LoginResponse({}, 0));
  }
  session.Initiator(LoginRequest(Slice(Secrets(), Secrets().size() - 1, Secrets().size())));
  EXPECT_EQ(session.Text(), WithoutSecrets());
}

// Without the C bit a text ends with its PDU, also without a NUL, and the next text begins with a
// key.
TEST(TextFilter, StartsAnewBehindATextWithoutC) {
  Follower session;
  session.Open();
  session.Initiator(LoginRequest(ToBytes("TargetName=iqn.a"), kSecurity));
  session.Target(LoginResponse({}, kSecurity));
  session.Initiator(LoginRequest(Keys({"CHAP_R=0xdeadbeef"})));
  EXPECT_EQ(session.Text(), "TargetName=iqn.aCHAP_R=" + std::string(1, '\0'));
}

// Each direction has a text of its own.
TEST(TextFilter, DirectionsDoNotMix) {
  Follower session;
  session.Open();
  session.Initiator(LoginRequest(ToBytes("TargetName=iq"), kContinue));
  session.Target(LoginResponse(Keys({"CHAP_C=0xc0ffee"}), 0));
  session.Initiator(LoginRequest(Keys({"n.a"})));
  EXPECT_EQ(session.Text(session.target_direction()), std::string("CHAP_C=\0", 8));
  EXPECT_EQ(session.Text(session.initiator_direction()), std::string("TargetName=iqn.a\0", 17));
}

// A hole in the byte stream cuts a shown value. A new text begins behind the hole.
TEST(TextFilter, AHoleInAShownValueDoesNotShowTheNext) {
  Follower session;
  session.Open();
  const Bytes request = LoginRequest(Keys({"InitiatorName=" + std::string(300, 'a')}), kSecurity);
  session.Initiator(Slice(request, 0, 48 + 220));  // a chunk and some, inside the value
  session.InitiatorUnseen(request.size() - (48 + 220));
  for (int i = 0; i <= LUNSCOPE_SYNC_HEADERS_ALONE; i++)
    session.Initiator(LoginRequest(Keys({"CHAP_R=0xdeadbeef"}), kSecurity));
  EXPECT_GT(session.delivered.size(), 1u) << "synchronised again";
  ExpectNoSecret(session.Text());
}

// A PDU with a wrong header digest is dropped in the middle of a text. It has the rest of a key's
// name.
TEST(TextFilter, ADroppedPduDoesNotShowTheRestOfASecret) {
  const Digests header{true, false};
  Follower session;
  LogIn(&session, Keys({"HeaderDigest=CRC32C"}), Keys({"HeaderDigest=CRC32C"}));
  session.Initiator(TextRequest(ToBytes("CHAP_"), kContinue).Wire(header));
  Bytes spoiled = TextRequest(ToBytes("R=0x"), kContinue).Wire(header);
  spoiled[20] ^= 1;
  session.Initiator(spoiled);
  session.Initiator(TextRequest(Keys({"deadbeef"})).Wire(header));
  ExpectNoSecret(session.Text());
}

// Followed from inside a value that continues over several PDUs: what looks like a key is the rest
// of a secret.
TEST(TextFilter, AttachInsideASecretDoesNotShowItsRest) {
  Follower session;
  for (int i = 0; i < 4; i++)
    session.Initiator(LoginRequest(ToBytes("deadbeefdeadbeef"), kContinue));
  session.Initiator(LoginRequest(Keys({"deadbeef", "TargetName=iqn.a"})));
  ExpectNoSecret(session.Text());
}

}  // namespace
}  // namespace lunscope
