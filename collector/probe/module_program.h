// SPDX-License-Identifier: Apache-2.0
//
// The program that hooks the kernel's own initiator, where that is a module: it is attached while
// there are sessions of that initiator, and only then, because a hooked module cannot be unloaded.
#pragma once

#include <chrono>

#include "collector/probe/skeleton.h"

namespace lunscope {

class ModuleProgram {
 public:
  // REQUIRES: main is loaded, and lives as long as this.
  explicit ModuleProgram(const lunscope_bpf& main) : main_(main) {}

  // Attach or detach, if a second has gone by since the last look and something has changed.
  void Update();

  [[nodiscard]] bool wanted() const { return wanted_; }
  // nullptr: not attached.
  [[nodiscard]] const bpf_program* program() const;

 private:
  bool Attach();

  const lunscope_bpf& main_;
  Skeleton skeleton_;  // the same object once more, with main's maps and this one program
  Link link_;
  bool wanted_ = false;
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace lunscope
