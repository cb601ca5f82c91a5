// SPDX-License-Identifier: Apache-2.0
//
// The version of the program in a line: for the subcommand, and for the switch.
#pragma once

#include <string>

namespace lunscope {

// "lunscope 0.1.0 (revision 0123456789ab, libbpf 1.1)"
std::string VersionText();

}  // namespace lunscope
