// SPDX-License-Identifier: Apache-2.0
#include "collector/run/redirect_notices.h"

#include <fmt/format.h>
#include <lunscope/iscsi.h>

#include <charconv>

namespace lunscope {

uint16_t PortOfAddress(std::string_view address) {
  address = address.substr(0, address.find(','));
  const size_t host_end = address.rfind(']') == std::string_view::npos ? 0 : address.rfind(']');
  const size_t colon = address.find(':', host_end);
  uint16_t port = ISCSI_DEFAULT_PORT;
  if (colon == std::string_view::npos) return port;
  const std::string_view digits = address.substr(colon + 1);
  uint16_t number = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_port = failure == std::errc{} && end == digits.data() + digits.size();
  return is_port && number != 0 ? number : port;
}

std::string RedirectNotices::Take(const Applied& applied) {
  if (applied.redirected_to == nullptr) return "";
  const std::string& address = *applied.redirected_to;
  const uint16_t port = PortOfAddress(address);
  if (watched_.contains(port) || !announced_.insert(port).second) return "";
  return fmt::format("the target {} redirects to {}, and port {} is not watched: add --port {}",
                     applied.connection->target->first.name, address, port, port);
}

}  // namespace lunscope
