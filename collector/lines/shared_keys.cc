// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/shared_keys.h"

#include "collector/model/model.h"

namespace lunscope {

std::string_view OrUnknown(std::string_view name) {
  return name.empty() ? std::string_view(kUnknownName) : name;
}

const char* EndName(uint8_t role) { return role == LUNSCOPE_ROLE_TARGET ? "tgt" : "ini"; }

void AddProcess(json::Members& line, const LocalProcess& process) {
  if (process.id == 0) return;
  line.Object("process", [&](json::Members& object) {
    object.Number("id", process.id);
    object.String("comm", process.comm);
    if (!process.guest.empty()) object.String("guest", process.guest);
    if (!process.cgroup.empty()) object.String("cgroup", process.cgroup);
    if (!process.network_namespace.empty())
      object.String("network_namespace", process.network_namespace);
  });
}

}  // namespace lunscope
