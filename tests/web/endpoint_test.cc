// SPDX-License-Identifier: Apache-2.0
//
// The endpoint, which serves on loopback and answers cpp-httplib's client.
#include "collector/web/endpoint.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>

#include "tests/web/loopback.h"

namespace lunscope {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

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
  // Prometheus requests this type (exposition format 0.0.4).
  EXPECT_EQ(response->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(response->body, kMetricsPage);
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

// A second server on the port would silently get a part of the scrapes.
TEST_P(EndpointOn, RefusesAPortThatIsInUse) {
  auto first = Start(GetParam(), port_);
  ASSERT_TRUE(first.ok()) << first.error().message;
  auto second = Start(GetParam(), port_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ExitCode::kFailure);
  const std::string url = ListenAddress{GetParam(), port_, ""}.Url("");
  EXPECT_THAT(second.error().message, HasSubstr("on " + url.substr(sizeof("http://") - 1)));
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
  EXPECT_THAT(second.error().message, HasSubstr("--web.listen-address"));
  // The first endpoint still serves.
  EXPECT_TRUE(httplib::Client(GetParam(), port_).Get("/-/healthy"));
}

TEST_P(EndpointOn, FreesItsPortAtItsEnd) {
  for (int i = 0; i < 3; i++) {
    auto endpoint = Start(GetParam(), port_);
    ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
    EXPECT_TRUE(httplib::Client(GetParam(), port_).Get("/-/healthy"));
  }
}

TEST_P(EndpointOn, RendersAPageForEachRequest) {
  int rendered = 0;
  const Page page{"/list", "application/json", [&] { return fmt::format("[{}]\n", ++rendered); }};
  auto endpoint = Start(GetParam(), port_, "/metrics", {page});
  ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  httplib::Client client(GetParam(), port_);
  for (const char* body : {"[1]\n", "[2]\n"}) {
    const httplib::Result response = client.Get("/list");
    ASSERT_TRUE(response) << httplib::to_string(response.error());
    EXPECT_EQ(response->body, body);
    EXPECT_EQ(response->get_header_value("Content-Type"), "application/json");
  }
  EXPECT_THAT(client.Get("/")->body, HasSubstr("href=\"/list\""));
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

TEST(Endpoint, ServesMetricsAtTheGivenPath) {
  const uint16_t port = FreePort();
  auto endpoint = Start("127.0.0.1", port, "/other");
  ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  httplib::Client client("127.0.0.1", port);
  EXPECT_EQ(client.Get("/other")->status, 200);
  EXPECT_EQ(client.Get("/metrics")->status, 404);
  EXPECT_THAT(client.Get("/")->body, HasSubstr("href=\"/other\""));
}

// No host has an address of 192.0.2.0/24 (RFC 5737).
TEST(Endpoint, SaysWhyItCannotListen) {
  auto endpoint = Start("192.0.2.1", FreePort());
  ASSERT_FALSE(endpoint.ok());
  EXPECT_EQ(endpoint.error().code, ExitCode::kFailure);
  EXPECT_THAT(endpoint.error().message, HasSubstr("Cannot assign requested address"));
  EXPECT_THAT(endpoint.error().message, Not(HasSubstr("Success")));
}

// Ctrl-C may come before the endpoint's threads have run at all.
TEST(Endpoint, EndsBeforeItsThreadsHaveRun) {
  const uint16_t port = FreePort();
  for (int i = 0; i < 50; i++) {
    auto endpoint = Start("127.0.0.1", port);
    ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  }
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
