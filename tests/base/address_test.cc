// SPDX-License-Identifier: Apache-2.0
//
// Addresses and their text: one row each.
#include "collector/base/address.h"

#include <gtest/gtest.h>

#include <array>

namespace lunscope {
namespace {

struct Row {
  const char* text;
  std::array<uint8_t, 16> address;
  bool is_ipv6;
  uint16_t port;
};

constexpr Row kRows[] = {
    {"192.0.2.1:3260", {192, 0, 2, 1}, false, 3260},
    {"0.0.0.0:0", {}, false, 0},
    {"255.255.255.255:65535", {255, 255, 255, 255}, false, 65535},
    // IPv4 uses the first four bytes and ignores the others.
    {"10.0.0.1:1", {10, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}, false, 1},
    {"[::]:3260", {}, true, 3260},
    {"[::1]:3260", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, true, 3260},
    {"[2001:db8::1]:860", {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, true, 860},
    {"[fe80::a:b:c:d]:3260",
     {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0xa, 0, 0xb, 0, 0xc, 0, 0xd},
     true,
     3260},
    // An IPv4 address that is mapped into IPv6 (RFC 4291 section 2.5.5.2).
    {"192.0.2.1:3260", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}, true, 3260},
    // One byte differs from the prefix of mapped addresses.
    {"[::fffe:c000:201]:3260",
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 192, 0, 2, 1},
     true,
     3260},
    // In an IPv4 connection, only the first four bytes of a mapped address count.
    {"0.0.0.0:3260", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}, false, 3260},
};

TEST(FormatAddress, IsWrittenAsAPersonWritesIt) {
  for (const Row& row : kRows)
    EXPECT_EQ(FormatAddress(row.address.data(), row.is_ipv6, row.port), row.text);
}

TEST(PackedAddress, SaysTheSame) {
  for (const Row& row : kRows)
    EXPECT_EQ(PackedAddress::Of(row.address.data(), row.is_ipv6, row.port).Text(), row.text);
  EXPECT_EQ(PackedAddress().Text(), "");
}

struct ParseRow {
  const char* text;
  const char* host;
  uint16_t port;
};

constexpr ParseRow kTexts[] = {
    {"192.0.2.1:3260", "192.0.2.1", 3260},
    {"192.0.2.1", "192.0.2.1", 0},
    {"[2001:db8::1]:3260", "2001:db8::1", 3260},
    {"[2001:db8::1]", "2001:db8::1", 0},
    {"2001:db8::1", "2001:db8::1", 0},
    // The kernel's %pI6 writes every zero.
    {"[2001:0db8:0000:0000:0000:0000:0000:0001]:3260", "2001:db8::1", 3260},
    {"[::ffff:192.0.2.1]:3260", "192.0.2.1", 3260},
    {"[192.0.2.1]:3260", "192.0.2.1", 3260},
    {"0.0.0.0:3260", "", 3260},
    {"[::]:3260", "", 3260},
    {"::", "", 0},
    {"", "?", 0},
    {"host:3260", "?", 3260},
    {"192.0.2.1:iscsi", "?", 0},
    {"192.0.2.1:65536", "?", 0},
    {"192.0.2.1:", "?", 0},
    {"[2001:db8::1]3260", "?", 0},
};

TEST(ParseAddress, HasOneFormForEachAddress) {
  for (const ParseRow& row : kTexts) {
    const SocketAddress address = ParseAddress(row.text);
    EXPECT_EQ(address.host, row.host) << row.text;
    EXPECT_EQ(address.port, row.port) << row.text;
  }
}

}  // namespace
}  // namespace lunscope
