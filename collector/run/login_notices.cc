// SPDX-License-Identifier: Apache-2.0
#include "collector/run/login_notices.h"

#include <fmt/format.h>
#include <lunscope/iscsi.h>

#include <charconv>

#include "collector/base/record.h"
#include "collector/names/iscsi_names.h"

namespace lunscope {
namespace {

// In a Login Response, 2 is the initiator's error and 3 the target's (RFC 7143 section 11.13.5).
constexpr uint8_t kFirstClassOfFailure = 2;

}  // namespace

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

std::string LoginNotices::Take(const lunscope_record& record, const Applied& applied) {
  if (applied.redirected_to != nullptr)
    return Redirected(*applied.connection, *applied.redirected_to);
  const auto* pdu = RecordAs<lunscope_pdu_record>(record);
  if (pdu == nullptr || !pdu->last || applied.connection == nullptr) return "";
  if (iscsi_opcode(pdu->bhs) != ISCSI_LOGIN_RESPONSE) return "";
  const uint8_t status_class = iscsi_login_status_class(pdu->bhs);
  if (status_class < kFirstClassOfFailure) return "";
  return Refused(*applied.connection,
                 static_cast<uint16_t>(status_class << 8) | iscsi_login_status_detail(pdu->bhs));
}

std::string LoginNotices::Redirected(const Connection& connection, const std::string& address) {
  const uint16_t port = PortOfAddress(address);
  if (watched_.contains(port) || !announced_.insert(port).second) return "";
  return fmt::format("the target {} redirects to {}, and port {} is not watched: add --port {}",
                     connection.target->first.name, address, port, port);
}

std::string LoginNotices::Refused(const Connection& connection, uint16_t status) {
  if (refusals_.size() > kMaxRefusals) return "";
  std::string sentence = fmt::format(
      "the target {} refuses the login of {}: {}", connection.target->first.name,
      connection.initiator.empty() ? "an initiator without a name" : connection.initiator,
      LoginStatusText(status));
  if (!refusals_.insert(sentence).second) return "";
  if (refusals_.size() > kMaxRefusals)
    return "more logins are refused, and lunscope_login_failures_total counts them";
  return sentence;
}

}  // namespace lunscope
