// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/hooks.h"

#include <fmt/format.h>
#include <sys/capability.h>

#include <cerrno>
#include <string>

#include "collector/probe/capabilities.h"
#include "collector/probe/healing.h"
#include "collector/probe/kernel_error.h"
#include "collector/probe/kernel_initiator.h"
#include "collector/probe/kernel_symbols.h"
#include "collector/probe/page_map.h"
#include "collector/probe/programs.h"
#include "collector/probe/skeleton.h"
#include "collector/probe/walk.h"

namespace lunscope {
namespace {

CheckResult TryHook(const lunscope_bpf& skeleton, const bpf_program* program) {
  const Link link(IsWalk(program) ? AttachWalk(skeleton, program)
                                  : Link(bpf_program__attach(program)));
  const int error = errno;
  const bool attached = link != nullptr;
  const uint64_t verified = StateOf(program).verified_instructions;
  return {
      kHooksGroup,
      HookName(program),
      attached ? CheckState::kOk : CheckState::kFailure,
      attached ? fmt::format("attached, {} instructions verified", verified) : KernelReason(error),
      {{"attached", attached}, {"verified_instructions", verified}},
      attached ? ExitCode::kOk : ExitCode::kUnsupported};
}

std::string WhyNotHooked(lunscope_bpf* main, const std::string& function) {
  if (!SetPageMap(main)) return fmt::format("needs {} and {}", kPageOffsetBase, kVmemmapBase);
  if (!MayHookFunctions()) return "kernel.ftrace_enabled is 0";
  if (!HasKernelFunction(function)) return "this kernel does not list the function";
  return "this kernel does not allow it";
}

CheckResult TryKernelInitiator(lunscope_bpf* main) {
  const KernelInitiatorAttachment attachment = AttachKernelInitiator(main);
  const bpf_program* wanted = main->progs.kernel_consumption;
  const bool has_fallback = attachment.program != nullptr;
  const bool attached = has_fallback && bpf_program__name(attachment.program) ==
                                            std::string(bpf_program__name(wanted));
  CheckResult finding{kHooksGroup,
                      HookName(wanted),
                      CheckState::kOk,
                      "can be attached when the kernel's initiator is in use",
                      {{"attached", attached}}};
  if (attached) return finding;
  finding.state = has_fallback ? CheckState::kNote : CheckState::kWarning;
  finding.detail = fmt::format(
      "{}: {}", WhyNotHooked(main, finding.name.substr(finding.name.find('/') + 1)),
      has_fallback ? "bytes for the kernel's initiator are parsed when they arrive"
                   : "each lost packet to the kernel's initiator is a gap, and counted");
  return finding;
}

CheckResult TryToHeal(lunscope_bpf* main) {
  const Healing healing = BeginToHeal(main);
  const uint64_t verified =
      healing ? StateOf(healing->skeleton->progs.heal).verified_instructions : 0;
  CheckResult finding{kHooksGroup,
                      "retransmit queue",
                      CheckState::kOk,
                      fmt::format("sent bytes that were missed are read from it, {} instructions "
                                  "verified",
                                  verified),
                      {{"heals", healing.has_value()}, {"verified_instructions", verified}}};
  if (healing) return finding;
  finding.state = CheckState::kNote;
  finding.detail = fmt::format(
      "not read, {}: sent bytes that are missed are a gap, and counted",
      SetPageMap(main) ? std::string("this kernel does not allow it")
                       : fmt::format("which needs {} and {}", kPageOffsetBase, kVmemmapBase));
  return finding;
}

CheckResult Reader(const char* reader, CheckState state, const std::string& detail) {
  return {kHooksGroup, "skb reader", state, detail, {{"reader", std::string(reader)}}};
}

CheckResult DescribeReader(const lunscope_bpf& skeleton) {
  return skeleton.rodata->walks_skbs
             ? Reader("walk", CheckState::kOk, "walk over linear part, frags and frag list")
             : Reader("dynptr", CheckState::kOk, "bpf_dynptr_from_skb");
}

CheckResult DescribeWalk(const lunscope_bpf& skeleton) {
  const bool walks_map = IsLoaded(skeleton.progs.connection_walk);
  return {kHooksGroup,
          "walk",
          walks_map ? CheckState::kOk : CheckState::kNote,
          walks_map ? "a scrape visits only the connections that are watched"
                    : "this kernel forbids iterators over maps: a scrape visits every TCP socket "
                      "of each network namespace that has watched connections",
          {{"walk", std::string(walks_map ? "map" : "sockets")}}};
}

CheckResult DescribeLoadFailure(const Error& error, bool is_confidential) {
  std::string detail = error.message;
  for (size_t hint = 0; (hint = detail.find(kCheckHint)) != std::string::npos;)
    detail.erase(hint, kCheckHint.size());
  if (is_confidential) {
    detail += ": lockdown forbids it; boot with lockdown=integrity";
  } else if (error.code == ExitCode::kPermission) {
    detail += HasCapability(CAP_SYS_ADMIN)
                  ? ": look for a seccomp filter or security module that forbids it"
                  : ": try again with CAP_SYS_ADMIN";
  } else {
    detail += ": run Linux 6.12 or later";
  }
  return {kHooksGroup, "load", CheckState::kFailure, detail, {}, error.code};
}

}  // namespace

std::vector<CheckResult> TryHooks(bool is_confidential) {
  Result<Skeleton> loaded = LoadSkeleton(ProbeOptions{});
  if (!loaded.ok())
    return {DescribeLoadFailure(loaded.error(), is_confidential),
            Reader("none", CheckState::kNote, "none: the programs are not loaded")};
  lunscope_bpf& skeleton = *loaded.value();
  std::vector<CheckResult> findings;
  for (const bpf_program* program : SelectPrograms(skeleton.obj, IsLoaded))
    findings.push_back(TryHook(skeleton, program));
  findings.push_back(TryKernelInitiator(&skeleton));
  findings.push_back(TryToHeal(&skeleton));
  findings.push_back(DescribeReader(skeleton));
  findings.push_back(DescribeWalk(skeleton));
  return findings;
}

}  // namespace lunscope
