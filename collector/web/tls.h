// SPDX-License-Identifier: Apache-2.0
//
// The TLS side of the web configuration file, by GnuTLS: GNU libmicrohttpd makes a session for each
// connection, and a TlsServer says which certificate it shows and what it asks of the client.
#pragma once

#include <gnutls/gnutls.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "collector/base/result.h"
#include "collector/web/web_config.h"

namespace lunscope {

class TlsServer {
 public:
  // The error (kUsage) has the file, the line of what is wrong, and GnuTLS's reason.
  // REQUIRES: config has TLS.
  static Result<std::shared_ptr<const TlsServer>> Load(const WebConfig& config);

  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer();

  // Makes the session one of this server. To be called before the handshake; outlives the session.
  void Adopt(gnutls_session_t session) const;
  // Whether the client's certificate has an allowed name. REQUIRES: the handshake is over.
  [[nodiscard]] bool AllowsNames(gnutls_session_t session) const;

  [[nodiscard]] const TlsConfig& config() const { return config_; }

 private:
  explicit TlsServer(TlsConfig config) : config_(std::move(config)) {}
  // A reason, and the line of the text that it is about.
  struct Wrong {
    int line;
    std::string reason;
  };
  std::optional<Wrong> LoadCertificate();
  std::optional<Wrong> LoadClientAuthority();

  TlsConfig config_;
  gnutls_certificate_credentials_t credentials_ = nullptr;
  gnutls_priority_t priority_ = nullptr;
};

}  // namespace lunscope
