// SPDX-License-Identifier: Apache-2.0
#include "collector/web/endpoint.h"

#include <fmt/format.h>
#include <microhttpd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collector/web/answer.h"
#include "collector/web/clients.h"
#include "collector/web/gzip.h"
#include "collector/web/host_header.h"
#include "collector/web/listener.h"
#include "collector/web/passwords.h"
#include "collector/web/renderer.h"
#include "collector/web/repeater.h"
#include "collector/web/waiting_count.h"

namespace lunscope {
namespace {

constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
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

// A request from its header to its answer.
struct Exchange {
  SharedRendering rendering;
  bool is_rendered = false;
  std::optional<Passwords::Answer> passed;  // what the check of its password said
};

struct Freed {
  void operator()(char* text) const { MHD_free(text); }
};
using MhdText = std::unique_ptr<char, Freed>;

std::string LandingPage(const std::vector<Page>& pages) {
  std::string links;
  for (const Page& page : pages) links += fmt::format("<p><a href=\"{0}\">{0}</a></p>", page.path);
  return fmt::format(
      "<!doctype html><html lang=\"en\"><title>lunscope</title><h1>lunscope</h1>{}</html>\n",
      links);
}

class HttpEndpoint;

// An address that is listened on, and the server for it.
struct Door {
  HttpEndpoint* endpoint;
  Listener listener;
  bool is_local;  // a Unix socket
  MHD_Daemon* daemon = nullptr;
};

// A connection, from its beginning to its end.
struct Peer {
  std::shared_ptr<const AccessRules> rules;  // of its TLS session
  gnutls_session_t tls;                      // nullptr: none
  bool is_local;
};

class HttpEndpoint : public Endpoint {
 public:
  HttpEndpoint(EndpointOptions options, const std::vector<Listener>& listeners)
      : pages_(std::move(options.pages)),
        access_(std::move(options.access)),
        counts_(options.counts),
        clients_(ClientLimits{}, counts_ == nullptr ? nullptr : &counts_->cut_clients) {
    pages_.insert(pages_.begin(), {options.metrics_path, kMetricsType, std::move(options.metrics)});
    for (const Listener& listener : listeners) {
      if (!listener.address().is_unix()) options.allowed_hosts.push_back(listener.address().host);
    }
    names_ = HostNames(std::move(options.allowed_hosts));
    landing_page_ = LandingPage(pages_);
  }
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;
  ~HttpEndpoint() override {
    // Nobody waits for a page or a password any more, so no connection is suspended when MHD ends.
    renderer_.Stop();
    passwords_.Stop();
    waiting_.WaitForNone();
    for (const auto& door : doors_) {
      if (door->daemon != nullptr) MHD_stop_daemon(door->daemon);
    }
  }

  Status Serve(Listener listener) {
    const bool is_local = listener.address().is_unix();
    doors_.push_back(std::make_unique<Door>(Door{this, std::move(listener), is_local}));
    Door& door = *doors_.back();
    const std::shared_ptr<const AccessRules> rules = access_->rules();
    const bool has_tls = rules->tls != nullptr && !door.is_local;
    std::vector<MHD_OptionItem> options;
    if (has_tls) {
      // Each session gets its own from Adopt(). MHD does not start without.
      const TlsConfig& tls = rules->tls->config();
      options.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, const_cast<char*>(tls.key.text.c_str())});
      options.push_back(
          {MHD_OPTION_HTTPS_MEM_CERT, 0, const_cast<char*>(tls.certificate.text.c_str())});
    }
    options.push_back({MHD_OPTION_END, 0, nullptr});
    const int socket = door.listener.ReleaseSocket();
    door.daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | (has_tls ? MHD_USE_TLS : 0), 0,
        nullptr, nullptr, &OnRequest, &door, MHD_OPTION_LISTEN_SOCKET, socket,
        MHD_OPTION_CONNECTION_LIMIT, kConnections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        kRequestBytes, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, &OnConnection,
        &door, MHD_OPTION_NOTIFY_COMPLETED, &OnCompleted, &door, MHD_OPTION_ARRAY, options.data(),
        MHD_OPTION_END);
    if (door.daemon != nullptr) return Nothing{};
    close(socket);
    return Error{ExitCode::kFailure,
                 "the HTTP endpoint does not start: the system refuses it a thread, memory or a "
                 "file"};
  }

 private:
  static MHD_Result OnRequest(void* door, MHD_Connection* connection, const char* url,
                              const char* method, const char*, const char*, size_t*,
                              void** exchange) {
    return OrIfNoMemory(MHD_NO, [&] {
      return static_cast<Door*>(door)->endpoint->Answer(connection, url, method, exchange);
    });
  }

  // A connection for which there is no memory has no peer, and gets no answer.
  static void OnConnection(void* door_of_connection, MHD_Connection* connection, void** peer,
                           MHD_ConnectionNotificationCode what) {
    const Door& door = *static_cast<Door*>(door_of_connection);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
      door.endpoint->clients_.Ended(connection);
      delete static_cast<Peer*>(*peer);
      *peer = nullptr;
    } else {
      *peer = OrIfNoMemory(static_cast<Peer*>(nullptr),
                           [&] { return door.endpoint->Begin(connection, door).release(); });
    }
  }

  std::unique_ptr<Peer> Begin(MHD_Connection* connection, const Door& door) {
    const auto* socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const auto* tls = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    const auto session = tls == nullptr ? nullptr : static_cast<gnutls_session_t>(tls->tls_session);
    auto peer = std::make_unique<Peer>(Peer{access_->rules(), session, door.is_local});
    if (session != nullptr) peer->rules->tls->Adopt(session);
    clients_.Began(connection, socket->connect_fd, Clients::Clock::now());
    return peer;
  }

  static void OnCompleted(void* door, MHD_Connection* connection, void** exchange,
                          MHD_RequestTerminationCode) {
    delete static_cast<Exchange*>(*exchange);
    *exchange = nullptr;
    static_cast<Door*>(door)->endpoint->clients_.Answered(connection, Clients::Clock::now());
  }

  // MHD calls this when the header is there, again behind it, and once more after each pause.
  MHD_Result Answer(MHD_Connection* connection, std::string_view path, std::string_view method,
                    void** exchange_of_request) {
    const std::shared_ptr<const AccessRules> rules = access_->rules();
    const HttpHeaders& headers = rules->config.headers;
    auto* exchange = static_cast<Exchange*>(*exchange_of_request);
    if (exchange == nullptr) {
      if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD)
        return SendText(connection, "Only GET and HEAD are answered.\n",
                        {.status = MHD_HTTP_METHOD_NOT_ALLOWED, .more = &headers});
      if (HasBody(connection))
        return SendText(connection, "A request has no body here.\n",
                        {.status = MHD_HTTP_CONTENT_TOO_LARGE, .more = &headers});
      *exchange_of_request = new Exchange;
      return MHD_YES;
    }
    const auto* peer = static_cast<const Peer*>(
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context);
    if (peer == nullptr) return MHD_NO;
    if (!exchange->passed) {
      if (const std::optional<HttpRefusal> refusal = WhyNot(connection, *peer))
        return Refuse(connection, *refusal, headers);
      const bool needs_password = !rules->config.users.empty() && !peer->is_local;
      if (!needs_password) {
        exchange->passed = Passwords::Answer::kRight;
      } else if (CheckPassword(connection, rules->config.users, exchange)) {
        return MHD_YES;  // and call again when it is checked
      }
    }
    if (exchange->passed == Passwords::Answer::kBusy)
      return Refuse(connection, HttpRefusal::kBusy, headers);
    if (exchange->passed == Passwords::Answer::kWrong)
      return Refuse(connection, HttpRefusal::kPassword, headers);
    return AnswerPath(connection, path, headers, exchange);
  }

  MHD_Result AnswerPath(MHD_Connection* connection, std::string_view path,
                        const HttpHeaders& headers, Exchange* exchange) {
    for (const Page& page : pages_) {
      if (page.path == path) return AnswerPage(connection, page, headers, exchange);
    }
    for (const char* health : kHealthPaths) {
      if (path == health) return SendText(connection, "OK\n", {.more = &headers});
    }
    if (path == "/")
      return SendText(connection, landing_page_, {.content_type = "text/html", .more = &headers});
    return SendText(connection, "There is no such page.\n",
                    {.status = MHD_HTTP_NOT_FOUND, .more = &headers});
  }

  // The refusals that take no time. HTTP/1.0 has no Host header.
  std::optional<HttpRefusal> WhyNot(MHD_Connection* connection, const Peer& peer) {
    const char* host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    if (host != nullptr && !IsOwnHost(host, names_)) return HttpRefusal::kHost;
    if (peer.tls != nullptr && !peer.rules->tls->AllowsNames(peer.tls))
      return HttpRefusal::kCertificate;
    if (!peer.is_local && !access_->HasRoom(Access::Clock::now())) return HttpRefusal::kRate;
    return std::nullopt;
  }

  MHD_Result Refuse(MHD_Connection* connection, HttpRefusal why, const HttpHeaders& headers) {
    if (counts_ != nullptr) counts_->refused.at(static_cast<size_t>(why)).fetch_add(1);
    return SendRefusal(connection, why, headers);
  }

  // Sets what passed says, or returns true: the connection sleeps until it is set.
  bool CheckPassword(MHD_Connection* connection, const Users& users, Exchange* exchange) {
    char* password = nullptr;
    const MhdText user(MHD_basic_auth_get_username_password(connection, &password));
    const MhdText owner(password);
    const bool are_given = user != nullptr && password != nullptr;
    if (!are_given || passwords_.AreKnown(users, user.get(), password)) {
      exchange->passed = are_given ? Passwords::Answer::kRight : Passwords::Answer::kWrong;
      return false;
    }
    Pause(
        connection,
        [&] {
          passwords_.Check(users, user.get(), password,
                           [this, connection, exchange](Passwords::Answer answer) {
                             exchange->passed = answer;
                             Resume(connection);
                           });
        },
        [&] { exchange->passed = Passwords::Answer::kBusy; });
    return true;
  }

  MHD_Result AnswerPage(MHD_Connection* connection, const Page& page, const HttpHeaders& headers,
                        Exchange* exchange) {
    const bool wants_gzip = AcceptsGzip(
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    if (!exchange->is_rendered) {
      Pause(
          connection,
          [&] {
            renderer_.Ask(&page.render, wants_gzip,
                          [this, connection, exchange](SharedRendering done) {
                            exchange->rendering = std::move(done);
                            exchange->is_rendered = true;
                            Resume(connection);
                          });
          },
          [&] { exchange->is_rendered = true; });
      return MHD_YES;
    }
    if (!exchange->rendering)
      return SendText(connection, "There is no memory for this page, or lunscope ends.\n",
                      {.status = MHD_HTTP_SERVICE_UNAVAILABLE, .more = &headers});
    clients_.Sending(connection, exchange->rendering, Clients::Clock::now());
    return SendRendering(connection, exchange->rendering,
                         {.content_type = page.content_type.c_str(),
                          .is_gzip = wants_gzip && !exchange->rendering->gzip.empty(),
                          .more = &headers});
  }

  // The connection sleeps until what it asks for is there, and MHD serves the others. ask: sees to
  // it that somebody calls Resume(). give_up: there is no memory to ask.
  template <typename Ask, typename GiveUp>
  void Pause(MHD_Connection* connection, const Ask& ask, const GiveUp& give_up) {
    clients_.Asked(connection, Clients::Clock::now());
    waiting_.Begin();
    MHD_suspend_connection(connection);
    try {
      ask();
    } catch (const std::exception&) {
      give_up();
      Resume(connection);
    }
  }

  void Resume(MHD_Connection* connection) {
    MHD_resume_connection(connection);
    waiting_.End();
  }

  std::vector<Page> pages_;
  std::vector<std::string> names_;
  std::string landing_page_;
  const std::shared_ptr<Access> access_;
  EndpointCounts* const counts_;  // or nullptr
  Clients clients_;
  const Repeater late_{kLook, [this] { clients_.CutLate(Clients::Clock::now()); }};
  WaitingCount waiting_;
  Renderer renderer_;
  Passwords passwords_;
  std::vector<std::unique_ptr<Door>> doors_;
};

}  // namespace

Result<std::unique_ptr<Endpoint>> Endpoint::Start(EndpointOptions options) {
  if (!options.access) {
    Result<std::shared_ptr<Access>> everybody = Access::Load("");
    if (!everybody.ok()) return everybody.error();
    options.access = std::move(everybody.value());
  }
  std::vector<Listener> listeners = std::exchange(options.listeners, {});
  auto endpoint = std::make_unique<HttpEndpoint>(std::move(options), listeners);
  for (Listener& listener : listeners) {
    Status serving = endpoint->Serve(std::move(listener));
    if (!serving.ok()) return serving.error();
  }
  return std::unique_ptr<Endpoint>(std::move(endpoint));
}

}  // namespace lunscope
