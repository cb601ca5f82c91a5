// SPDX-License-Identifier: Apache-2.0
//
// The addresses that an endpoint may get: one row each.
#include "collector/web/listen_address.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lunscope {
namespace {

using ::testing::HasSubstr;

struct ParseRow {
  const char* text;
  const char* host;  // nullptr: the text is refused
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
    {"unix:/run/lunscope.sock", "", 0, "unix:/run/lunscope.sock /metrics"},
    {"unix:", nullptr, 0, nullptr},
    {"unix:run/lunscope.sock", nullptr, 0, nullptr},
    {"unix:/run/", nullptr, 0, nullptr},
    {"unix:/"
     "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
     "89012345678901234567890",
     nullptr, 0, nullptr},
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
    // An IPv6 address needs both brackets. Without them its last group could be the port.
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

}  // namespace
}  // namespace lunscope
