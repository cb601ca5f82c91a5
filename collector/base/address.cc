// SPDX-License-Identifier: Apache-2.0
#include "collector/base/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace lunscope {

std::string FormatAddress(const uint8_t* address, bool is_ipv6, uint16_t port) {
  constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (is_ipv6 && std::equal(kMapped.begin(), kMapped.end(), address)) {
    address += kMapped.size();
    is_ipv6 = false;
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, address, text.data(), text.size());
  return is_ipv6 ? fmt::format("[{}]:{}", text.data(), port)
                 : fmt::format("{}:{}", text.data(), port);
}

}  // namespace lunscope
