// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/module_program.h"

#include <filesystem>
#include <system_error>

namespace lunscope {
namespace {

// The sessions of every transport of open-iscsi, by connection (scsi_transport_iscsi).
constexpr const char* kConnections = "/sys/class/iscsi_connection";

bool HasConnections() {
  std::error_code error;
  return !std::filesystem::is_empty(kConnections, error) && !error;
}

}  // namespace

void ModuleProgram::Update() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return;
  next_look_ = now + std::chrono::seconds(1);
  if (HasConnections() == wanted_) return;
  wanted_ = !wanted_;
  if (wanted_ && Attach()) return;
  link_.reset();
  skeleton_.reset();
}

const bpf_program* ModuleProgram::program() const {
  return link_ ? skeleton_->progs.kernel_consumption : nullptr;
}

bool ModuleProgram::Attach() {
  skeleton_.reset(lunscope_bpf__open());
  if (!skeleton_) return false;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton_->obj)
      bpf_program__set_autoload(program, program == skeleton_->progs.kernel_consumption);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton_->obj) {
    const bpf_map* shared = bpf_object__find_map_by_name(main_.obj, bpf_map__name(map));
    if (shared == nullptr || bpf_map__reuse_fd(map, bpf_map__fd(shared)) != 0) return false;
  }
  if (lunscope_bpf__load(skeleton_.get()) != 0) return false;
  link_.reset(bpf_program__attach(skeleton_->progs.kernel_consumption));
  return link_ != nullptr;
}

}  // namespace lunscope
