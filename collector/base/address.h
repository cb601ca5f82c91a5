// SPDX-License-Identifier: Apache-2.0
//
// One end of a TCP connection, as a person writes it.
#pragma once

#include <cstdint>
#include <string>

namespace lunscope {

// address: 16 bytes, of which IPv4 uses the first four, in network order. "192.0.2.1:3260" or
// "[2001:db8::1]:3260"; an IPv4 address mapped into IPv6 is written as IPv4.
std::string FormatAddress(const uint8_t* address, bool is_ipv6, uint16_t port);

// The same apart, without brackets. "" and 0 stand for any address and any port.
struct SocketAddress {
  std::string host;
  uint16_t port = 0;
  bool operator==(const SocketAddress&) const = default;
};

// "192.0.2.1:3260", "[2001:db8::1]:3260", "2001:db8::1" or "[::]:3260" in the one form that
// FormatAddress writes; the wildcard addresses are any address. What is no address has no host that
// an address could have.
SocketAddress ParseAddress(const std::string& text);

}  // namespace lunscope
