// SPDX-License-Identifier: Apache-2.0
//
// The HTTP endpoint: /metrics, other pages, a landing page, health.
//
// prometheus-cpp's own Exposer is not used: its web server, as Debian builds it, knows no IPv6, and
// it adds metrics of its own to every scrape.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

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

// What the endpoint serves beside the metrics. Rendered when it is asked for, by a thread of the
// endpoint's own.
struct Page {
  std::string path;
  std::string content_type;
  std::function<std::string()> render;
};

class Endpoint {
 public:
  virtual ~Endpoint() = default;  // stops serving; waits for a scrape that is under way

  // Serve until the endpoint is destroyed. metrics renders the page at metrics_path, and is called
  // by threads of the endpoint's own.
  static Result<std::unique_ptr<Endpoint>> Start(const ListenAddress& address,
                                                 const std::string& metrics_path,
                                                 std::function<std::string()> metrics,
                                                 std::vector<Page> pages = {});
};

// Where `serve` has the sessions, as JSON and as a table.
inline constexpr const char* kSessionsPath = "/sessions";
inline constexpr const char* kSessionsTablePath = "/sessions.txt";

// What the endpoint of another lunscope serves at this path.
Result<std::string> Fetch(const ListenAddress& address, const std::string& path);

}  // namespace lunscope
