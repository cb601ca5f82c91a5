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

}  // namespace lunscope
