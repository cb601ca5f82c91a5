// SPDX-License-Identifier: Apache-2.0
//
// The endpoint, served for real on loopback, and the addresses that it may be given.
#include "collector/web/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

namespace lunscope {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct ParseRow {
  const char* text;
  const char* host;  // nullptr: no address
  uint16_t port;
  const char* url;
};

constexpr ParseRow kAddresses[] = {
    {"127.0.0.1:13260", "127.0.0.1", 13260, "http://127.0.0.1:13260/metrics"},
    {"[::1]:13260", "::1", 13260, "http://[::1]:13260/metrics"},
    {":13260", "", 13260, "http://localhost:13260/metrics"},
    {"localhost:1", "localhost", 1, "http://localhost:1/metrics"},
    {"0.0.0.0:65535", "0.0.0.0", 65535, "http://0.0.0.0:65535/metrics"},
    {"[::]:80", "::", 80, "http://[::]:80/metrics"},
    {"", nullptr, 0, nullptr},
    {":", nullptr, 0, nullptr},
    {"13260", nullptr, 0, nullptr},
    {"127.0.0.1", nullptr, 0, nullptr},
    {"127.0.0.1:", nullptr, 0, nullptr},
    {"127.0.0.1:0", nullptr, 0, nullptr},
    {"127.0.0.1:65536", nullptr, 0, nullptr},
    {"127.0.0.1:99999999999999999999", nullptr, 0, nullptr},
    {"127.0.0.1:-1", nullptr, 0, nullptr},
    {"127.0.0.1:+1", nullptr, 0, nullptr},
    {"127.0.0.1: 80", nullptr, 0, nullptr},
    {"127.0.0.1:80 ", nullptr, 0, nullptr},
    {"127.0.0.1:http", nullptr, 0, nullptr},
    {"127.0.0.1:0x50", nullptr, 0, nullptr},
    {"http://127.0.0.1:80/", nullptr, 0, nullptr},
    {"[::1]", nullptr, 0, nullptr},
    // An IPv6 address needs its brackets, both of them: else its last group could be the port.
    {"::1:13260", nullptr, 0, nullptr},
    {"::1", nullptr, 0, nullptr},
    {"[::1:13260", nullptr, 0, nullptr},
    {"::1]:13260", nullptr, 0, nullptr},
    {"[]:13260", nullptr, 0, nullptr},
};

TEST(ListenAddress, IsHostAndPort) {
  for (const ParseRow& row : kAddresses) {
    Result<ListenAddress> address = ListenAddress::Parse(row.text);
    EXPECT_EQ(address.ok(), row.host != nullptr) << "'" << row.text << "'";
    if (address.ok() != (row.host != nullptr)) continue;
    if (!address.ok()) {
      EXPECT_EQ(address.error().code, ExitCode::kUsage) << row.text;
      EXPECT_THAT(address.error().message, HasSubstr(fmt::format("'{}'", row.text)));
      continue;
    }
    EXPECT_EQ(address.value().host, row.host) << row.text;
    EXPECT_EQ(address.value().port, row.port) << row.text;
    EXPECT_EQ(address.value().Url("/metrics"), row.url) << row.text;
  }
}

constexpr const char* kPage = "# TYPE lunscope_answer gauge\nlunscope_answer 42\n";
std::string OneMetric() { return kPage; }

// A port that nobody has at this moment.
uint16_t FreePort() {
  const int fd = socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  socklen_t size = sizeof(address);
  bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin6_port);
}

Result<std::unique_ptr<Endpoint>> Start(const std::string& host, uint16_t port,
                                        const std::string& path = "/metrics") {
  return Endpoint::Start({host, port}, path, OneMetric);
}

class EndpointOn : public ::testing::TestWithParam<const char*> {
 protected:
  uint16_t port_ = FreePort();
};

TEST_P(EndpointOn, ServesMetrics) {
  auto endpoint = Start(GetParam(), port_);
  ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  httplib::Client client(GetParam(), port_);
  const httplib::Result response = client.Get("/metrics");
  ASSERT_TRUE(response) << httplib::to_string(response.error());
  EXPECT_EQ(response->status, 200);
  // What Prometheus asks for (exposition format 0.0.4).
  EXPECT_EQ(response->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(response->body, kPage);
}

TEST_P(EndpointOn, ServesTheOtherPages) {
  auto endpoint = Start(GetParam(), port_);
  ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  httplib::Client client(GetParam(), port_);
  struct {
    const char* path;
    int status;
    const char* body;
  } const rows[] = {
      {"/", 200, "href=\"/metrics\""}, {"/-/healthy", 200, "OK"}, {"/-/ready", 200, "OK"},
      {"/nothing", 404, ""},           {"/metrics/", 404, ""},    {"/../etc/passwd", 404, ""},
  };
  for (const auto& row : rows) {
    const httplib::Result response = client.Get(row.path);
    ASSERT_TRUE(response) << row.path;
    EXPECT_EQ(response->status, row.status) << row.path;
    EXPECT_THAT(response->body, HasSubstr(row.body)) << row.path;
  }
}

// A second server on one port would get every other scrape, and nobody would know.
TEST_P(EndpointOn, RefusesAPortThatIsInUse) {
  auto first = Start(GetParam(), port_);
  ASSERT_TRUE(first.ok()) << first.error().message;
  auto second = Start(GetParam(), port_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ExitCode::kFailure);
  const std::string url = ListenAddress{GetParam(), port_}.Url("");
  EXPECT_THAT(second.error().message, HasSubstr("on " + url.substr(sizeof("http://") - 1)));
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
  EXPECT_THAT(second.error().message, HasSubstr("--web.listen-address"));
  // The first one goes on.
  EXPECT_TRUE(httplib::Client(GetParam(), port_).Get("/-/healthy"));
}

TEST_P(EndpointOn, GivesItsPortBack) {
  for (int i = 0; i < 3; i++) {
    auto endpoint = Start(GetParam(), port_);
    ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
    EXPECT_TRUE(httplib::Client(GetParam(), port_).Get("/-/healthy"));
  }
}

TEST_P(EndpointOn, ServesPagesAndFetchesThem) {
  int rendered = 0;
  const Page page{"/list", "application/json", [&] { return fmt::format("[{}]\n", ++rendered); }};
  auto endpoint = Endpoint::Start({GetParam(), port_}, "/metrics", OneMetric, {page});
  ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  for (const char* body : {"[1]\n", "[2]\n"}) {
    Result<std::string> fetched = Fetch({GetParam(), port_}, "/list");
    ASSERT_TRUE(fetched.ok()) << fetched.error().message;
    EXPECT_EQ(fetched.value(), body);
  }
  httplib::Client client(GetParam(), port_);
  EXPECT_EQ(client.Get("/list")->get_header_value("Content-Type"), "application/json");
  EXPECT_THAT(client.Get("/")->body, HasSubstr("href=\"/list\""));
}

TEST_P(EndpointOn, FetchesNothingWhereNothingIs) {
  {
    auto endpoint = Start(GetParam(), port_);
    ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
    Result<std::string> fetched = Fetch({GetParam(), port_}, "/list");
    ASSERT_FALSE(fetched.ok());
    EXPECT_THAT(fetched.error().message, HasSubstr("status 404"));
  }
  Result<std::string> fetched = Fetch({GetParam(), port_}, "/list");
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code, ExitCode::kFailure);
  EXPECT_THAT(fetched.error().message, HasSubstr("lunscope serve"));
  EXPECT_THAT(fetched.error().message, HasSubstr(ListenAddress{GetParam(), port_}.Url("/list")));
}

INSTANTIATE_TEST_SUITE_P(Loopback, EndpointOn, ::testing::Values("127.0.0.1", "::1"),
                         [](const auto& host) {
                           return std::string(host.index == 0 ? "IPv4" : "IPv6");
                         });

TEST(Endpoint, OnEveryAddressServesBothFamilies) {
  const uint16_t port = FreePort();
  auto endpoint = Start("", port);
  ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  for (const char* host : {"127.0.0.1", "::1"})
    EXPECT_TRUE(httplib::Client(host, port).Get("/metrics")) << host;
}

TEST(Endpoint, HasItsMetricsWhereItWasTold) {
  const uint16_t port = FreePort();
  auto endpoint = Start("127.0.0.1", port, "/other");
  ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  httplib::Client client("127.0.0.1", port);
  EXPECT_EQ(client.Get("/other")->status, 200);
  EXPECT_EQ(client.Get("/metrics")->status, 404);
  EXPECT_THAT(client.Get("/")->body, HasSubstr("href=\"/other\""));
}

// 192.0.2.0/24 is nobody's (RFC 5737).
TEST(Endpoint, SaysWhyItCannotListen) {
  auto endpoint = Start("192.0.2.1", FreePort());
  ASSERT_FALSE(endpoint.ok());
  EXPECT_EQ(endpoint.error().code, ExitCode::kFailure);
  EXPECT_THAT(endpoint.error().message, HasSubstr("Cannot assign requested address"));
  EXPECT_THAT(endpoint.error().message, Not(HasSubstr("Success")));
}

// A scraper that keeps its connection open must not hold up the end of the program.
TEST(Endpoint, EndsWhileAConnectionIsOpen) {
  const uint16_t port = FreePort();
  httplib::Client client("127.0.0.1", port);
  client.set_keep_alive(true);
  const auto start = std::chrono::steady_clock::now();
  {
    auto endpoint = Start("127.0.0.1", port);
    ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
    ASSERT_TRUE(client.Get("/metrics"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

}  // namespace
}  // namespace lunscope
