// SPDX-License-Identifier: Apache-2.0
//
// `replay`: a capture file in the place of the probe; what comes behind the records is the same.
#include <fmt/format.h>

#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "collector/base/output.h"
#include "collector/base/version.h"
#include "collector/cli/subcommand.h"
#include "collector/metrics/metrics.h"
#include "collector/model/model.h"
#include "collector/replay/capture_file.h"
#include "collector/replay/connection_table.h"
#include "collector/run/command_counts.h"
#include "collector/run/settings.h"
#include "collector/run/tracer.h"

namespace lunscope {
namespace {

// Lines go out after this many packets: piped on, a long file is seen to move.
constexpr uint64_t kPacketsPerFlush = 4096;

uint64_t Reported(const lunscope_totals& totals) {
  uint64_t commands = 0;
  for (const uint64_t count : totals.commands_reported) commands += count;
  return commands;
}

// "77 packets read, 3 not_ip, 1 gap": with whatever was not followed.
std::string CaptureLine(const CaptureCounts& counts, const lunscope_totals& totals) {
  std::string line = fmt::format("{} packets read", counts.packets);
  const auto add = [&](uint64_t count, const char* what) {
    if (count != 0) fmt::format_to(std::back_inserter(line), ", {} {}", count, what);
  };
  for (size_t kind = 1; kind < kPacketKinds; kind++)
    add(counts.by_kind[kind], kPacketKindNames[kind]);
  add(counts.cut_payloads, "cut by the snap length");
  uint64_t gaps = 0;
  for (const uint64_t count : totals.gaps) gaps += count;
  add(gaps, gaps == 1 ? "gap" : "gaps");
  add(totals.untracked_connections, "of too many connections");
  return line;
}

class Replay {
 public:
  Replay(const LineOptions& lines, const PortOptions& ports, const RoleOptions& role, bool metrics)
      : lines_(lines),
        metrics_(metrics),
        tracer_(lines, [] { return int64_t{0}; }),  // a capture has the wall clock's time
        watch_{role.initiators, role.targets, lines.pdus,
               [this](const lunscope_record& record) { Take(record); }},
        connections_(ports.ports, &watch_) {}

  void Run(CaptureFile* capture) {
    if (!metrics_) tracer_.Begin();
    TcpSegment segment;
    bool is_read = true;
    while (is_read && !IsDone() && capture->Next(&segment)) {
      connections_.Take(segment);
      if (capture->counts().packets % kPacketsPerFlush == 0)
        is_read = tracer_.Flush(capture->last_time_ns());
    }
    if (is_read && !IsDone()) connections_.GiveUp();
    tracer_.End();
    if (metrics_) PrintMetrics(capture->last_time_ns());
  }

  [[nodiscard]] const lunscope_totals& totals() const { return watch_.totals; }

 private:
  void Take(const lunscope_record& record) {
    const Applied applied = model_.Apply(record);
    if (!metrics_) tracer_.Take(record, applied);
  }

  [[nodiscard]] bool IsDone() const {
    return lines_.count && Reported(watch_.totals) >= *lines_.count;
  }

  void PrintMetrics(uint64_t now_ns) {
    Observation observation;
    model_.BeginWalk();
    connections_.Walk([&](const lunscope_record& record) { model_.Apply(record); });
    model_.EndWalk();
    observation.is_offline = true;
    observation.snapshot = model_.TakeSnapshot();
    observation.totals = watch_.totals;
    observation.now_ns = now_ns;
    observation.tracked_commands_limit = LUNSCOPE_TRACKED_COMMANDS;
    observation.version = kVersion;
    observation.revision = kRevision;
    const std::string text = FormatMetrics(observation);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  const LineOptions& lines_;
  const bool metrics_;
  Model model_;
  Tracer tracer_;
  Watch watch_;
  ConnectionTable connections_;
};

class ReplaySubcommand : public Subcommand {
 public:
  OptionList Options() override {
    Option file = TextOption("FILE", "", "A pcap or pcapng file; - is standard input", file_);
    file.form = Option::Form::kPositional;
    Option output =
        WordOption("output", "Lines, or metrics as they are at the end",
                   {"table", "json", "metrics"}, "table", [this](std::string_view form) {
                     lines_.json = form == "json";
                     metrics_ = form == "metrics";
                   });
    output.letter = 'o';
    OptionList options = ports_.Options();
    options.insert(options.begin(), std::move(file));
    for (Option& option : role_.Options("Which end of each connection to stand at"))
      options.push_back(std::move(option));
    options.push_back(std::move(output));
    for (Option& option : lines_.Options()) options.push_back(std::move(option));
    return options;
  }

  [[nodiscard]] Status Check() const override {
    if (metrics_ && (lines_.summary || lines_.pdus)) {
      return Error{ExitCode::kUsage, fmt::format("-o metrics excludes {}, which needs lines",
                                                 lines_.summary ? "--summary" : "--pdu")};
    }
    return lines_.Check();
  }

  Result<ExitCode> Run() override {
    Result<std::unique_ptr<CaptureFile>> capture = CaptureFile::Open(file_);
    if (!capture.ok()) return capture.error();
    Replay replay(lines_, ports_, role_, metrics_);
    replay.Run(capture.value().get());
    Say(stderr, "lunscope: {}; {}\n", EndLine(CountCommands(replay.totals())),
        CaptureLine(capture.value()->counts(), replay.totals()));
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return OutputError();
    Status ended = capture.value()->Ended();
    if (!ended.ok()) return ended.error();
    return ExitCode::kOk;
  }

 private:
  std::string file_;
  PortOptions ports_;
  RoleOptions role_{true, false};
  LineOptions lines_;
  bool metrics_ = false;  // instead of lines
};

}  // namespace

const SubcommandEntry kReplaySubcommand{
    "replay",
    "Show what a capture file tells: the same lines and metrics, without privileges",
    {{"lunscope replay lo.pcapng --role both", "what both ends did, from a capture"},
     {"lunscope replay lo.pcapng --port 3261 -o json", "targets listened on port 3261"},
     {"lunscope replay lo.pcapng -o metrics", "metrics as they are at the end"},
     {"tcpdump -w - port 3260 | lunscope replay -", "read from standard input"}},
    MakeSubcommand<ReplaySubcommand>};

}  // namespace lunscope
