// SPDX-License-Identifier: Apache-2.0
//
// What the kernel and this process bring along for the programs: asked one by one, by name, so that
// an answer can say what to do. Attach() asks the same questions before it tries.
#pragma once

#include <string>
#include <vector>

#include "collector/base/finding.h"
#include "collector/base/result.h"

namespace lunscope {

struct Requirement {
  std::string name;  // "capabilities", "BTF", "tracepoint tcp_probe"
  bool met;
  ExitCode code;       // of a program that cannot go on without it
  std::string detail;  // met: what was found; else: what to do
};

// One of CAP_BPF and the like, in effect for this process.
bool HasCapability(int capability);

// Every requirement, met or not, cheapest first. Loads nothing.
std::vector<Requirement> CheckRequirements();

// All of `lunscope check` that the kernel answers: the requirements and, if they are met, each hook
// tried; lockdown, symbols, modules and memory.
std::vector<Finding> CheckKernel();

}  // namespace lunscope
