// SPDX-License-Identifier: Apache-2.0
//
// The subcommands. Each returns the program's exit code, or the error that ends it.
#pragma once

#include "collector/cli/options.h"
#include "collector/run/command_counts.h"

namespace lunscope {

Result<ExitCode> RunServe(const ServeOptions& options);
Result<ExitCode> RunTrace(const TraceOptions& options);
Result<ExitCode> RunSessions(const SessionsOptions& options);
Result<ExitCode> RunReplay(const ReplayOptions& options);
ExitCode RunCheck(const CheckOptions& options);
Result<ExitCode> RunMetrics(const MetricsOptions& options);
ExitCode RunVersion();

// "port 3260, the SCSI mid-layer"
std::string SourceList(const Sources& sources, const ProbeOptions& options);
// "port 3260", "ports 3260, 3261"
std::string PortList(const ProbeOptions& options);

// A source that is not there is no error: it may come.
void SayMissing(const std::string& missing);

}  // namespace lunscope
