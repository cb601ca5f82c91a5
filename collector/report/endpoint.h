// SPDX-License-Identifier: Apache-2.0
//
// The HTTP endpoint: /metrics from a prometheus::Collectable, a landing page, and health.
//
// prometheus-cpp's own Exposer is not used: its web server, as Debian builds it, knows no IPv6, and
// it adds metrics of its own to every scrape.
#pragma once

#include <prometheus/collectable.h>

#include <cstdint>
#include <memory>
#include <string>

#include "collector/base/result.h"

namespace lunscope {

// "127.0.0.1:13260", "[::1]:13260", ":13260" (every address).
struct ListenAddress {
  std::string host;
  uint16_t port = 0;

  static Result<ListenAddress> Parse(const std::string& text);
  [[nodiscard]] std::string Authority() const;  // "127.0.0.1:13260", "[::1]:13260"
  [[nodiscard]] std::string Url(const std::string& path) const;
};

class Endpoint {
 public:
  virtual ~Endpoint() = default;  // stops serving; waits for a scrape that is under way

  // Serve until the endpoint is destroyed. Collect() is called by threads of the endpoint's own.
  static Result<std::unique_ptr<Endpoint>> Start(const ListenAddress& address,
                                                 const std::string& metrics_path,
                                                 std::shared_ptr<prometheus::Collectable> metrics);
};

}  // namespace lunscope
