// SPDX-License-Identifier: Apache-2.0
//
// The client, against a real endpoint on loopback, and where nothing listens.
#include "collector/web/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/web/loopback.h"

namespace lunscope {
namespace {

using ::testing::HasSubstr;

class Client : public ::testing::TestWithParam<const char*> {
 protected:
  const ListenAddress address_ = {GetParam(), FreePort(), ""};
};

TEST_P(Client, FetchesAPage) {
  const Page page{"/list", "application/json", [] { return std::string("[1]\n"); }};
  auto endpoint = Start(address_.host, address_.port, "/metrics", {page});
  ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  for (const auto& [path, body] : {std::pair{"/list", "[1]\n"}, {"/metrics", kMetricsPage}}) {
    Result<std::string> fetched = Fetch({.address = address_}, path);
    ASSERT_TRUE(fetched.ok()) << fetched.error().message;
    EXPECT_EQ(fetched.value(), body);
  }
}

void ExpectFailure(const ListenAddress& address, const char* cause) {
  Result<std::string> fetched = Fetch({.address = address}, "/list");
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code, ExitCode::kFailure);
  for (const std::string& part :
       {address.Url("/list"), std::string(cause), std::string("lunscope serve")})
    EXPECT_THAT(fetched.error().message, HasSubstr(part));
}

TEST_P(Client, SaysWhichStatusAMissingPageHas) {
  auto endpoint = Start(address_.host, address_.port);
  ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  ExpectFailure(address_, "status 404");
}

TEST_P(Client, SaysThatNothingListens) { ExpectFailure(address_, "Couldn't connect"); }

INSTANTIATE_TEST_SUITE_P(Loopback, Client, ::testing::Values("127.0.0.1", "::1"),
                         [](const auto& host) {
                           return std::string(host.index == 0 ? "IPv4" : "IPv6");
                         });

}  // namespace
}  // namespace lunscope
