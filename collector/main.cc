// SPDX-License-Identifier: Apache-2.0
//
// The program: a command line in, an exit code out.
#include <cstdio>
#include <exception>

#include "collector/base/last_words.h"
#include "collector/base/result.h"
#include "collector/cli/command_line.h"

// Our own functions throw nothing. The library throws when memory runs out.
int main(int argc, char** argv) {
  lunscope::SetLastWords();
  try {
    return lunscope::RunCommandLine(argc, argv);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "lunscope: %s\n", exception.what());
    return static_cast<int>(lunscope::ExitCode::kFailure);
  }
}
