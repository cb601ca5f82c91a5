// SPDX-License-Identifier: Apache-2.0
//
// The web configuration file as it was read last: it says who may read the endpoint.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "collector/base/result.h"
#include "collector/web/tls.h"
#include "collector/web/web_config.h"

namespace lunscope {

// A connection has the same rules from its beginning to its end.
struct AccessRules {
  WebConfig config;
  std::shared_ptr<const TlsServer> tls;  // nullptr: none
};

// Safe to call from several threads.
class Access {
 public:
  using Clock = std::chrono::steady_clock;

  // file: "" lets everybody in. The error (kUsage) has file, line and reason.
  static Result<std::shared_ptr<Access>> Load(const std::string& file);

  [[nodiscard]] bool has_file() const { return !file_.empty(); }
  // Read the file again. After an error the rules stay as they are. TLS can neither begin nor end
  // this way, for a socket that listens has it or not.
  Status Reload();

  [[nodiscard]] std::shared_ptr<const AccessRules> rules() const;
  // Whether the rate limit has room for a request now; that takes it.
  bool HasRoom(Clock::time_point now);

 private:
  Access(std::string file, std::shared_ptr<const AccessRules> rules)
      : file_(std::move(file)), rules_(std::move(rules)) {}
  static Result<std::shared_ptr<const AccessRules>> Read(const std::string& file);

  const std::string file_;
  mutable std::mutex mutex_;
  std::shared_ptr<const AccessRules> rules_;
  // Rules that open connections may still have: GnuTLS uses them up to the end of a session.
  std::vector<std::shared_ptr<const AccessRules>> retired_;
  // The token bucket of the rate limit, as the time at which it is full again.
  Clock::time_point full_at_{};
};

}  // namespace lunscope
