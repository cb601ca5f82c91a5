// SPDX-License-Identifier: Apache-2.0
//
// The program that only the kernel's own initiator needs, because that reads packets in another way
// than a process. It is kernel_consumption, which sees what the initiator reads. Where the kernel
// does not allow that hook it is out_of_order, which sees the packets that arrived out of order.
//
// The program is loaded when the initiator's module first appears, and stays: it costs nothing
// while nobody logs in. It must know where the kernel maps its memory. Without that, the initiator
// is followed by what arrives, and misses the packets behind a hole.
#pragma once

#include <chrono>
#include <future>
#include <vector>

#include "collector/probe/program_part.h"
#include "collector/probe/ring_source.h"

namespace lunscope {

struct KernelInitiatorAttachment {
  ProgramPart<lunscope_bpf> part;
  const bpf_program* program = nullptr;  // kernel_consumption or out_of_order; nullptr: neither
};

// Returns false if the kernel would attach a fentry program but never call it
// (kernel.ftrace_enabled).
bool MayHookFunctions();

// REQUIRES: main is loaded.
KernelInitiatorAttachment AttachKernelInitiator(lunscope_bpf* main);

class KernelInitiatorProgram : public ProgramGroup {
 public:
  // REQUIRES: main is loaded, and lives as long as this.
  explicit KernelInitiatorProgram(lunscope_bpf* main) : main_(main) {}

  // Once a second, look for the module. Loading the program takes a while, so a thread does it.
  void Update() override;

  // Empty until the module has appeared. Then kernel_consumption is listed, attached or not.
  [[nodiscard]] std::vector<ProgramState> States() const override;

 private:
  lunscope_bpf* main_;
  bool is_wanted_ = false;
  KernelInitiatorAttachment attached_;
  std::future<KernelInitiatorAttachment> pending_;
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace lunscope
