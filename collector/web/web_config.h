// SPDX-License-Identifier: Apache-2.0
//
// The web configuration file, in the format of Prometheus's exporter-toolkit (its
// docs/web-configuration.md): TLS, passwords, headers and a rate limit. A file of an exporter works
// here. Keys that the HTTP server cannot follow are refused and not ignored: TLS before 1.2, and
// cipher_suites.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/result.h"

namespace lunscope {

// Text of the file, or of a file that it names, and the line that has it or names it.
struct ConfiguredText {
  std::string text;
  int line = 0;
};

struct TlsConfig {
  // The values of client_auth_type.
  enum class ClientCertificates { kNone, kRequest, kRequireAny, kVerifyIfGiven, kVerify };

  ConfiguredText certificate;  // PEM, with the chain behind it
  ConfiguredText key;          // PEM
  ConfiguredText client_ca;    // PEM; "": none
  ClientCertificates client_certificates = ClientCertificates::kNone;
  std::vector<std::string> allowed_names;  // of client certificates; empty: every name
  bool allows_tls12 = true;
  bool allows_tls13 = true;
  bool prefers_own_ciphers = true;
  std::vector<std::string> groups;  // GnuTLS's names of curve_preferences; empty: its own choice
};

struct RateLimit {
  std::chrono::nanoseconds interval{0};  // a request gets its turn this often
  uint64_t burst = 0;                    // so many may come at once
};

struct WebConfig {
  std::string path;  // of the file, for messages
  std::optional<TlsConfig> tls;
  std::map<std::string, std::string> users;                  // bcrypt hash by name
  std::vector<std::pair<std::string, std::string>> headers;  // of every answer
  std::optional<RateLimit> rate_limit;

  // "FILE:LINE: reason", kUsage.
  [[nodiscard]] Error At(int line, const std::string& reason) const;
};

// Reads the file and those that it names. Paths in it start at its folder. The error (kUsage) has
// the file, the line and the reason.
Result<WebConfig> ReadWebConfig(const std::string& path);

// The same for a text. path: stands in messages, and its folder is where other files are.
Result<WebConfig> ParseWebConfig(const std::string& text, const std::string& path);

}  // namespace lunscope
