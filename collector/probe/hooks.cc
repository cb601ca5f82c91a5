// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/hooks.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <sys/capability.h>

#include <cerrno>
#include <string>

#include "collector/probe/kernel_initiator.h"
#include "collector/probe/kernel_symbols.h"
#include "collector/probe/preflight.h"
#include "collector/probe/skeleton.h"

namespace lunscope {
namespace {

constexpr const char* kGroup = "hooks";

// "tp_btf/tcp_probe" -> "tracepoint tcp_probe", as preflight.cc calls it.
std::string NameOf(const bpf_program* program) {
  const std::string section = bpf_program__section_name(program);
  const std::string function = section.substr(section.find('/') + 1);
  return section.starts_with("tp_btf/") ? "tracepoint " + function : section;
}

uint64_t VerifiedInstructions(const bpf_program* program) {
  bpf_prog_info info{};
  uint32_t bytes = sizeof(info);
  return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &bytes) == 0 ? info.verified_insns
                                                                              : 0;
}

Finding TryHook(const lunscope_bpf& skeleton, const bpf_program* program) {
  const bool attached = AttachProgram(skeleton, program) != nullptr;
  const int error = errno;
  const uint64_t verified = VerifiedInstructions(program);
  return {
      kGroup,
      NameOf(program),
      attached ? FindingState::kOk : FindingState::kFailure,
      attached ? fmt::format("attached, {} instructions verified", verified) : KernelReason(error),
      {{"attached", attached}, {"verified_instructions", verified}},
      attached ? ExitCode::kOk : ExitCode::kUnsupported};
}

// Without this hook the kernel's initiator is followed by what arrives.
Finding TryKernelInitiator(lunscope_bpf* main) {
  const KernelInitiatorAttachment attachment = AttachKernelInitiator(main);
  const bpf_program* wanted = main->progs.kernel_consumption;
  const bool follows = attachment.program != nullptr;
  const bool attached =
      follows && bpf_program__name(attachment.program) == std::string(bpf_program__name(wanted));
  Finding finding{kGroup,
                  NameOf(wanted),
                  FindingState::kOk,
                  "can be attached, where the kernel's initiator is in use",
                  {{"attached", attached}}};
  if (attached) return finding;
  const std::string function = finding.name.substr(finding.name.find('/') + 1);
  std::string reason = "not allowed here";
  if (!MayHookFunctions()) {
    reason = "kernel.ftrace_enabled is 0";
  } else if (!HasKernelFunction(function)) {
    reason = "not told of here";
  }
  finding.state = follows ? FindingState::kNote : FindingState::kWarning;
  finding.detail =
      fmt::format("{}: {}", reason,
                  follows ? "the kernel's initiator is followed by what arrives"
                          : "lost packets of the kernel's initiator are gaps, counted");
  return finding;
}

Finding Reader(const char* reader, FindingState state, const std::string& detail) {
  return {kGroup, "skb reader", state, detail, {{"reader", std::string(reader)}}};
}

Finding Walk(const lunscope_bpf& skeleton) {
  const bool walks_map = bpf_program__autoload(skeleton.progs.connection_walk);
  return {kGroup,
          "walk",
          walks_map ? FindingState::kOk : FindingState::kNote,
          walks_map
              ? "over the connections that are watched"
              : "this kernel forbids iterators over maps: a scrape visits every TCP socket of "
                "each network namespace that has watched connections",
          {{"walk", std::string(walks_map ? "map" : "sockets")}}};
}

Finding LoadFailure(const Error& error, bool is_confidential) {
  std::string detail = error.message;
  const size_t hint = detail.find(kCheckHint);
  if (hint != std::string::npos) detail.erase(hint, kCheckHint.size());
  if (is_confidential) {
    detail += ": lockdown forbids it; boot with lockdown=integrity";
  } else if (error.code == ExitCode::kPermission) {
    detail += HasCapability(CAP_SYS_ADMIN)
                  ? ": look for seccomp or a security module that forbids it"
                  : ": try with CAP_SYS_ADMIN";
  } else {
    detail += ": run Linux 6.12 or later";
  }
  return {kGroup, "load", FindingState::kFailure, detail, {}, error.code};
}

}  // namespace

std::vector<Finding> TryHooks(bool is_confidential) {
  Result<Skeleton> loaded = LoadSkeleton(ProbeOptions{});
  if (!loaded.ok())
    return {LoadFailure(loaded.error(), is_confidential),
            Reader("none", FindingState::kNote, "none: the programs are not loaded")};
  const lunscope_bpf& skeleton = *loaded.value();
  std::vector<Finding> findings;
  const bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(skeleton.obj, const_cast<bpf_program*>(program))) !=
         nullptr) {
    if (bpf_program__autoload(program)) findings.push_back(TryHook(skeleton, program));
  }
  findings.push_back(TryKernelInitiator(loaded.value().get()));
  findings.push_back(
      skeleton.rodata->walks_skbs
          ? Reader("walk", FindingState::kOk, "walk over linear part, frags and frag list")
          : Reader("dynptr", FindingState::kOk, "bpf_dynptr_from_skb"));
  findings.push_back(Walk(skeleton));
  return findings;
}

}  // namespace lunscope
