// SPDX-License-Identifier: Apache-2.0
//
// One end of a TCP connection, and the text that people write for it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace lunscope {

// "192.0.2.1:3260" or "[2001:db8::1]:3260". address points to 16 bytes in network order, of which
// IPv4 uses the first four. An IPv4 address that is mapped into IPv6 (RFC 4291 section 2.5.5.2) is
// written as IPv4.
std::string FormatAddress(const uint8_t* address, bool is_ipv6, uint16_t port);

// The same as a value of few bytes: equal addresses are equal.
struct PackedAddress {
  std::array<uint8_t, 16> host{};  // IPv4 is mapped into IPv6
  uint16_t port = 0;

  // address: as FormatAddress() takes it.
  static PackedAddress Of(const uint8_t* address, bool is_ipv6, uint16_t port);
  bool operator==(const PackedAddress&) const = default;
  // As FormatAddress() writes it; "" for one that was not set.
  [[nodiscard]] std::string Text() const;
};

struct SocketAddress {
  std::string host;   // without brackets; "" stands for any address
  uint16_t port = 0;  // 0 stands for any port
  bool operator==(const SocketAddress&) const = default;
};

// Reads "192.0.2.1:3260", "[2001:db8::1]:3260", "2001:db8::1" or "[::]:3260". The host has the form
// that FormatAddress() writes, so that equal addresses are equal texts. The wildcard addresses
// 0.0.0.0 and :: are any address. For a text that is not an address the host is "?", which equals
// the host of no address.
SocketAddress ParseAddress(const std::string& text);

}  // namespace lunscope
