// SPDX-License-Identifier: Apache-2.0
//
// The command line: words become options of a subcommand, and that is run. The one place that knows
// CLI11.
#pragma once

namespace lunscope {

// Returns the program's exit code. Everything there is to say has then been printed.
int RunCommandLine(int argc, const char* const* argv);

}  // namespace lunscope
