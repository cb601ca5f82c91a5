// SPDX-License-Identifier: Apache-2.0
//
// The subcommands. Each returns the program's exit code, or the error that ends it.
#pragma once

#include "collector/cli/options.h"

namespace lunscope {

Result<ExitCode> RunServe(const ServeOptions& options);
Result<ExitCode> RunTrace(const TraceOptions& options);
Result<ExitCode> RunSessions(const SessionsOptions& options);
Result<ExitCode> RunReplay(const ReplayOptions& options);
ExitCode RunCheck(const CheckOptions& options);
ExitCode RunVersion();

// "1234 commands, 0 lost": of those whose status was seen, how many have no record.
std::string EndLine(const lunscope_totals& totals);
// "port 3260", "ports 3260, 3261"
std::string PortList(const ProbeOptions& options);

}  // namespace lunscope
