// SPDX-License-Identifier: Apache-2.0
#include "collector/web/endpoint.h"

#include <fmt/format.h>
#include <microhttpd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "collector/web/clients.h"
#include "collector/web/gzip.h"
#include "collector/web/host_header.h"
#include "collector/web/listener.h"
#include "collector/web/renderer.h"
#include "collector/web/repeater.h"

namespace lunscope {
namespace {

constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* kTextType = "text/plain; charset=utf-8";
constexpr std::array kHealthPaths = {"/-/healthy", "/-/ready"};
// The request line and headers of every scraper fit. A longer request gets status 414 or 431.
constexpr size_t kRequestBytes = 8192;
// Above Clients' limit: a connection that was cut off needs a moment to close.
constexpr unsigned kConnections = 600;
constexpr std::chrono::milliseconds kLook{250};

// No exception may pass through MHD, which is C. One means that there is no memory: this connection
// gets no answer, and the others go on.
template <typename Result, typename Function>
Result OrIfNoMemory(Result otherwise, const Function& function) noexcept {
  try {
    return function();
  } catch (const std::exception&) {
    return otherwise;
  }
}

// A request for a page that is rendered, from its header to its answer.
struct Exchange {
  SharedRendering rendering;
  bool is_rendered = false;
};

// The part of an answer that is not its body.
struct Head {
  unsigned status = MHD_HTTP_OK;
  const char* content_type = kTextType;
  bool is_gzip = false;
  bool is_shared = false;  // its body depends on Accept-Encoding
};

struct ResponseDeleter {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using Response = std::unique_ptr<MHD_Response, ResponseDeleter>;

MHD_Result Send(MHD_Connection* connection, Response response, const Head& head) {
  if (!response) return MHD_NO;
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, head.content_type);
  MHD_add_response_header(response.get(), "X-Content-Type-Options", "nosniff");
  if (head.is_gzip)
    MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
  if (head.is_shared)
    MHD_add_response_header(response.get(), MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
  if (head.status == MHD_HTTP_METHOD_NOT_ALLOWED)
    MHD_add_response_header(response.get(), MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  return MHD_queue_response(connection, head.status, response.get());
}

MHD_Result SendText(MHD_Connection* connection, std::string_view text, const Head& head) {
  // MHD copies the text, and reads through a pointer that is not const.
  return Send(connection,
              Response(MHD_create_response_from_buffer(text.size(), const_cast<char*>(text.data()),
                                                       MHD_RESPMEM_MUST_COPY)),
              head);
}

void Release(void* rendering) { delete static_cast<SharedRendering*>(rendering); }

// The page is sent out of the one copy that all its readers share.
MHD_Result SendRendering(MHD_Connection* connection, const SharedRendering& rendering, Head head) {
  head.is_shared = true;
  const std::string& body = head.is_gzip ? rendering->gzip : rendering->plain;
  return Send(
      connection,
      Response(MHD_create_response_from_buffer_with_free_callback_cls(
          body.size(), const_cast<char*>(body.data()), &Release, new SharedRendering(rendering))),
      head);
}

std::string_view HeaderOf(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? "" : value;
}

// How many connections wait for a page.
class WaitingCount {
 public:
  void Begin() {
    const std::lock_guard lock(mutex_);
    count_++;
  }
  void End() {
    const std::lock_guard lock(mutex_);
    count_--;
    ended_.notify_one();
  }
  void WaitForNone() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  size_t count_ = 0;
};

bool HasBody(MHD_Connection* connection) {
  const std::string_view length = HeaderOf(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
  return !HeaderOf(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING).empty() ||
         length.find_first_not_of('0') != std::string_view::npos;
}

class HttpEndpoint : public Endpoint {
 public:
  explicit HttpEndpoint(EndpointOptions options)
      : pages_(std::move(options.pages)), clients_(ClientLimits{}, options.cut_clients) {
    pages_.insert(pages_.begin(), {options.metrics_path, kMetricsType, std::move(options.metrics)});
    names_ = HostNames(std::move(options.allowed_hosts));
    landing_page_ = LandingPage();
  }
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;
  ~HttpEndpoint() override {
    // Nobody waits for a page any more, so no connection is suspended when MHD ends.
    renderer_.Stop();
    waiting_.WaitForNone();
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  Status Serve(const ListenAddress& address) {
    names_.push_back(address.host);
    Result<int> socket = Listen(address);
    if (!socket.ok()) return socket.error();
    daemon_ = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, &OnRequest,
        this, MHD_OPTION_LISTEN_SOCKET, socket.value(), MHD_OPTION_CONNECTION_LIMIT, kConnections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, kRequestBytes, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, &OnConnection, this, MHD_OPTION_NOTIFY_COMPLETED,
        &OnCompleted, this, MHD_OPTION_END);
    if (daemon_ == nullptr)
      return Error{ExitCode::kFailure,
                   "the HTTP endpoint does not start: the system refuses it a thread, memory or a "
                   "file"};
    return Nothing{};
  }

 private:
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* url,
                              const char* method, const char*, const char*, size_t*,
                              void** exchange) {
    return OrIfNoMemory(MHD_NO, [&] {
      return static_cast<HttpEndpoint*>(self)->Answer(connection, url, method, exchange);
    });
  }

  static void OnConnection(void* self, MHD_Connection* connection, void**,
                           MHD_ConnectionNotificationCode what) {
    Clients& clients = static_cast<HttpEndpoint*>(self)->clients_;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
      clients.Ended(connection);
    } else {
      const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
      OrIfNoMemory(false, [&] {
        clients.Began(connection, info->connect_fd, Clients::Clock::now());
        return true;
      });
    }
  }

  static void OnCompleted(void* self, MHD_Connection* connection, void** exchange,
                          MHD_RequestTerminationCode) {
    delete static_cast<Exchange*>(*exchange);
    *exchange = nullptr;
    static_cast<HttpEndpoint*>(self)->clients_.Answered(connection, Clients::Clock::now());
  }

  // MHD calls this when the header is there, again behind it, and once more after a pause.
  MHD_Result Answer(MHD_Connection* connection, std::string_view path, std::string_view method,
                    void** exchange_of_request) {
    auto* exchange = static_cast<Exchange*>(*exchange_of_request);
    if (exchange == nullptr) {
      if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD)
        return SendText(connection, "Only GET and HEAD are answered.\n",
                        {.status = MHD_HTTP_METHOD_NOT_ALLOWED});
      if (HasBody(connection))
        return SendText(connection, "A request has no body here.\n",
                        {.status = MHD_HTTP_CONTENT_TOO_LARGE});
      *exchange_of_request = new Exchange;
      return MHD_YES;
    }
    if (!IsOwnHost(connection))
      return SendText(connection,
                      "The Host header has no name of this host. --web.allowed-host adds one.\n",
                      {.status = MHD_HTTP_MISDIRECTED_REQUEST});
    for (const Page& page : pages_) {
      if (page.path == path) return AnswerPage(connection, page, exchange);
    }
    for (const char* health : kHealthPaths) {
      if (path == health) return SendText(connection, "OK\n", {});
    }
    if (path == "/") return SendText(connection, landing_page_, {.content_type = "text/html"});
    return SendText(connection, "There is no such page.\n", {.status = MHD_HTTP_NOT_FOUND});
  }

  // HTTP/1.0 has no such header.
  [[nodiscard]] bool IsOwnHost(MHD_Connection* connection) const {
    const char* host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    return host == nullptr || lunscope::IsOwnHost(host, names_);
  }

  MHD_Result AnswerPage(MHD_Connection* connection, const Page& page, Exchange* exchange) {
    const bool wants_gzip = AcceptsGzip(
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    if (!exchange->is_rendered) return WaitFor(connection, page, wants_gzip, exchange);
    if (!exchange->rendering)
      return SendText(connection, "There is no memory for this page, or lunscope ends.\n",
                      {.status = MHD_HTTP_SERVICE_UNAVAILABLE});
    clients_.Sending(connection, exchange->rendering, Clients::Clock::now());
    return SendRendering(connection, exchange->rendering,
                         {.content_type = page.content_type.c_str(),
                          .is_gzip = wants_gzip && !exchange->rendering->gzip.empty()});
  }

  // The connection sleeps until its page is rendered, and MHD serves the others.
  MHD_Result WaitFor(MHD_Connection* connection, const Page& page, bool wants_gzip,
                     Exchange* exchange) {
    clients_.Asked(connection, Clients::Clock::now());
    waiting_.Begin();
    MHD_suspend_connection(connection);
    try {
      renderer_.Ask(&page.render, wants_gzip, [this, connection, exchange](SharedRendering done) {
        Wake(connection, exchange, std::move(done));
      });
    } catch (const std::exception&) {
      Wake(connection, exchange, nullptr);
    }
    return MHD_YES;
  }

  void Wake(MHD_Connection* connection, Exchange* exchange, SharedRendering rendering) {
    exchange->rendering = std::move(rendering);
    exchange->is_rendered = true;
    MHD_resume_connection(connection);
    waiting_.End();
  }

  [[nodiscard]] std::string LandingPage() const {
    std::string links;
    for (const Page& page : pages_)
      links += fmt::format("<p><a href=\"{0}\">{0}</a></p>", page.path);
    return fmt::format(
        "<!doctype html><html lang=\"en\"><title>lunscope</title><h1>lunscope</h1>{}</html>\n",
        links);
  }

  std::vector<Page> pages_;
  std::vector<std::string> names_;
  std::string landing_page_;
  Clients clients_;
  const Repeater late_{kLook, [this] { clients_.CutLate(Clients::Clock::now()); }};
  WaitingCount waiting_;
  Renderer renderer_;
  MHD_Daemon* daemon_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Endpoint>> Endpoint::Start(const ListenAddress& address,
                                                  EndpointOptions options) {
  auto endpoint = std::make_unique<HttpEndpoint>(std::move(options));
  Status serving = endpoint->Serve(address);
  if (!serving.ok()) return serving.error();
  return std::unique_ptr<Endpoint>(std::move(endpoint));
}

}  // namespace lunscope
