// SPDX-License-Identifier: Apache-2.0
// The web configuration file, and the texts that name addresses and hosts. An accepted file holds
// all that the endpoint relies on, and a refusal names the file.
//
// Input: the text.
#include "collector/web/host_header.h"
#include "collector/web/listen_address.h"
#include "collector/web/web_config.h"
#include "tests/fuzz/target.h"

namespace lunscope {
namespace {

void CheckConfig(const std::string& text) {
  // A path could name a pipe, which nobody writes to.
  if (text.find('/') != std::string::npos) return;
  Result<WebConfig> parsed = ParseWebConfig(text, "web.yml");
  if (!parsed.ok()) {
    Check(parsed.error().code == ExitCode::kUsage, "a wrong file is a matter of usage");
    Check(parsed.error().message.starts_with("web.yml:"), "a refusal names the file");
    return;
  }
  const WebConfig& config = parsed.value();
  for (const auto& [name, hash] : config.users) {
    Check(!name.empty() && name.find(':') == std::string::npos, "a name has no colon");
    Check(hash.size() == 60 && hash.starts_with("$2"), "a hash is one of bcrypt");
  }
  for (const auto& [name, value] : config.headers)
    Check(IsPrintable(value), "a header has no line end");
  if (config.rate_limit)
    Check(config.rate_limit->interval.count() > 0 && config.rate_limit->burst > 0, "a limit");
  if (!config.tls) return;
  Check(!config.tls->certificate.text.empty() && !config.tls->key.text.empty(), "TLS has a key");
  Check(config.tls->allows_tls12 || config.tls->allows_tls13, "TLS has a version");
}

void CheckAddress(const std::string& text) {
  Result<ListenAddress> parsed = ListenAddress::Parse(text);
  if (!parsed.ok()) return;
  const ListenAddress& address = parsed.value();
  Check(address.is_unix() == (address.port == 0), "TCP has a port");
  Result<ListenAddress> again = ListenAddress::Parse(address.Text());
  Check(again.ok() && again.value().Text() == address.Text(), "its text is read again");
}

void CheckHost(const std::string& text) {
  if (!IsOwnHost(text, {"own.example"})) return;
  const bool begins_as_address = text[0] == '[' || (text[0] >= '0' && text[0] <= '9');
  const bool begins_as_name = (text[0] | 0x20) == 'o';
  Check(begins_as_address || begins_as_name, "no other name is this host's");
}

void Run(std::span<const uint8_t> bytes) {
  const std::string text(bytes.begin(), bytes.end());
  CheckConfig(text);
  CheckAddress(text);
  if (!text.empty()) CheckHost(text);
}

std::vector<Bytes> Seeds() {
  return {
      ToBytes("tls_server_config:\n  cert: C\n  key: K\n  client_ca: A\n"
              "  client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13\n"
              "  client_allowed_sans: [a, 'b']\n  curve_preferences: [X25519]\n"),
      ToBytes("basic_auth_users:\n"
              "  a: $2y$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC\n"),
      ToBytes("http_server_config: {http2: true, headers: {X-Frame-Options: deny}}\n"
              "rate_limit: {interval: 10ms, burst: 5}\n"),
      ToBytes("a: &b [*b, {c: !!binary d}]\n---\n? e\n: |\n  f\n"),
      ToBytes("127.0.0.1:13260"),
      ToBytes("[::1]:13260"),
      ToBytes("unix:/run/lunscope.sock"),
      ToBytes("own.example:80"),
  };
}

}  // namespace

const FuzzTarget kConfigTarget = {"config", Run, Seeds};

}  // namespace lunscope
