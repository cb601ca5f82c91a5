// SPDX-License-Identifier: Apache-2.0
//
// Settings of a run: it watches and shows what somebody chose by a command line, a file, a test.
// Each struct is a group of options. It holds the values, binds the options that set them, and
// checks what no option can check alone. A subcommand has the groups that it needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/base/log.h"
#include "collector/base/result.h"
#include "collector/lines/trace_line.h"
#include "collector/model/layers.h"
#include "collector/probe/probe.h"
#include "collector/run/option.h"
#include "collector/web/client.h"
#include "collector/web/listen_address.h"

namespace lunscope {

struct PortOptions {
  std::vector<uint16_t> ports = {ISCSI_DEFAULT_PORT};

  OptionList Options();
  // "port 3260", "ports 3260, 3261"
  [[nodiscard]] std::string Text() const;
};

// Which ends of a connection are watched: live, those on this host.
struct RoleOptions {
  bool initiators = true;
  bool targets = true;

  OptionList Options(std::string help = "Which end of a connection to watch on this host");
};

// Where commands are watched.
struct Sources {
  bool iscsi = true;
  bool midlayer = false;
  bool target = false;

  OptionList Options();
  [[nodiscard]] bool has_layers() const { return midlayer || target; }
  // Whose commands are looked for on the wire.
  [[nodiscard]] Joins joins() const { return {iscsi && midlayer, iscsi && target}; }
};

// Limits and switches of the programs in the kernel.
struct ProbeTuning {
  uint32_t ring_bytes = ProbeOptions().ring_bytes;
  uint64_t connection_memory = ProbeOptions().connection_memory;
  uint32_t inflight_limit = ProbeOptions().inflight_limit;
  bool check_header_digests = true;
  bool measures_phases = true;

  OptionList Options();
};

// All that says what to watch on a live host.
struct WatchOptions {
  Sources sources;
  PortOptions ports;
  RoleOptions role;
  ProbeTuning tuning;
  std::string connection_option;  // that was given, of those about TCP connections; "" if none was

  OptionList Options();
  [[nodiscard]] Status Check() const;
  [[nodiscard]] ProbeOptions Probe() const;
  // "port 3260, the SCSI mid-layer"
  [[nodiscard]] std::string Text() const;
};

// How commands leave the kernel.
struct CountingOptions {
  bool aggregates_commands = false;
  std::optional<uint64_t> slow_ns;  // from here on a command is slow

  OptionList Options();
  [[nodiscard]] Status Check(const Sources& sources) const;
};

// The sentences on standard error.
struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kPlain;

  OptionList Options();
  void SetUp() const { SetUpLog(level, format); }
};

// Which lines are shown, and how many.
struct LineOptions {
  bool json = false;
  bool pdus = false;     // a line for each PDU, instead of lines for commands
  bool events = true;    // lines for what is no command, beside those for commands
  bool findings = true;  // lines for these, beside those for commands
  bool summary = false;
  bool is_summary_by_lun = false;
  TableColumns columns;           // on request
  std::optional<uint64_t> count;  // commands, or PDUs

  OptionList Options();
  [[nodiscard]] Status Check() const;
};

// A table for people or JSON for programs.
struct OutputOptions {
  bool json = false;

  OptionList Options(std::string help = "Form of the lines");
};

// Where `serve` has its endpoint, for those who ask it as well.
struct AddressOptions {
  std::vector<ListenAddress> addresses = {{"127.0.0.1", 13260, ""}};

  // Only `serve` takes more than one.
  OptionList Options(Option::Form form = Option::Form::kValue,
                     std::string help = "HOST:PORT or unix:PATH that it serves on");
};

// How to read pages of a `serve`.
struct ClientOptions {
  AddressOptions server;
  bool tls = false;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string user_file;

  OptionList Options();
  [[nodiscard]] Status Check() const;
  // The error (kUsage) says which file cannot be read.
  [[nodiscard]] Result<FetchOptions> Request() const;
};

struct WebOptions {
  AddressOptions listen;
  std::string config_file;  // "": none
  std::string metrics_path = "/metrics";
  std::vector<std::string> allowed_hosts;

  OptionList Options();
  // "http://127.0.0.1:13260/metrics, unix:/run/lunscope.sock /metrics"
  [[nodiscard]] std::string Urls(bool has_tls) const;
};

}  // namespace lunscope
