// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/kernel_initiator.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace lunscope {
namespace {

// The kernel's initiators of every kind (scsi_transport_iscsi): "tcp", and others without sockets.
constexpr const char* kTransport = "/sys/class/iscsi_transport/tcp";

bool HasTransport() {
  std::error_code error;
  return std::filesystem::exists(kTransport, error);
}

}  // namespace

KernelInitiatorAttachment AttachKernelInitiator(lunscope_bpf* main) {
  if (!KnowWalkSymbols(main)) return {};
  Skeleton skeleton(lunscope_bpf__open());
  if (!skeleton) return {};
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj)
      bpf_program__set_autoload(program, program == skeleton->progs.kernel_consumption);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton->obj) {
    const bpf_map* shared = bpf_object__find_map_by_name(main->obj, bpf_map__name(map));
    if (shared == nullptr || bpf_map__reuse_fd(map, bpf_map__fd(shared)) != 0) return {};
  }
  if (lunscope_bpf__load(skeleton.get()) != 0) return {};
  Link link(bpf_program__attach(skeleton->progs.kernel_consumption));
  if (!link) return {};
  return {std::move(skeleton), std::move(link)};
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

const bpf_program* KernelInitiatorProgram::program() const {
  return attached_.link ? attached_.skeleton->progs.kernel_consumption : nullptr;
}

}  // namespace lunscope
