// SPDX-License-Identifier: Apache-2.0
#include "collector/base/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace lunscope {

namespace {

constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::string FormatAddress(const uint8_t* address, bool is_ipv6, uint16_t port) {
  if (is_ipv6 && std::equal(kMapped.begin(), kMapped.end(), address)) {
    address += kMapped.size();
    is_ipv6 = false;
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, address, text.data(), text.size());
  return is_ipv6 ? fmt::format("[{}]:{}", text.data(), port)
                 : fmt::format("{}:{}", text.data(), port);
}

PackedAddress PackedAddress::Of(const uint8_t* address, bool is_ipv6, uint16_t port) {
  constexpr size_t kIpv4Bytes = 4;
  PackedAddress packed;
  packed.port = port;
  if (is_ipv6) {
    std::copy_n(address, packed.host.size(), packed.host.begin());
  } else {
    std::ranges::copy(kMapped, packed.host.begin());
    std::copy_n(address, kIpv4Bytes, packed.host.begin() + kMapped.size());
  }
  return packed;
}

std::string PackedAddress::Text() const {
  return *this == PackedAddress() ? "" : FormatAddress(host.data(), true, port);
}

namespace {

constexpr const char* kNotAnAddress = "?";

// In the form of FormatAddress(); "" for a wildcard address, "?" for a text that is not an address.
std::string CanonicalHost(const std::string& text) {
  std::array<uint8_t, 16> address{};
  std::string written;
  if (inet_pton(AF_INET, text.c_str(), address.data()) == 1) {
    written = FormatAddress(address.data(), false, 0);
  } else if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) {
    written = FormatAddress(address.data(), true, 0);
  } else {
    return kNotAnAddress;
  }
  if (std::ranges::all_of(address, [](uint8_t byte) { return byte == 0; })) return {};
  written.resize(written.rfind(':'));
  return written.front() == '[' ? written.substr(1, written.size() - 2) : written;
}

}  // namespace

SocketAddress ParseAddress(const std::string& text) {
  const size_t bracket = text.find(']');
  const size_t colon = text.rfind(':');
  const bool is_bare_ipv6 = bracket == std::string::npos && text.find(':') != colon;
  const bool has_port = colon != std::string::npos && !is_bare_ipv6 &&
                        (bracket == std::string::npos || colon == bracket + 1);
  std::string host = has_port ? text.substr(0, colon) : text;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  SocketAddress address{CanonicalHost(host), 0};
  if (!has_port) return address;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (failure != std::errc{} || stop != end) address = {kNotAnAddress, 0};
  return address;
}

}  // namespace lunscope
