// SPDX-License-Identifier: Apache-2.0
//
// The program that sees the kernel's own initiator read. It comes with the initiator's module and
// stays: its hook costs nothing as long as nobody logs in. It needs more of the kernel than the
// others do (fentry, and its symbols), and they are fine without it as long as nothing is lost on
// the way.
#pragma once

#include <chrono>
#include <future>
#include <memory>

#include "collector/probe/skeleton.h"

namespace lunscope {

struct KernelInitiatorAttachment {
  Skeleton skeleton;  // the same object once more, with main's maps and this one program
  Link link;          // nullptr: the kernel does not allow it
};

// REQUIRES: main is loaded.
KernelInitiatorAttachment AttachKernelInitiator(lunscope_bpf* main);

class KernelInitiatorProgram {
 public:
  // REQUIRES: main is loaded, and lives as long as this.
  explicit KernelInitiatorProgram(lunscope_bpf* main) : main_(main) {}

  // Attach, if a second has gone by since the last look and the module is there now. Loading takes
  // a while, and is done in a thread of its own.
  void Update();

  // Was it tried to attach it?
  [[nodiscard]] bool is_tried() const { return is_wanted_ && !pending_.valid(); }
  // nullptr: not attached.
  [[nodiscard]] const bpf_program* program() const;

 private:
  lunscope_bpf* main_;
  bool is_wanted_ = false;
  KernelInitiatorAttachment attached_;
  std::future<KernelInitiatorAttachment> pending_;
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace lunscope
