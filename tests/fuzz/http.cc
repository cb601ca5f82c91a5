// SPDX-License-Identifier: Apache-2.0
// Any bytes that a client sends to the endpoint: it answers with HTTP or not at all, and answers
// the next client.
//
// Input: what the client sends. Behind it the client sends no more.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include "collector/web/endpoint.h"
#include "tests/fuzz/target.h"

namespace lunscope {
namespace {

constexpr const char* kPage = "lunscope_answer 42\n";

std::string SocketPath() { return "/tmp/lunscope-fuzz-" + std::to_string(getpid()); }

std::unique_ptr<Endpoint> StartEndpoint() {
  std::signal(SIGPIPE, SIG_IGN);
  Result<std::vector<Listener>> listeners = Listener::OpenAll({{"", 0, SocketPath()}});
  Check(listeners.ok(), "the socket listens");
  auto endpoint = Endpoint::Start({.listeners = std::move(listeners.value()),
                                   .metrics_path = "/metrics",
                                   .metrics = [] { return kPage; },
                                   .pages = {},
                                   .allowed_hosts = {},
                                   .access = nullptr,
                                   .counts = nullptr});
  Check(endpoint.ok(), "the endpoint starts");
  return std::move(endpoint.value());
}

// Everything that the endpoint answers until it closes the connection. MHD takes a client that
// sends no more for one that is gone, and may give up its answer.
std::string AnswerTo(std::span<const uint8_t> bytes, bool sends_no_more) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  SocketPath().copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Check(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0,
        "the endpoint takes another client");
  // The endpoint stops reading where a request is too long.
  while (!bytes.empty()) {
    const ssize_t sent = send(client, bytes.data(), bytes.size(), 0);
    if (sent <= 0) break;
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
  if (sends_no_more) shutdown(client, SHUT_WR);
  std::string answer;
  char piece[4096];
  for (ssize_t got = 0; (got = recv(client, piece, sizeof(piece), 0)) > 0;)
    answer.append(piece, static_cast<size_t>(got));
  close(client);
  return answer;
}

void Run(std::span<const uint8_t> bytes) {
  static const std::unique_ptr<Endpoint> kEndpoint = StartEndpoint();
  const std::string answer = AnswerTo(bytes, true);
  Check(answer.empty() || answer.starts_with("HTTP/1."), "an answer is HTTP");
  static int runs = 0;
  if (++runs % 64 != 0) return;
  const Bytes scrape = ToBytes("GET /metrics HTTP/1.0\r\n\r\n");
  Check(AnswerTo(scrape, false).ends_with(kPage), "the next client gets its page");
}

std::vector<Bytes> Seeds() {
  const std::string host = "Host: localhost\r\n";
  return {
      ToBytes("GET /metrics HTTP/1.1\r\n" + host + "Accept-Encoding: gzip;q=0.5, br\r\n\r\n"),
      ToBytes("HEAD / HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n"),
      ToBytes("GET /-/ready HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\n" + host + "\r\n"),
      ToBytes("POST /metrics HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabc"),
      ToBytes("GET /metrics HTTP/1.1\r\n" + host +
              "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
      ToBytes("GET /%2e%2e/metrics?a=b&c HTTP/1.1\r\nHost: [::1]:80\r\nRange: bytes=0-\r\n"
              "Authorization: Basic YTpi\r\nCookie: a=b\r\n\r\n"),
  };
}

}  // namespace

const FuzzTarget kHttpTarget = {"http", Run, Seeds};

}  // namespace lunscope
