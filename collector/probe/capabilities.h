// SPDX-License-Identifier: Apache-2.0
//
// The capabilities of this process that lunscope uses.
#pragma once

#include <string>
#include <vector>

namespace lunscope {

// Whether a capability, like CAP_BPF, is in effect for this process.
bool HasCapability(int capability);

// The names of the capabilities that some part of lunscope needs: those that this process holds,
// and those that it lacks.
struct Capabilities {
  std::vector<std::string> held;
  std::vector<std::string> missing;
};
Capabilities ReadCapabilities();

}  // namespace lunscope
