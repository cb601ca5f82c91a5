// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/preflight.h"

#include <bpf/btf.h>
#include <fmt/format.h>
#include <lunscope/command.h>
#include <lunscope/connection.h>
#include <sys/capability.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include "collector/probe/hooks.h"
#include "collector/probe/kernel_symbols.h"
#include "collector/probe/page_map.h"
#include "collector/probe/skeleton.h"
#include "collector/probe/socket_memory.h"

namespace lunscope {
namespace {

// The tracepoints that the programs hook, by the kernel's name.
constexpr std::array kTracepoints = {"tcp_probe", "skb_copy_datagram_iovec", "net_dev_queue",
                                     "inet_sock_set_state", "tcp_retransmit_skb"};

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

// The first line of a small file; "" if it cannot be read.
std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Those that something here needs: without the first two nothing works.
constexpr std::array kCapabilities = {
    std::pair{CAP_BPF, "CAP_BPF"}, std::pair{CAP_PERFMON, "CAP_PERFMON"},
    std::pair{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, std::pair{CAP_SYSLOG, "CAP_SYSLOG"}};

Finding DescribeRequirement(const Requirement& requirement) {
  const bool is_tracepoint = requirement.name.starts_with("tracepoint ");
  Finding finding{is_tracepoint ? "hooks" : "kernel",
                  requirement.name,
                  requirement.met ? FindingState::kOk : FindingState::kFailure,
                  requirement.detail,
                  {},
                  requirement.met ? ExitCode::kOk : requirement.code};
  if (requirement.name != "capabilities") return finding;
  std::vector<std::string> held;
  std::vector<std::string> missing;
  for (const auto& [capability, name] : kCapabilities)
    (HasCapability(capability) ? held : missing).emplace_back(name);
  finding.facts = {{"held", held}, {"missing", missing}};
  return finding;
}

// The mode stands in brackets: "none [integrity] confidentiality". "": not told.
std::string LockdownMode() {
  const std::string modes = FirstLine("/sys/kernel/security/lockdown");
  const size_t begin = modes.find('[');
  const size_t end = modes.find(']');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return {};
  return modes.substr(begin + 1, end - begin - 1);
}

constexpr const char* kConfidentiality = "confidentiality";

// What follows from it is said by the hooks, which are tried.
Finding DescribeLockdown(const std::string& mode) {
  Finding finding{"kernel", "lockdown", FindingState::kNote, mode, {{"mode", mode}}};
  if (mode.empty()) finding.detail = "not told: no /sys/kernel/security/lockdown here";
  if (mode == kConfidentiality) {
    finding.state = FindingState::kWarning;
    finding.detail += ": programs may not read the kernel's memory";
  }
  return finding;
}

std::string SymbolState(const char* name) {
  if (FindKernelSymbol(name)) return "known";
  return IsKernelSymbolListed(name) ? "hidden" : "absent";
}

// What a walk over an skb needs, on kernels without bpf_dynptr_from_skb() for the programs.
Finding CheckSymbols() {
  Finding finding{"kernel", "symbols", FindingState::kOk, "page_offset_base, vmemmap_base", {}};
  std::string state = "known";
  for (const char* name : {"page_offset_base", "vmemmap_base"}) {
    const std::string found = SymbolState(name);
    finding.facts.emplace_back(name, found);
    if (found != "known") state = found;
  }
  if (state == "known") return finding;
  const std::string restriction = FirstLine("/proc/sys/kernel/kptr_restrict");
  std::string reason = "not listed (no CONFIG_KALLSYMS_ALL, or not x86-64)";
  if (state == "hidden")
    reason = restriction == "2" ? "hidden from everybody (kernel.kptr_restrict is 2)"
                                : "hidden from this process (it lacks CAP_SYSLOG)";
  const bool kcore_tells = ReadPageMap().has_value();
  finding.state = kcore_tells ? FindingState::kOk : FindingState::kNote;
  finding.detail += fmt::format(" {}; {}", reason,
                                kcore_tells ? "/proc/kcore tells as much"
                                            : "needed below 6.12, and for the kernel's initiator");
  return finding;
}

Finding CheckModule(const std::string& module) {
  std::error_code error;
  const std::string folder = "/sys/module/" + module;
  const bool is_loaded = std::filesystem::exists(folder + "/initstate", error);
  // Built-in code has a folder only if it has parameters.
  const bool is_built_in = !is_loaded && std::filesystem::exists(folder, error);
  const bool has_btf = std::filesystem::exists("/sys/kernel/btf/" + module, error);
  const std::string state = is_loaded ? "loaded" : is_built_in ? "built in" : "not loaded";
  return {"modules",
          module,
          FindingState::kNote,
          is_loaded ? fmt::format("{}, {} BTF", state, has_btf ? "with" : "without") : state,
          {{"presence", state}, {"btf", has_btf}}};
}

// The state of a connection is charged to its socket, with what the kernel keeps around it.
Finding CheckOptmem() {
  constexpr uint64_t kAround = 512;
  constexpr uint64_t kConnection = sizeof(lunscope_connection) + kAround;
  constexpr uint64_t kBoth = kConnection + sizeof(lunscope_spill) + kAround;
  const uint64_t bytes =
      std::strtoull(FirstLine("/proc/sys/net/core/optmem_max").c_str(), nullptr, 10);
  Finding finding{"kernel",
                  "net.core.optmem_max",
                  FindingState::kOk,
                  fmt::to_string(bytes),
                  {{"bytes", bytes}, {"connection_bytes", kConnection}, {"spill_bytes", kBoth}}};
  if (bytes > kBoth) return finding;
  finding.state = FindingState::kWarning;
  finding.detail += bytes > kConnection
                        ? fmt::format(
                              ": of more than {} commands in flight on a connection the "
                              "others are not tracked (table_full)",
                              LUNSCOPE_COMMANDS)
                        : ": no connection can be followed";
  finding.detail +=
      fmt::format("; serve and trace raise it to {} if they may", kEnoughSocketMemory);
  return finding;
}

bool AllMet(const std::vector<Requirement>& requirements) {
  return std::ranges::all_of(requirements, &Requirement::met);
}

}  // namespace

bool HasCapability(int capability) {
  const std::unique_ptr<std::remove_pointer_t<cap_t>, decltype(&cap_free)> held(cap_get_proc(),
                                                                                &cap_free);
  cap_flag_value_t value = CAP_CLEAR;
  return held && cap_get_flag(held.get(), capability, CAP_EFFECTIVE, &value) == 0 &&
         value == CAP_SET;
}

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

std::vector<Finding> CheckKernel() {
  const std::vector<Requirement> requirements = CheckRequirements();
  std::vector<Finding> findings;
  std::vector<Finding> hooks;
  for (const Requirement& requirement : requirements) {
    Finding finding = DescribeRequirement(requirement);
    (finding.group == "hooks" ? hooks : findings).push_back(std::move(finding));
  }
  const std::string lockdown = LockdownMode();
  findings.push_back(DescribeLockdown(lockdown));
  findings.push_back(CheckSymbols());
  findings.push_back(CheckOptmem());
  // That a tracepoint is there is said better by a program that is attached to it.
  if (AllMet(requirements)) hooks = TryHooks(lockdown == kConfidentiality);
  findings.insert(findings.end(), hooks.begin(), hooks.end());
  for (const char* module :
       {"iscsi_tcp", "libiscsi_tcp", "iscsi_target_mod", "target_core_mod", "scsi_mod"})
    findings.push_back(CheckModule(module));
  return findings;
}

}  // namespace lunscope
