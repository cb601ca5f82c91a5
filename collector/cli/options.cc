// SPDX-License-Identifier: Apache-2.0
#include "collector/cli/options.h"
#include "collector/base/output.h"

#include <fmt/format.h>
#include <lunscope/command.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <optional>
#include <vector>

namespace lunscope {
namespace {

constexpr const char* kDescription =
    "lunscope sees every SCSI command that this host sends or serves over iSCSI, from inside the "
    "kernel.";
constexpr const char* kExamples =
    "Examples:\n"
    "  lunscope check                             can this host run it?\n"
    "  lunscope trace                             show commands as they complete\n"
    "  lunscope trace --role target -o json       as JSON, seen from the target's side only\n"
    "  lunscope trace --port 3260 --port 3261 --duration 10 --summary\n"
    "  lunscope trace --pdu --count 20            PDUs, with every field of their headers\n"
    "  lunscope trace --source iscsi,scsi         the SCSI layer as well, and time above the wire\n"
    "  lunscope sessions                          which sessions `lunscope serve` sees\n"
    "  lunscope replay lo.pcapng --role both      what a capture tells; needs no privileges\n"
    "  lunscope serve                             metrics on http://127.0.0.1:13260/metrics\n"
    "  lunscope serve --web.listen-address [::]:13260\n"
    "Exit codes: 0 done, 1 failed, 2 usage, 3 the kernel lacks something, 4 not permitted.";

constexpr uint32_t kMinRingBytes = 4096;
constexpr uint32_t kMaxRingBytes = 1U << 30;

// What CLI11 fills in and the options do not hold as it is.
struct Raw {
  std::vector<uint16_t> ports;
  std::vector<std::string> sources = {"iscsi"};
  std::string role = "both";
  std::string output = "table";
  std::string replay_role = "initiator";
  std::string replay_output = "table";
  std::string mode = "records";
  std::optional<double> slow_seconds;
  std::string listen_address = "127.0.0.1:13260";
  std::string metrics_path = "/metrics";
};

const CLI::Validator kPowerOfTwo(
    [](const std::string& text) {
      uint32_t value = 0;
      const bool fits = CLI::detail::lexical_cast(text, value) && std::has_single_bit(value) &&
                        value >= kMinRingBytes && value <= kMaxRingBytes;
      return fits ? std::string() : "must be a power of two from 4096 to 1073741824";
    },
    "POWER OF TWO");

void AddPorts(CLI::App* command, Raw& raw) {
  command
      ->add_option("--port", raw.ports,
                   "TCP port that targets listen on; may be given again (default: 3260)")
      ->check(CLI::Range(1, 65535))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
}

void AddOutput(CLI::App* command, Raw& raw, const char* help) {
  command->add_option("-o,--output", raw.output, help)
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
}

void AddLineOptions(CLI::App* command, LineOptions& lines) {
  command->add_option("--count", lines.count, "End after this many commands (PDUs with --pdu)")
      ->check(CLI::PositiveNumber);
  CLI::Option* summary =
      command->add_flag("--summary", lines.summary,
                        "At the end: commands by name, with bytes, errors and latency quantiles");
  command
      ->add_flag("--pdu", lines.pdus,
                 "A JSON object for each PDU with every field of its header, instead of commands")
      ->excludes(summary);
}

void AddProbeOptions(CLI::App* command, Raw& raw, ProbeOptions& probe) {
  command
      ->add_option(
          "--source", raw.sources,
          "Where to watch commands: iscsi (PDUs of TCP connections), scsi (the kernel's SCSI "
          "mid-layer, over any transport), target (LIO, over any fabric)")
      ->delimiter(',')
      ->check(CLI::IsMember({"iscsi", "scsi", "target"}))
      ->capture_default_str();
  AddPorts(command, raw);
  command->add_option("--role", raw.role, "Which end of a connection to watch on this host")
      ->check(CLI::IsMember({"initiator", "target", "both"}))
      ->capture_default_str();
  command
      ->add_option("--ring-size", probe.ring_bytes,
                   "Bytes of each ring buffer (one per CPU, up to 8), a power of two")
      ->check(kPowerOfTwo)
      ->capture_default_str();
  command
      ->add_option("--inflight", probe.inflight_limit,
                   "Commands in flight that are tracked per connection")
      ->check(CLI::Range(1, LUNSCOPE_TRACKED_COMMANDS))
      ->capture_default_str();
  command->add_flag("!--no-header-digests", probe.check_header_digests,
                    "Do not compute the CRC of headers that have a digest");
}

Sources FinishSources(const Raw& raw) {
  const auto has = [&](const char* name) {
    return std::ranges::find(raw.sources, name) != raw.sources.end();
  };
  return {has("iscsi"), has("scsi"), has("target")};
}

void FinishProbeOptions(const Raw& raw, ProbeOptions& probe) {
  if (!raw.ports.empty()) probe.ports = raw.ports;
  probe.watch_initiators = raw.role != "target";
  probe.watch_targets = raw.role != "initiator";
}

void AddListenAddress(CLI::App* command, Raw& raw, const char* help) {
  command->add_option("--web.listen-address", raw.listen_address, help)->capture_default_str();
}

CLI::App* AddServe(CLI::App& app, Raw& raw, ServeOptions& serve) {
  CLI::App* command = app.add_subcommand("serve", "Serve Prometheus metrics until interrupted");
  AddProbeOptions(command, raw, serve.probe);
  AddListenAddress(command, raw, "HOST:PORT to serve on");
  command->add_option("--web.telemetry-path", raw.metrics_path, "Path of the metrics")
      ->check([](const std::string& path) {
        return path.starts_with('/') && path.size() > 1 ? "" : "must begin with / and be no /";
      })
      ->capture_default_str();
  command
      ->add_option("--mode", raw.mode,
                   "records: a record for each command; aggregate: commands are added up in the "
                   "kernel, and only what fails or is slow has a record")
      ->check(CLI::IsMember({"records", "aggregate"}))
      ->capture_default_str();
  command
      ->add_option("--slow", raw.slow_seconds,
                   "With --mode aggregate: seconds from which on a command is slow")
      ->check(CLI::Range(0.000001, 3600.0))
      ->default_str("1");
  command
      ->add_option("--max-label-sets", serve.model.max_label_sets,
                   "Targets, LUNs and LUN-operation pairs that get series of their own")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  return command;
}

CLI::App* AddTrace(CLI::App& app, Raw& raw, TraceOptions& trace) {
  CLI::App* command = app.add_subcommand("trace", "Show each SCSI command as it completes");
  AddProbeOptions(command, raw, trace.probe);
  AddOutput(command, raw, "Form of the lines");
  AddLineOptions(command, trace);
  command->add_option("--duration", trace.duration_seconds, "End after this many seconds")
      ->check(CLI::PositiveNumber);
  return command;
}

CLI::App* AddSessions(CLI::App& app, Raw& raw) {
  CLI::App* command = app.add_subcommand(
      "sessions", "List the sessions that a running `lunscope serve` sees, with their parameters");
  AddListenAddress(command, raw, "HOST:PORT that it serves on");
  AddOutput(command, raw, "Form of the list");
  return command;
}

CLI::App* AddReplay(CLI::App& app, Raw& raw, ReplayOptions& replay) {
  CLI::App* command = app.add_subcommand(
      "replay", "Show what a capture file tells: the same lines and metrics, without privileges");
  command->add_option("FILE", replay.file, "A pcap or pcapng file; - is standard input")
      ->required();
  AddPorts(command, raw);
  command->add_option("--role", raw.replay_role, "Which end of each connection to stand at")
      ->check(CLI::IsMember({"initiator", "target", "both"}))
      ->capture_default_str();
  command->add_option("-o,--output", raw.replay_output, "Lines, or metrics as they are at the end")
      ->check(CLI::IsMember({"table", "json", "metrics"}))
      ->capture_default_str();
  AddLineOptions(command, replay);
  return command;
}

CLI::App* AddCheck(CLI::App& app, Raw& raw) {
  CLI::App* command = app.add_subcommand(
      "check", "Say what this host has and lacks for lunscope, and what cannot be seen on it");
  AddPorts(command, raw);
  AddOutput(command, raw, "Form of the findings");
  return command;
}

CLI::App* AddMetrics(CLI::App& app, Raw& raw) {
  CLI::App* command = app.add_subcommand(
      "metrics", "List all metrics, with their labels and what each value means");
  AddOutput(command, raw, "Form of the list");
  return command;
}

// Fills in the address that was given, or says why it is none.
std::optional<ExitCode> FinishListenAddress(const Raw& raw, ListenAddress& listen_address) {
  Result<ListenAddress> address = ListenAddress::Parse(raw.listen_address);
  if (!address.ok()) {
    Say(stderr, "lunscope: {}\n", address.error().message);
    return address.error().code;
  }
  listen_address = address.value();
  return std::nullopt;
}

// How commands are counted; or why not so.
std::optional<ExitCode> FinishMode(const Raw& raw, ServeOptions& serve) {
  serve.probe.aggregates_commands = raw.mode == "aggregate";
  if (raw.slow_seconds)
    serve.probe.slow_command_ns = static_cast<uint64_t>(*raw.slow_seconds * 1e9);
  if (!serve.probe.aggregates_commands && raw.slow_seconds) {
    Say(stderr, "lunscope: --slow goes with --mode aggregate; else every command has a record\n");
    return ExitCode::kUsage;
  }
  if (!serve.probe.aggregates_commands || !serve.sources.midlayer) return std::nullopt;
  Say(stderr,
      "lunscope: --mode aggregate does not go with --source scsi, which looks for each command on "
      "the wire\n");
  return ExitCode::kUsage;
}

std::variant<Options, ExitCode> FinishReplay(const Raw& raw, ReplayOptions& replay) {
  if (!raw.ports.empty()) replay.ports = raw.ports;
  replay.watch_initiators = raw.replay_role != "target";
  replay.watch_targets = raw.replay_role != "initiator";
  replay.json = raw.replay_output == "json";
  replay.metrics = raw.replay_output == "metrics";
  if (replay.metrics && (replay.summary || replay.pdus)) {
    Say(stderr, "lunscope: {} goes with -o table and -o json, not with -o metrics\n",
        replay.summary ? "--summary" : "--pdu");
    return ExitCode::kUsage;
  }
  return Options(replay);
}

// CLI11 does not name a word that it took for a subcommand and does not know.
ExitCode UsageError(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const bool lacks_subcommand =
      dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && app.get_subcommands().empty();
  const std::string first = argc > 1 ? argv[1] : "";
  const std::string what = lacks_subcommand && !first.empty() && !first.starts_with('-')
                               ? fmt::format("there is no subcommand '{}'", first)
                               : error.what();
  Say(stderr, "lunscope: {}; 'lunscope --help' shows how it is used\n", what);
  return ExitCode::kUsage;
}

}  // namespace

std::variant<Options, ExitCode> ParseCommandLine(int argc, char** argv) {
  CLI::App app(kDescription, "lunscope");
  app.footer(kExamples);
  app.require_subcommand(1);
  Raw raw;
  ServeOptions serve;
  TraceOptions trace;
  ReplayOptions replay;
  const CLI::App* serve_command = AddServe(app, raw, serve);
  const CLI::App* trace_command = AddTrace(app, raw, trace);
  const CLI::App* sessions_command = AddSessions(app, raw);
  const CLI::App* replay_command = AddReplay(app, raw, replay);
  const CLI::App* check_command = AddCheck(app, raw);
  const CLI::App* metrics_command = AddMetrics(app, raw);
  app.add_subcommand("version", "Print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help
      app.exit(error);
      return ExitCode::kOk;
    }
    return UsageError(app, error, argc, argv);
  }
  if (serve_command->parsed()) {
    FinishProbeOptions(raw, serve.probe);
    serve.sources = FinishSources(raw);
    serve.metrics_path = raw.metrics_path;
    if (auto code = FinishMode(raw, serve)) return *code;
    if (auto code = FinishListenAddress(raw, serve.listen_address)) return *code;
    return Options(serve);
  }
  if (sessions_command->parsed()) {
    SessionsOptions sessions{{}, raw.output == "json"};
    if (auto code = FinishListenAddress(raw, sessions.listen_address)) return *code;
    return Options(sessions);
  }
  if (trace_command->parsed()) {
    FinishProbeOptions(raw, trace.probe);
    trace.sources = FinishSources(raw);
    trace.joins_layers = trace.sources.iscsi && trace.sources.midlayer;
    trace.json = raw.output == "json";
    return Options(trace);
  }
  if (replay_command->parsed()) return FinishReplay(raw, replay);
  if (check_command->parsed()) {
    CheckOptions check;
    if (!raw.ports.empty()) check.ports = raw.ports;
    check.json = raw.output == "json";
    return Options(check);
  }
  if (metrics_command->parsed()) return Options(MetricsOptions{raw.output == "json"});
  return Options(VersionOptions{});
}

}  // namespace lunscope
