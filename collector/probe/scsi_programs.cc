// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/scsi_programs.h"

#include <bpf/btf.h>
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace lunscope {
namespace {

bool HasTracepoint(const btf* types, const char* tracepoint) {
  const std::string type = fmt::format("btf_trace_{}", tracepoint);
  return types != nullptr && btf__find_by_name_kind(types, type.c_str(), BTF_KIND_TYPEDEF) > 0;
}

// A module is in use while others hold it. What is no module is always there.
bool IsInUse(const ScsiLayer& layer) {
  std::error_code error;
  const std::string holders = fmt::format("/sys/module/{}/holders", layer.module);
  if (std::filesystem::exists(holders, error)) return !std::filesystem::is_empty(holders, error);
  static const std::unique_ptr<btf, decltype(&btf__free)> kKernel(btf__load_vmlinux_btf(),
                                                                  &btf__free);
  return HasTracepoint(kKernel.get(), layer.tracepoint);
}

}  // namespace

void ScsiPrograms::Update() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return;
  next_look_ = now + std::chrono::seconds(1);
  const bool is_in_use = IsInUse(layer_);
  if (!is_in_use) missing_ = fmt::format("{}: nothing in this kernel uses it now", layer_.name);
  if (is_in_use == wanted_) return;
  wanted_ = is_in_use;
  Detach();
  if (!wanted_) return;
  const Status attached = Attach();
  missing_ = attached.ok() ? "" : fmt::format("{}: {}", layer_.name, attached.error().message);
  if (!attached.ok()) Detach();
}

bool ScsiPrograms::IsOurs(const bpf_program* program) const {
  return std::string_view(bpf_program__section_name(program)).starts_with(layer_.section);
}

Status ScsiPrograms::Attach() {
  skeleton_.reset(scsi_bpf__open());
  if (!skeleton_) return KernelError("opening the programs", errno);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton_->obj)
      bpf_program__set_autoload(program, IsOurs(program));
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton_->obj) {
    const bpf_map* shared = bpf_object__find_map_by_name(maps_.obj, bpf_map__name(map));
    if (shared == nullptr || bpf_map__reuse_fd(map, bpf_map__fd(shared)) != 0)
      return KernelError("sharing the maps", errno);
  }
  if (const int error = scsi_bpf__load(skeleton_.get()); error != 0)
    return KernelError("loading the programs", -error);
  bpf_object__for_each_program(program, skeleton_->obj) {
    if (!IsOurs(program)) continue;
    Link link(bpf_program__attach(program));
    if (!link) return KernelError(bpf_program__section_name(program), errno);
    links_.push_back(std::move(link));
  }
  return Nothing{};
}

void ScsiPrograms::Detach() {
  links_.clear();
  skeleton_.reset();
}

std::vector<ProgramState> ScsiPrograms::States() const {
  std::vector<ProgramState> states;
  const bpf_object* object = skeleton_ ? skeleton_->obj : maps_.obj;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    if (!IsOurs(program)) continue;
    states.push_back(skeleton_ ? StateOf(program) : ProgramState{bpf_program__name(program)});
  }
  return states;
}

}  // namespace lunscope
