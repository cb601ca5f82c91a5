// SPDX-License-Identifier: Apache-2.0
//
// The tests of server and client share these: a free port, and an endpoint with one metric.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "collector/web/endpoint.h"

namespace lunscope {

inline constexpr const char* kMetricsPage = "# TYPE lunscope_answer gauge\nlunscope_answer 42\n";

// A port that is free at this moment in both families; 0 if the host gives none.
inline uint16_t FreePort() {
  const int fd = socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool is_bound = bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  close(fd);
  return is_bound ? ntohs(address.sin6_port) : 0;
}

inline Result<std::unique_ptr<Endpoint>> Start(const std::string& host, uint16_t port,
                                               const std::string& path = "/metrics",
                                               std::vector<Page> pages = {}) {
  Result<std::vector<Listener>> listeners = Listener::OpenAll({{host, port, ""}});
  if (!listeners.ok()) return listeners.error();
  return Endpoint::Start({.listeners = std::move(listeners.value()),
                          .metrics_path = path,
                          .metrics = [] { return kMetricsPage; },
                          .pages = std::move(pages),
                          .allowed_hosts = {},
                          .access = nullptr,
                          .counts = nullptr});
}

}  // namespace lunscope
