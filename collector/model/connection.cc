// SPDX-License-Identifier: Apache-2.0
#include "collector/model/connection.h"

namespace lunscope {

void LearnDeviceType(Connection& connection, uint64_t lun, int device_type) {
  auto& types = connection.device_types;
  const uint64_t number = CanonicalLun(lun);
  if (device_type == kUnknownDeviceType) return;
  if (types.size() < Connection::kMaxDeviceTypes || types.contains(number))
    types[number] = device_type;
}

int OwnDeviceType(const Connection& connection, uint64_t lun) {
  if (connection.device_types.empty()) return kUnknownDeviceType;
  const auto here = connection.device_types.find(CanonicalLun(lun));
  return here == connection.device_types.end() ? kUnknownDeviceType : here->second;
}

During DuringOf(const Connection& connection) {
  if (connection.never_came_about) return During::kConnect;
  if (connection.login.logged_out) return During::kAfterLogout;
  if (connection.login.succeeded) return During::kSession;
  if (connection.login.negotiation)
    return connection.login.asked_ns != 0 ? During::kUnansweredLogin : During::kLogin;
  if (connection.login.turned_away) return During::kTurnedAway;
  return connection.is_midstream ? During::kUnknown : During::kBeforeLogin;
}

}  // namespace lunscope
