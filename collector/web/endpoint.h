// SPDX-License-Identifier: Apache-2.0
//
// The HTTP endpoint: /metrics, other pages, a landing page at / and two health checks
// (/-/healthy, /-/ready). It answers GET and HEAD.
//
// A client that sends without end, or leaves its answers unread, costs a bounded amount of memory,
// and no other client waits for it (clients.h). GNU libmicrohttpd bounds what it keeps of a
// request.
//
// Rejected: prometheus-cpp's Exposer. Debian builds its web server without IPv6, and it adds
// metrics of its own to every scrape. cpp-httplib 0.11.4 as a server: its threads wait for slow
// clients, and it keeps whatever a client sends.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collector/base/endpoint_counts.h"
#include "collector/base/result.h"
#include "collector/web/access.h"
#include "collector/web/listener.h"

namespace lunscope {

// A page that is rendered when somebody asks for it, by a thread of the endpoint.
struct Page {
  std::string path;
  std::string content_type;
  std::function<std::string()> render;
};

struct EndpointOptions {
  // A Unix socket has neither TLS nor passwords: the mode of its file says who may connect.
  std::vector<Listener> listeners;
  std::string metrics_path;
  std::function<std::string()> metrics;
  std::vector<Page> pages;                 // beside the metrics
  std::vector<std::string> allowed_hosts;  // names in Host headers, beside this host's own
  std::shared_ptr<Access> access;          // nullptr: everybody
  EndpointCounts* counts = nullptr;        // may be nullptr; outlives the endpoint
};

class Endpoint {
 public:
  // Stops serving: requests that wait for a page are answered with 503.
  virtual ~Endpoint() = default;

  // Serves until the endpoint is destroyed. The error (kFailure) has the system's message.
  static Result<std::unique_ptr<Endpoint>> Start(EndpointOptions options);
};

}  // namespace lunscope
