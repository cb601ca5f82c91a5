// SPDX-License-Identifier: Apache-2.0
//
// The HTTP endpoint: /metrics, other pages, a landing page at / and two health checks
// (/-/healthy, /-/ready).
//
// Rejected: prometheus-cpp's Exposer. Debian builds its web server without IPv6, and it adds
// metrics of its own to every scrape.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collector/base/result.h"
#include "collector/web/listen_address.h"

namespace lunscope {

// A page beside the metrics. A thread of the endpoint calls render for each request.
struct Page {
  std::string path;
  std::string content_type;
  std::function<std::string()> render;
};

class Endpoint {
 public:
  // Stops serving. Waits until the requests that are being answered have their answers.
  virtual ~Endpoint() = default;

  // Serves until the endpoint is destroyed. metrics renders the page at metrics_path; threads of
  // the endpoint call it, several at a time. The error (kFailure) has the address and the system's
  // message.
  static Result<std::unique_ptr<Endpoint>> Start(const ListenAddress& address,
                                                 const std::string& metrics_path,
                                                 std::function<std::string()> metrics,
                                                 std::vector<Page> pages = {});
};

}  // namespace lunscope
