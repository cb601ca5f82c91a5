// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/capabilities.h"

#include <sys/capability.h>

#include <array>
#include <memory>
#include <type_traits>
#include <utility>

namespace lunscope {
namespace {

// Nothing works without the first two.
constexpr std::array kCapabilities = {
    std::pair{CAP_BPF, "CAP_BPF"}, std::pair{CAP_PERFMON, "CAP_PERFMON"},
    std::pair{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, std::pair{CAP_SYSLOG, "CAP_SYSLOG"}};

}  // namespace

bool HasCapability(int capability) {
  const std::unique_ptr<std::remove_pointer_t<cap_t>, decltype(&cap_free)> held(cap_get_proc(),
                                                                                &cap_free);
  cap_flag_value_t value = CAP_CLEAR;
  return held && cap_get_flag(held.get(), capability, CAP_EFFECTIVE, &value) == 0 &&
         value == CAP_SET;
}

Capabilities ReadCapabilities() {
  Capabilities capabilities;
  for (const auto& [capability, name] : kCapabilities)
    (HasCapability(capability) ? capabilities.held : capabilities.missing).emplace_back(name);
  return capabilities;
}

}  // namespace lunscope
