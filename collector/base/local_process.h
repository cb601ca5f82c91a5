// SPDX-License-Identifier: Apache-2.0
//
// The process that reads a connection at this host's end. Names are printable (base/printable.h);
// "" stands for a name that is absent or unknown.
#pragma once

#include <cstdint>
#include <string>

namespace lunscope {

struct LocalProcess {
  uint32_t id = 0;                // process id; 0: no process has read yet
  std::string comm;               // the kernel's short name of the process
  std::string guest;              // the virtual machine, if the process is QEMU
  std::string cgroup;             // path in the v2 hierarchy: "/system.slice/tgt.service"
  std::string network_namespace;  // "" also stands for lunscope's own namespace
  auto operator<=>(const LocalProcess&) const = default;
};

}  // namespace lunscope
