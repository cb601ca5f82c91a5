// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/healing.h"

#include <bpf/bpf.h>

#include <chrono>
#include <cstdint>
#include <utility>

namespace lunscope {

Healing BeginToHeal(lunscope_bpf* main) {
  if (!SetPageMap(main)) return {};
  Result<ProgramPart<lunscope_bpf>> part = LoadPart(*main, IsNamedLike(main->progs.heal));
  if (!part.ok()) return {};
  const uint32_t place = 0;
  const int program = bpf_program__fd(part.value().skeleton->progs.heal);
  if (bpf_map_update_elem(bpf_map__fd(main->maps.healing), &place, &program, BPF_ANY) != 0)
    return {};
  main->bss->heals = 1;
  return std::move(part.value());
}

void HealingProgram::Update() {
  if (!pending_.valid() || pending_.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
    return;
  healing_ = pending_.get();
}

std::vector<ProgramState> HealingProgram::States() const {
  if (!healing_) return {};
  return {StateOf(healing_->skeleton->progs.heal)};
}

}  // namespace lunscope
