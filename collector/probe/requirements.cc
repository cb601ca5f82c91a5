// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/requirements.h"

#include <bpf/btf.h>
#include <fmt/format.h>
#include <sys/capability.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "collector/probe/capabilities.h"
#include "collector/probe/kernel_error.h"
#include "collector/probe/programs.h"
#include "collector/probe/skeleton.h"

namespace lunscope {
namespace {

Requirement CheckCapabilities() {
  Requirement requirement{"capabilities", true, ExitCode::kPermission, ""};
  if (HasCapability(CAP_SYS_ADMIN)) {
    requirement.detail = "CAP_SYS_ADMIN";
    return requirement;
  }
  std::vector<const char*> missing;
  if (!HasCapability(CAP_BPF)) missing.push_back("CAP_BPF");
  if (!HasCapability(CAP_PERFMON)) missing.push_back("CAP_PERFMON");
  requirement.met = missing.empty();
  if (requirement.met) {
    requirement.detail = "CAP_BPF, CAP_PERFMON";
  } else if (geteuid() != 0) {
    requirement.detail =
        fmt::format("not root, and without {}: run lunscope with sudo", fmt::join(missing, ", "));
  } else {
    requirement.detail = fmt::format(
        "root, but without {}: grant it to this process (container, systemd unit or capsh)",
        fmt::join(missing, ", "));
  }
  return requirement;
}

Requirement CheckTypes(const btf* types) {
  return {"BTF", types != nullptr, ExitCode::kUnsupported,
          types != nullptr ? "/sys/kernel/btf/vmlinux"
                           : "no type information in /sys/kernel/btf/vmlinux: run a kernel with "
                             "CONFIG_DEBUG_INFO_BTF=y, and mount /sys"};
}

Requirement CheckHook(const btf* types, const bpf_program* program) {
  const bool found = HasTracepoint(types, TracepointOf(program));
  return {HookName(program), found, ExitCode::kUnsupported,
          found ? "present"
                : "this kernel does not have it: run a kernel with CONFIG_NET and "
                  "CONFIG_TRACEPOINTS"};
}

}  // namespace

std::vector<Requirement> CheckRequirements() {
  SetUpLibbpf();
  std::vector<Requirement> requirements = {CheckCapabilities()};
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), &btf__free);
  requirements.push_back(CheckTypes(types.get()));
  if (!types) return requirements;
  // If the object cannot be opened here, loading it fails as well, and says why.
  const Skeleton skeleton(lunscope_bpf::open());
  if (!skeleton) return requirements;
  for (const bpf_program* program : SelectPrograms(skeleton->obj, IsLoadedHook))
    requirements.push_back(CheckHook(types.get(), program));
  return requirements;
}

}  // namespace lunscope
