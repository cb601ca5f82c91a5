// SPDX-License-Identifier: Apache-2.0
//
// The composition root: options in, a subcommand run, an exit code out.
#include <fmt/format.h>

#include <cstdio>

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
  Result<ExitCode> operator()(const lunscope::CheckOptions&) { return lunscope::RunCheck(); }
  Result<ExitCode> operator()(const lunscope::VersionOptions&) { return lunscope::RunVersion(); }
};

}  // namespace

int main(int argc, char** argv) {
  auto parsed = lunscope::ParseCommandLine(argc, argv);
  if (const auto* code = std::get_if<ExitCode>(&parsed)) return static_cast<int>(*code);
  Result<ExitCode> result = std::visit(Run{}, std::get<lunscope::Options>(parsed));
  if (result.ok()) return static_cast<int>(result.value());
  fmt::print(stderr, "lunscope: {}\n", result.error().message);
  return static_cast<int>(result.error().code);
}
