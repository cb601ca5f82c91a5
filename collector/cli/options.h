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
#include "collector/report/endpoint.h"

namespace lunscope {

// Where commands are watched.
struct Sources {
  bool iscsi = true;
  bool midlayer = false;
  bool target = false;

  [[nodiscard]] bool has_layers() const { return midlayer || target; }
};

struct ServeOptions {
  Sources sources;
  ProbeOptions probe;
  ModelOptions model;
  ListenAddress listen_address;
  std::string metrics_path;
};

// What is shown of commands, and of how many.
struct LineOptions {
  bool json = false;
  bool pdus = false;  // a JSON object for each PDU, instead of lines for commands
  bool summary = false;
  bool joins_layers = false;      // rows show the time above the wire
  std::optional<uint64_t> count;  // commands, or PDUs
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
struct VersionOptions {};

using Options = std::variant<ServeOptions, TraceOptions, SessionsOptions, ReplayOptions,
                             CheckOptions, VersionOptions>;

// What to do, or the exit code of a program that has said all (--help, a usage error).
std::variant<Options, ExitCode> ParseCommandLine(int argc, char** argv);

}  // namespace lunscope
