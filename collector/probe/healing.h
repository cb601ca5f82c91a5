// SPDX-License-Identifier: Apache-2.0
//
// The program that reads sent bytes which no other program saw from TCP's retransmit queue
// (bpf/heal.bpf.h). It must know where the kernel maps its memory. Without that, and where the
// kernel refuses the program, such bytes are a gap.
#pragma once

#include <future>
#include <optional>
#include <vector>

#include "collector/probe/beside.h"
#include "collector/probe/program_part.h"
#include "collector/probe/ring_source.h"

namespace lunscope {

using Healing = std::optional<ProgramPart<lunscope_bpf>>;

// Load the program, and let holes be healed from now on. REQUIRES: main is loaded.
Healing BeginToHeal(lunscope_bpf* main);

class HealingProgram : public ProgramGroup {
 public:
  // REQUIRES: main is loaded, and lives as long as this. Loading takes a while, so a thread does
  // it.
  explicit HealingProgram(lunscope_bpf* main) : pending_(StartBeside(BeginToHeal, main)) {}

  void Update() override;

  // Empty until the program is loaded, and if it cannot be.
  [[nodiscard]] std::vector<ProgramState> States() const override;

 private:
  Healing healing_;
  std::future<Healing> pending_;
};

}  // namespace lunscope
