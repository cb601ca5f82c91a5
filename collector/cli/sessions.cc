// SPDX-License-Identifier: Apache-2.0
//
// `sessions`: the model is in the process that serves, so that one is asked.
#include <cstdio>

#include "collector/cli/commands.h"
#include "collector/web/client.h"

namespace lunscope {

Result<ExitCode> RunSessions(const SessionsOptions& options) {
  Result<std::string> text =
      Fetch(options.listen_address, options.json ? kSessionsPath : kSessionsTablePath);
  if (!text.ok()) return text.error();
  std::fwrite(text.value().data(), 1, text.value().size(), stdout);
  if (std::fflush(stdout) != 0)
    return Error{ExitCode::kFailure, "cannot write to standard output; what it lacks is lost"};
  return ExitCode::kOk;
}

}  // namespace lunscope
