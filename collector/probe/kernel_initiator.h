// SPDX-License-Identifier: Apache-2.0
//
// The program that is for the kernel's own initiator alone: it sees that one read, or where the
// kernel allows no such thing, what has arrived out of order for it. It comes with the initiator's
// module and stays: its hook costs nothing as long as nobody logs in. It needs to know where memory
// is mapped; without that the initiator is followed by arrivals, of which those behind a hole are
// missed.
#pragma once

#include <chrono>
#include <future>
#include <vector>

#include "collector/probe/skeleton.h"

namespace lunscope {

struct KernelInitiatorAttachment {
  Skeleton skeleton;  // the same object once more, with main's maps and this one program
  Link link;          // nullptr: the kernel does not allow it
  const bpf_program* program = nullptr;  // kernel_consumption, or else out_of_order
};

// False: a fentry program could be attached and would never be called (kernel.ftrace_enabled).
bool MayHookFunctions();

// REQUIRES: main is loaded.
KernelInitiatorAttachment AttachKernelInitiator(lunscope_bpf* main);

class KernelInitiatorProgram {
 public:
  // REQUIRES: main is loaded, and lives as long as this.
  explicit KernelInitiatorProgram(lunscope_bpf* main) : main_(main) {}

  // Attach, if a second has gone by since the last look and the module is there now. Loading takes
  // a while, and is done in a thread of its own.
  void Update();

  // Empty: not tried yet. kernel_consumption is among them, attached or not.
  [[nodiscard]] std::vector<ProgramState> States() const;

 private:
  lunscope_bpf* main_;
  bool is_wanted_ = false;
  KernelInitiatorAttachment attached_;
  std::future<KernelInitiatorAttachment> pending_;
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace lunscope
