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

}  // namespace lunscope
