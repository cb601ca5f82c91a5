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

// Of the commands whose status was seen, how many have a record, and how many have none.
struct CommandCounts {
  uint64_t reported = 0;
  uint64_t lost = 0;
};
CommandCounts CountCommands(const lunscope_totals& totals);
// "1234 commands, 0 lost"
std::string EndLine(const CommandCounts& counts);
// "port 3260, the SCSI mid-layer"
std::string SourceList(const Sources& sources, const ProbeOptions& options);
// "port 3260", "ports 3260, 3261"
std::string PortList(const ProbeOptions& options);

// A source that is not there is no error: it may come.
void SayMissing(const std::string& missing);

}  // namespace lunscope
