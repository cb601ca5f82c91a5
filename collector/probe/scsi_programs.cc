// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/scsi_programs.h"

#include <bpf/btf.h>
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

namespace lunscope {

// A module is in use while others hold it. A layer that is built into the kernel is always in use.
bool ScsiPrograms::IsInUse() const {
  std::error_code error;
  const std::string holders = fmt::format("/sys/module/{}/holders", layer_.module);
  if (std::filesystem::exists(holders, error)) return !std::filesystem::is_empty(holders, error);
  static const std::unique_ptr<btf, decltype(&btf__free)> kKernel(btf__load_vmlinux_btf(),
                                                                  &btf__free);
  const auto is_ours = [this](const bpf_program* program) { return IsOurs(program); };
  return HasTracepoint(kKernel.get(), TracepointOf(SelectPrograms(maps_.obj, is_ours).front()));
}

void ScsiPrograms::Update() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return;
  next_look_ = now + std::chrono::seconds(1);
  const bool is_in_use = IsInUse();
  if (!is_in_use) missing_ = fmt::format("{}: not in use on this host now", layer_.name);
  if (is_in_use == wanted_) return;
  wanted_ = is_in_use;
  part_.reset();
  if (wanted_) Attach();
}

bool ScsiPrograms::IsOurs(const bpf_program* program) const {
  return TracepointOf(program).starts_with(layer_.tracepoints);
}

void ScsiPrograms::Attach() {
  Result<ProgramPart<scsi_bpf>> part =
      AttachPart(maps_, [this](const bpf_program* program) { return IsOurs(program); });
  missing_ = part.ok() ? "" : fmt::format("{}: {}", layer_.name, part.error().message);
  if (part.ok()) part_ = std::move(part.value());
}

std::vector<ProgramState> ScsiPrograms::States() const {
  std::vector<ProgramState> states;
  const auto is_ours = [this](const bpf_program* program) { return IsOurs(program); };
  const bpf_object* object = part_ ? part_->skeleton->obj : maps_.obj;
  for (const bpf_program* program : SelectPrograms(object, is_ours))
    states.push_back(part_ ? StateOf(program) : ProgramState{bpf_program__name(program)});
  return states;
}

}  // namespace lunscope
