// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/preflight.h"

#include <bpf/btf.h>
#include <fmt/format.h>
#include <sys/capability.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "collector/probe/skeleton.h"

namespace lunscope {
namespace {

// The tracepoints that the programs hook, by the kernel's name.
constexpr std::array kTracepoints = {"tcp_probe", "skb_copy_datagram_iovec", "net_dev_queue",
                                     "inet_sock_set_state", "tcp_retransmit_skb"};

bool HasCapability(cap_value_t capability) {
  const std::unique_ptr<std::remove_pointer_t<cap_t>, decltype(&cap_free)> held(cap_get_proc(),
                                                                                &cap_free);
  cap_flag_value_t value = CAP_CLEAR;
  return held && cap_get_flag(held.get(), capability, CAP_EFFECTIVE, &value) == 0 &&
         value == CAP_SET;
}

Requirement CheckCapabilities() {
  Requirement requirement{"capabilities", true, ExitCode::kPermission, ""};
  if (HasCapability(CAP_SYS_ADMIN)) {
    requirement.detail = "CAP_SYS_ADMIN";
    return requirement;
  }
  std::string missing;
  for (const auto& [capability, name] :
       {std::pair{CAP_BPF, "CAP_BPF"}, std::pair{CAP_PERFMON, "CAP_PERFMON"}}) {
    if (!HasCapability(capability)) missing += missing.empty() ? name : fmt::format(", {}", name);
  }
  requirement.met = missing.empty();
  if (requirement.met) {
    requirement.detail = "CAP_BPF, CAP_PERFMON";
  } else if (geteuid() != 0) {
    requirement.detail = fmt::format("not root and without {}: run it with sudo", missing);
  } else {
    requirement.detail = fmt::format(
        "root, but without {}: grant it to this process "
        "(container, systemd unit or capsh)",
        missing);
  }
  return requirement;
}

Requirement CheckTracepoint(const btf* kernel, const char* tracepoint) {
  const std::string type = fmt::format("btf_trace_{}", tracepoint);
  const bool found = btf__find_by_name_kind(kernel, type.c_str(), BTF_KIND_TYPEDEF) > 0;
  return {fmt::format("tracepoint {}", tracepoint), found, ExitCode::kUnsupported,
          found ? "present"
                : "absent in this kernel: run a kernel with CONFIG_NET and "
                  "CONFIG_TRACEPOINTS"};
}

}  // namespace

std::vector<Requirement> CheckRequirements() {
  SetUpLibbpf();
  std::vector<Requirement> requirements = {CheckCapabilities()};
  const std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), &btf__free);
  requirements.push_back({"BTF", kernel != nullptr, ExitCode::kUnsupported,
                          kernel
                              ? "/sys/kernel/btf/vmlinux"
                              : "no type information in /sys/kernel/btf/vmlinux: run a kernel with "
                                "CONFIG_DEBUG_INFO_BTF=y, and mount /sys"});
  if (!kernel) return requirements;
  for (const char* tracepoint : kTracepoints)
    requirements.push_back(CheckTracepoint(kernel.get(), tracepoint));
  return requirements;
}

}  // namespace lunscope
