// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/kernel_initiator.h"

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace lunscope {
namespace {

// The kernel's initiators of every kind (scsi_transport_iscsi): "tcp", and others without sockets.
constexpr const char* kTransport = "/sys/class/iscsi_transport/tcp";
constexpr const char* kFtrace = "/proc/sys/kernel/ftrace_enabled";

bool HasTransport() {
  std::error_code error;
  return std::filesystem::exists(kTransport, error);
}

// Load one program of the object alone, with main's maps, and attach it.
KernelInitiatorAttachment AttachAlone(const lunscope_bpf& main, const char* name) {
  Skeleton skeleton(lunscope_bpf__open());
  if (!skeleton) return {};
  bpf_program* wanted = bpf_object__find_program_by_name(skeleton->obj, name);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj)
      bpf_program__set_autoload(program, program == wanted);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton->obj) {
    const bpf_map* shared = bpf_object__find_map_by_name(main.obj, bpf_map__name(map));
    if (shared == nullptr || bpf_map__reuse_fd(map, bpf_map__fd(shared)) != 0) return {};
  }
  if (lunscope_bpf__load(skeleton.get()) != 0) return {};
  Link link(bpf_program__attach(wanted));
  if (!link) return {};
  return {std::move(skeleton), std::move(link), wanted};
}

}  // namespace

bool MayHookFunctions() {
  bool is_enabled = true;
  std::ifstream(kFtrace) >> is_enabled;
  return is_enabled;
}

KernelInitiatorAttachment AttachKernelInitiator(lunscope_bpf* main) {
  if (!KnowPages(main)) return {};
  KernelInitiatorAttachment attached;
  if (MayHookFunctions())
    attached = AttachAlone(*main, bpf_program__name(main->progs.kernel_consumption));
  if (!attached.link) attached = AttachAlone(*main, bpf_program__name(main->progs.out_of_order));
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
  pending_ = std::async(std::launch::async, AttachKernelInitiator, main_);
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
