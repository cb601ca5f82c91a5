// SPDX-License-Identifier: Apache-2.0
//
// What the kernel and this process bring along for the programs: asked one by one, by name, so that
// an answer can say what to do. Attach() asks the same questions before it tries.
#pragma once

#include <string>
#include <vector>

#include "collector/base/result.h"

namespace lunscope {

struct Requirement {
  std::string name;  // "capabilities", "BTF", "tracepoint tcp_probe"
  bool met;
  ExitCode code;       // of a program that cannot go on without it
  std::string detail;  // met: what was found; else: what to do
};

// Every requirement, met or not, cheapest first. Loads nothing.
std::vector<Requirement> CheckRequirements();

}  // namespace lunscope
