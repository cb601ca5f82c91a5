// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/kernel_initiator.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "collector/base/files.h"
#include "collector/probe/beside.h"

namespace lunscope {
namespace {

// scsi_transport_iscsi has a folder for each kind of initiator. Only "tcp" uses sockets.
constexpr const char* kTransport = "/sys/class/iscsi_transport/tcp";

bool HasTransport() {
  std::error_code error;
  return std::filesystem::exists(kTransport, error);
}

KernelInitiatorAttachment AttachAlone(const lunscope_bpf& main, const bpf_program* wanted) {
  const ProgramFilter is_wanted = IsNamedLike(wanted);
  Result<ProgramPart<lunscope_bpf>> part = AttachPart(main, is_wanted);
  if (!part.ok()) return {};
  const bpf_program* program = SelectPrograms(part.value().skeleton->obj, is_wanted).front();
  return {std::move(part.value()), program};
}

}  // namespace

bool MayHookFunctions() { return ReadLine("/proc/sys/kernel/ftrace_enabled") != "0"; }

KernelInitiatorAttachment AttachKernelInitiator(lunscope_bpf* main) {
  if (!SetPageMap(main)) return {};
  KernelInitiatorAttachment attached;
  if (MayHookFunctions()) attached = AttachAlone(*main, main->progs.kernel_consumption);
  if (attached.program == nullptr) attached = AttachAlone(*main, main->progs.out_of_order);
  return attached;
}

void KernelInitiatorProgram::Update() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return;
  next_look_ = now + std::chrono::seconds(1);
  if (pending_.valid()) {
    if (pending_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    attached_ = pending_.get();
  }
  if (is_wanted_ || !HasTransport()) return;
  is_wanted_ = true;
  pending_ = StartBeside(AttachKernelInitiator, main_);
}

std::vector<ProgramState> KernelInitiatorProgram::States() const {
  std::vector<ProgramState> states;
  if (!is_wanted_ || pending_.valid()) return states;
  const char* wanted = bpf_program__name(main_->progs.kernel_consumption);
  if (attached_.program != nullptr) states.push_back(StateOf(attached_.program));
  if (states.empty() || states.front().name != wanted) states.push_back({.name = wanted});
  return states;
}

}  // namespace lunscope
