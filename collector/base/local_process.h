// SPDX-License-Identifier: Apache-2.0
//
// Who reads a connection at this host's end. Names are printable; "" is none, or not known.
#pragma once

#include <cstdint>
#include <string>

namespace lunscope {

struct LocalProcess {
  uint32_t id = 0;  // 0: none was seen reading
  std::string comm;
  std::string guest;              // that QEMU runs
  std::string cgroup;             // in the v2 hierarchy: "/system.slice/tgt.service"
  std::string network_namespace;  // "" is that of lunscope itself, too
  auto operator<=>(const LocalProcess&) const = default;
};

}  // namespace lunscope
