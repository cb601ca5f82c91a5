// SPDX-License-Identifier: Apache-2.0
#include "collector/web/endpoint.h"

#include <fmt/format.h>
#include <httplib.h>

#include <charconv>
#include <cstring>
#include <thread>
#include <utility>

namespace lunscope {
namespace {

constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr int kHttpOk = 200;
constexpr size_t kThreads = 2;  // scrapes wait for one lock anyway

// As set_content() does, which copies the page: one of 100,000 series is 15 MB.
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
    // Without this a second server could share the port (SO_REUSEPORT is cpp-httplib's default).
    server_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    server_.set_payload_max_length(0);
    server_.set_keep_alive_timeout(
        1);  // an idle scraper must not hold up the end by more than this
    server_.set_read_timeout(5);
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
    const auto healthy = [](const httplib::Request&, httplib::Response& response) {
      response.set_content("OK\n", "text/plain");
    };
    std::string links;
    for (const Page& page : pages_) {
      server_.Get(page.path, [&page](const httplib::Request&, httplib::Response& response) {
        Answer(response, page.render(), page.content_type);
      });
      links += fmt::format("<p><a href=\"{0}\">{0}</a></p>", page.path);
    }
    server_.Get("/-/healthy", healthy);
    server_.Get("/-/ready", healthy);
    server_.Get("/", [this, links](const httplib::Request&, httplib::Response& response) {
      response.set_content(
          fmt::format("<!doctype html><html lang=\"en\"><title>lunscope</title>"
                      "<h1>lunscope</h1><p><a href=\"{}\">Metrics</a></p>{}</html>\n",
                      metrics_path_, links),
          "text/html");
    });
  }

  std::string metrics_path_;
  std::function<std::string()> metrics_;
  std::vector<Page> pages_;
  httplib::Server server_;
  std::thread thread_;
};

}  // namespace

Result<ListenAddress> ListenAddress::Parse(const std::string& text) {
  const Error error{ExitCode::kUsage,
                    fmt::format("'{}' is no address to listen on: write HOST:PORT, for example "
                                "127.0.0.1:13260 or [::1]:13260",
                                text)};
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return error;
  ListenAddress address{text.substr(0, colon), 0};
  const char* digits = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(digits, end, address.port);
  if (failure != std::errc{} || stop != end || address.port == 0) return error;
  const bool is_bracketed = address.host.starts_with('[') && address.host.ends_with(']');
  if (is_bracketed) address.host = address.host.substr(1, address.host.size() - 2);
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  const bool has_stray_bracket = address.host.find_first_of("[]") != std::string::npos;
  if (is_bracketed != is_ipv6 || has_stray_bracket) return error;
  return address;
}

std::string ListenAddress::Authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string ListenAddress::Url(const std::string& path) const {
  return fmt::format("http://{}{}{}", host.empty() ? "localhost" : "", Authority(), path);
}

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

Result<std::string> Fetch(const ListenAddress& address, const std::string& path) {
  httplib::Client client(address.host.empty() ? "localhost" : address.host, address.port);
  const httplib::Result response = client.Get(path);
  if (response && response->status == kHttpOk) return response->body;
  const std::string why = response ? fmt::format("status {}", response->status)
                                   : fmt::format("{} error", httplib::to_string(response.error()));
  return Error{ExitCode::kFailure,
               fmt::format("cannot read {}: {}; is `lunscope serve` running there? "
                           "--web.listen-address says where it is",
                           address.Url(path), why)};
}

}  // namespace lunscope
