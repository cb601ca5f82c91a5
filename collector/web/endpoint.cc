// SPDX-License-Identifier: Apache-2.0
#include "collector/web/endpoint.h"

#include <fmt/format.h>
#include <httplib.h>

#include <cstring>
#include <thread>
#include <utility>

namespace lunscope {
namespace {

constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr int kReadSeconds = 5;
// The end of the program waits for an idle scraper's connection at most this long.
constexpr int kKeepAliveSeconds = 1;
constexpr size_t kThreads = 2;  // more are of no use: scrapes wait for one lock

// Moves the page. set_content() would copy it, and a page of 100,000 series has 15 MB.
void Answer(httplib::Response& response, std::string page, const std::string& content_type) {
  response.body = std::move(page);
  response.set_header("Content-Type", content_type);
}

class HttpEndpoint : public Endpoint {
 public:
  HttpEndpoint(std::string metrics_path, std::function<std::string()> metrics,
               std::vector<Page> pages)
      : metrics_path_(std::move(metrics_path)),
        metrics_(std::move(metrics)),
        pages_(std::move(pages)) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    // cpp-httplib's default is SO_REUSEPORT, with which a second server could share the port.
    server_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    server_.set_payload_max_length(0);  // requests have no body
    server_.set_keep_alive_timeout(kKeepAliveSeconds);
    server_.set_read_timeout(kReadSeconds);
    Route();
  }
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;
  ~HttpEndpoint() override {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Status Listen(const ListenAddress& address) {
    const std::string host = address.host.empty() ? "::" : address.host;
    if (!server_.bind_to_port(host, address.port)) {
      return Error{ExitCode::kFailure,
                   fmt::format("cannot listen on {}: {}; choose another address with "
                               "--web.listen-address",
                               address.Authority(), std::strerror(errno))};
    }
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    return Nothing{};
  }

 private:
  void Route() {
    server_.Get(metrics_path_, [this](const httplib::Request&, httplib::Response& response) {
      Answer(response, metrics_(), kMetricsType);
    });
    for (const Page& page : pages_) {
      server_.Get(page.path, [&page](const httplib::Request&, httplib::Response& response) {
        Answer(response, page.render(), page.content_type);
      });
    }
    for (const char* path : {"/-/healthy", "/-/ready"}) {
      server_.Get(path, [](const httplib::Request&, httplib::Response& response) {
        Answer(response, "OK\n", "text/plain");
      });
    }
    server_.Get("/", [this](const httplib::Request&, httplib::Response& response) {
      Answer(response, LandingPage(), "text/html");
    });
  }

  [[nodiscard]] std::string LandingPage() const {
    std::string links;
    for (const Page& page : pages_)
      links += fmt::format("<p><a href=\"{0}\">{0}</a></p>", page.path);
    return fmt::format(
        "<!doctype html><html lang=\"en\"><title>lunscope</title>"
        "<h1>lunscope</h1><p><a href=\"{}\">Metrics</a></p>{}</html>\n",
        metrics_path_, links);
  }

  std::string metrics_path_;
  std::function<std::string()> metrics_;
  std::vector<Page> pages_;
  httplib::Server server_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Endpoint>> Endpoint::Start(const ListenAddress& address,
                                                  const std::string& metrics_path,
                                                  std::function<std::string()> metrics,
                                                  std::vector<Page> pages) {
  auto endpoint =
      std::make_unique<HttpEndpoint>(metrics_path, std::move(metrics), std::move(pages));
  Status listening = endpoint->Listen(address);
  if (!listening.ok()) return listening.error();
  return std::unique_ptr<Endpoint>(std::move(endpoint));
}

}  // namespace lunscope
