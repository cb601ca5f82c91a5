// SPDX-License-Identifier: Apache-2.0
//
// The command line, parsed: one struct for each subcommand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "collector/base/result.h"
#include "collector/model/model.h"
#include "collector/probe/probe.h"
#include "collector/report/endpoint.h"

namespace lunscope {

struct ServeOptions {
  ProbeOptions probe;
  ModelOptions model;
  ListenAddress listen_address;
  std::string metrics_path;
};

struct TraceOptions {
  ProbeOptions probe;
  bool json = false;
  bool summary = false;
  std::optional<uint64_t> count;  // commands
  std::optional<double> duration_seconds;
};

struct CheckOptions {};
struct VersionOptions {};

using Options = std::variant<ServeOptions, TraceOptions, CheckOptions, VersionOptions>;

// What to do, or the exit code of a program that has said all (--help, a usage error).
std::variant<Options, ExitCode> ParseCommandLine(int argc, char** argv);

}  // namespace lunscope
