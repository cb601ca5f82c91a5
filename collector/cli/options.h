// SPDX-License-Identifier: Apache-2.0
//
// The command line, parsed: one struct for each subcommand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "collector/base/result.h"
#include "collector/model/model.h"
#include "collector/probe/probe.h"
#include "collector/run/settings.h"
#include "collector/web/endpoint.h"

namespace lunscope {

struct ServeOptions {
  Sources sources;
  ProbeOptions probe;
  ModelOptions model;
  ListenAddress listen_address;
  std::string metrics_path;
};

struct TraceOptions : LineOptions {
  Sources sources;
  ProbeOptions probe;
  std::optional<double> duration_seconds;
};

struct ReplayOptions : LineOptions {
  std::string file;
  bool metrics = false;  // instead of lines
  std::vector<uint16_t> ports = {ISCSI_DEFAULT_PORT};
  bool watch_initiators = true;
  bool watch_targets = false;
};

struct SessionsOptions {
  ListenAddress listen_address;  // of `lunscope serve`
  bool json = false;
};

struct CheckOptions {
  std::vector<uint16_t> ports = {ISCSI_DEFAULT_PORT};
  bool json = false;
};
struct MetricsOptions {
  bool json = false;
};

struct VersionOptions {};

using Options = std::variant<ServeOptions, TraceOptions, SessionsOptions, ReplayOptions,
                             CheckOptions, MetricsOptions, VersionOptions>;

// What to do, or the exit code of a program that has said all (--help, a usage error).
std::variant<Options, ExitCode> ParseCommandLine(int argc, char** argv);

}  // namespace lunscope
