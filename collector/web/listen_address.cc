// SPDX-License-Identifier: Apache-2.0
#include "collector/web/listen_address.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <charconv>
#include <string_view>

namespace lunscope {

namespace {

constexpr std::string_view kUnix = "unix:";

}  // namespace

Result<ListenAddress> ListenAddress::Parse(const std::string& text) {
  const Error error{
      ExitCode::kUsage,
      fmt::format("'{}' is not an address to listen on: write HOST:PORT or unix:PATH, "
                  "for example 127.0.0.1:13260, [::1]:13260 or "
                  "unix:/run/lunscope.sock",
                  text)};
  ListenAddress address;
  if (text.starts_with(kUnix)) {
    address.path = text.substr(kUnix.size());
    const bool fits = address.path.size() < sizeof(sockaddr_un::sun_path);
    const bool is_path = address.path.starts_with('/') && !address.path.ends_with('/');
    if (!fits || !is_path || address.path.find('\0') != std::string::npos) return error;
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return error;
  address.host = text.substr(0, colon);
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

std::string ListenAddress::Text() const {
  if (is_unix()) return fmt::format("{}{}", kUnix, path);
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string ListenAddress::Url(const std::string& page, bool is_tls) const {
  if (is_unix()) return fmt::format("{} {}", Text(), page);
  return fmt::format("{}://{}{}{}", is_tls ? "https" : "http", host.empty() ? "localhost" : "",
                     Text(), page);
}

}  // namespace lunscope
