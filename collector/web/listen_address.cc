// SPDX-License-Identifier: Apache-2.0
#include "collector/web/listen_address.h"

#include <fmt/format.h>

#include <charconv>

namespace lunscope {

Result<ListenAddress> ListenAddress::Parse(const std::string& text) {
  const Error error{ExitCode::kUsage,
                    fmt::format("'{}' is not an address to listen on: write HOST:PORT, for example "
                                "127.0.0.1:13260 or [::1]:13260",
                                text)};
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return error;
  ListenAddress address{text.substr(0, colon), 0};
  const char* digits = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(digits, end, address.port);
  if (failure != std::errc{} || stop != end || address.port == 0) return error;
  const bool is_bracketed = address.host.starts_with('[') && address.host.ends_with(']');
  if (is_bracketed) address.host = address.host.substr(1, address.host.size() - 2);
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  const bool has_stray_bracket = address.host.find_first_of("[]") != std::string::npos;
  if (is_bracketed != is_ipv6 || has_stray_bracket) return error;
  return address;
}

std::string ListenAddress::Authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string ListenAddress::Url(const std::string& path) const {
  return fmt::format("http://{}{}{}", host.empty() ? "localhost" : "", Authority(), path);
}

}  // namespace lunscope
