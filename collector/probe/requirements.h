// SPDX-License-Identifier: Apache-2.0
//
// The needs of lunscope: of the kernel, and of this process. Each requirement is asked for by name,
// so that the answer can say what to do. Nothing is loaded.
#pragma once

#include <string>
#include <vector>

#include "collector/base/result.h"

namespace lunscope {

struct Requirement {
  std::string name;  // "capabilities", "BTF", "tracepoint tcp_probe"
  bool met;
  ExitCode code;       // how a program ends that cannot go on without it
  std::string detail;  // what was found if met, else what to do
};

// Every requirement, met or not, cheapest first.
std::vector<Requirement> CheckRequirements();

}  // namespace lunscope
