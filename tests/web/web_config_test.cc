// SPDX-License-Identifier: Apache-2.0
//
// The web configuration file: what each key means, and where a wrong one is said to be.
#include "collector/web/web_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

// The hash of "right".
constexpr const char* kHash = "$2y$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC";

constexpr const char* kTls = "tls_server_config:\n  cert: C\n  key: K\n";

Result<WebConfig> Parse(const std::string& text) { return ParseWebConfig(text, "web.yml"); }

TEST(WebConfig, AnEmptyFileLetsEverybodyIn) {
  for (const char* text : {"", "# nothing\n", "{}", "tls_server_config:\n cert: C\n key: K\n",
                           "http_server_config:\n  http2: true\n"}) {
    Result<WebConfig> config = Parse(text);
    ASSERT_TRUE(config.ok()) << text << config.error().message;
    EXPECT_TRUE(config.value().users.empty());
    EXPECT_FALSE(config.value().rate_limit);
  }
}

TEST(WebConfig, HasUsersHeadersAndALimit) {
  Result<WebConfig> parsed = Parse(fmt::format(
      "basic_auth_users:\n  alice: {0}\n  bob: '{0}'\n"
      "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    X-XSS-Protection: ''\n"
      "rate_limit:\n  interval: 10ms\n  burst: 5\n",
      kHash));
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  const WebConfig& config = parsed.value();
  EXPECT_THAT(config.users, ElementsAre(Pair("alice", kHash), Pair("bob", kHash)));
  EXPECT_THAT(config.headers, ElementsAre(Pair("X-Frame-Options", "deny")));
  ASSERT_TRUE(config.rate_limit);
  EXPECT_EQ(config.rate_limit->interval, std::chrono::milliseconds(10));
  EXPECT_EQ(config.rate_limit->burst, 5u);
}

TEST(WebConfig, HasVersionsAndCurvesOfTls) {
  Result<WebConfig> parsed =
      Parse(std::string(kTls) +
            "  min_version: TLS13\n  curve_preferences: [X25519, CurveP256]\n"
            "  client_ca: A\n  client_auth_type: VerifyClientCertIfGiven\n"
            "  client_allowed_sans: [prometheus.example]\n  prefer_server_cipher_suites: false\n");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  const TlsConfig& tls = *parsed.value().tls;
  EXPECT_EQ(tls.certificate.text, "C");
  EXPECT_EQ(tls.certificate.line, 2);
  EXPECT_FALSE(tls.allows_tls12);
  EXPECT_TRUE(tls.allows_tls13);
  EXPECT_FALSE(tls.prefers_own_ciphers);
  EXPECT_THAT(tls.groups, ElementsAre("X25519", "SECP256R1"));
  EXPECT_EQ(tls.client_certificates, TlsConfig::ClientCertificates::kVerifyIfGiven);
  EXPECT_THAT(tls.allowed_names, ElementsAre("prometheus.example"));
}

struct WrongRow {
  std::string text;
  int line;
  const char* reason;
};

TEST(WebConfig, AWrongOneIsRefusedWithItsLine) {
  const std::string tls = kTls;
  const WrongRow rows[] = {
      {"a: [", 1, "end of sequence"},
      {"- a\n", 1, "must be keys with values"},
      {"basic_auth_user:\n  a: b\n", 2, "the key basic_auth_user is not known here"},
      {"basic_auth_users:\n", 0, nullptr},  // no users: everybody
      {"basic_auth_users:\n  a: secret\n", 2, "is no bcrypt hash"},
      {fmt::format("basic_auth_users:\n  a: {0}\n  a: {0}\n", kHash), 3, "is there twice"},
      {fmt::format("basic_auth_users:\n  'a:b': {}\n", kHash), 2, "no colon"},
      {"basic_auth_users:\n  a: $2y$31$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC\n", 2,
       "the cost of the bcrypt hash must be 4 to 15"},
      {"tls_server_config:\n  cert: C\n", 2, "needs cert_file and key_file"},
      {"tls_server_config:\n  cert: C\n  cert_file: /nothing\n", 3, "exclude each other"},
      {"tls_server_config:\n  key_file: /nothing/key\n", 2,
       "cannot read /nothing/key: No such file or directory"},
      {"tls_server_config:\n  key_file: /\n", 2, "cannot read /: Is a directory"},
      {tls + "  min_version: TLS10\n", 4, "must be TLS12, TLS13"},
      {tls + "  min_version: TLS13\n  max_version: TLS12\n", 2, "is above"},
      {tls + "  cipher_suites: [TLS_AES_128_GCM_SHA256]\n", 4, "are not supported"},
      {tls + "  client_auth_type: Always\n", 4, "must be NoClientCert, "},
      {tls + "  client_auth_type: RequireAndVerifyClientCert\n", 2, "needs client_ca_file"},
      {tls + "  client_ca: A\n", 2, "needs client_auth_type"},
      {tls + "  client_allowed_sans: [a]\n", 2, "needs client_auth_type"},
      {tls + "  client_allowed_sans: a\n", 4, "must be a list"},
      {tls + "  curve_preferences: [P256]\n", 4, "must be CurveP256"},
      {"http_server_config:\n  http2: perhaps\n", 2, "must be true or false"},
      {"http_server_config:\n  headers:\n    Set-Cookie: a\n", 3, "the header Set-Cookie"},
      {"http_server_config:\n  headers:\n    X-Frame-Options: \"a\\r\\nB: c\"\n", 3, "printable"},
      {"rate_limit:\n  interval: soon\n", 2, "must be a time"},
      {"rate_limit:\n  interval: 1s\n", 2, "needs a burst"},
      {"rate_limit:\n  burst: -1\n", 2, "must be a whole number"},
      {"\x01", 1, ""},
      {"a: &a [*a]", 1, ""},
      {std::string(10'000, '['), 1, ""},
      {std::string("a\0b: c", 6), 1, ""},
  };
  for (const WrongRow& row : rows) {
    Result<WebConfig> parsed = Parse(row.text);
    const std::string shown = row.text.substr(0, 100);
    ASSERT_EQ(parsed.ok(), row.reason == nullptr) << shown;
    if (parsed.ok()) continue;
    EXPECT_EQ(parsed.error().code, ExitCode::kUsage) << shown;
    EXPECT_THAT(parsed.error().message, StartsWith(fmt::format("web.yml:{}: ", row.line))) << shown;
    EXPECT_THAT(parsed.error().message, HasSubstr(row.reason)) << shown;
  }
}

TEST(WebConfig, PathsBeginAtItsFolder) {
  std::string folder = testing::TempDir() + "/web-config-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::ofstream(folder + "/a.pem") << "CERTIFICATE";
  std::ofstream(folder + "/web.yml")
      << "tls_server_config:\n  cert_file: a.pem\n  key_file: a.pem\n";
  Result<WebConfig> config = ReadWebConfig(folder + "/web.yml");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config.value().tls->certificate.text, "CERTIFICATE");
  EXPECT_EQ(config.value().tls->key.line, 3);
}

TEST(WebConfig, AFileThatCannotBeReadIsNamed) {
  Result<WebConfig> config = ReadWebConfig("/nothing/web.yml");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().message, "cannot read /nothing/web.yml: No such file or directory");
  EXPECT_EQ(config.error().code, ExitCode::kUsage);
}

}  // namespace
}  // namespace lunscope
