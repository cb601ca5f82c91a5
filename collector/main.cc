// SPDX-License-Identifier: Apache-2.0
//
// The composition root: options in, a subcommand run, an exit code out.
#include <cstdio>
#include <exception>

#include "collector/base/output.h"
#include "collector/cli/commands.h"

namespace {

using lunscope::ExitCode;
using lunscope::Result;

struct Run {
  Result<ExitCode> operator()(const lunscope::ServeOptions& options) {
    return lunscope::RunServe(options);
  }
  Result<ExitCode> operator()(const lunscope::TraceOptions& options) {
    return lunscope::RunTrace(options);
  }
  Result<ExitCode> operator()(const lunscope::SessionsOptions& options) {
    return lunscope::RunSessions(options);
  }
  Result<ExitCode> operator()(const lunscope::ReplayOptions& options) {
    return lunscope::RunReplay(options);
  }
  Result<ExitCode> operator()(const lunscope::CheckOptions& options) {
    return lunscope::RunCheck(options);
  }
  Result<ExitCode> operator()(const lunscope::MetricsOptions& options) {
    return lunscope::RunMetrics(options);
  }
  Result<ExitCode> operator()(const lunscope::VersionOptions&) { return lunscope::RunVersion(); }
};

int Main(int argc, char** argv) {
  auto parsed = lunscope::ParseCommandLine(argc, argv);
  if (const auto* code = std::get_if<ExitCode>(&parsed)) return static_cast<int>(*code);
  Result<ExitCode> result = std::visit(Run{}, std::get<lunscope::Options>(parsed));
  if (result.ok()) return static_cast<int>(result.value());
  lunscope::Say(stderr, "lunscope: {}\n", result.error().message);
  return static_cast<int>(result.error().code);
}

}  // namespace

// Our own functions throw nothing; what remains is memory that cannot be had.
int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "lunscope: %s\n", exception.what());
    return static_cast<int>(ExitCode::kFailure);
  }
}
