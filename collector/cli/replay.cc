// SPDX-License-Identifier: Apache-2.0
//
// `replay`: a capture file in the place of the probe; what comes behind the records is the same.
#include <fmt/format.h>

#include <cstdio>
#include <iterator>
#include <string>

#include "collector/base/output.h"
#include "collector/base/version.h"
#include "collector/cli/commands.h"
#include "collector/metrics/metrics.h"
#include "collector/model/model.h"
#include "collector/replay/capture_file.h"
#include "collector/replay/connection_table.h"
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
  explicit Replay(const ReplayOptions& options)
      : options_(options),
        tracer_(options, [] { return int64_t{0}; }),  // a capture has the wall clock's time
        watch_{options.watch_initiators, options.watch_targets, options.pdus,
               [this](const lunscope_record& record) { Take(record); }},
        connections_(options.ports, &watch_) {}

  void Run(CaptureFile* capture) {
    if (!options_.metrics) tracer_.Begin();
    TcpSegment segment;
    bool is_read = true;
    while (is_read && !IsDone() && capture->Next(&segment)) {
      connections_.Take(segment);
      if (capture->counts().packets % kPacketsPerFlush == 0)
        is_read = tracer_.Flush(capture->last_time_ns());
    }
    if (is_read && !IsDone()) connections_.GiveUp();
    tracer_.End();
    if (options_.metrics) PrintMetrics(capture->last_time_ns());
  }

  [[nodiscard]] const lunscope_totals& totals() const { return watch_.totals; }

 private:
  void Take(const lunscope_record& record) {
    const Applied applied = model_.Apply(record);
    if (!options_.metrics) tracer_.Take(record, applied);
  }

  [[nodiscard]] bool IsDone() const {
    return options_.count && Reported(watch_.totals) >= *options_.count;
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

  const ReplayOptions& options_;
  Model model_;
  Tracer tracer_;
  Watch watch_;
  ConnectionTable connections_;
};

}  // namespace

Result<ExitCode> RunReplay(const ReplayOptions& options) {
  Result<std::unique_ptr<CaptureFile>> capture = CaptureFile::Open(options.file);
  if (!capture.ok()) return capture.error();
  Replay replay(options);
  replay.Run(capture.value().get());
  Say(stderr, "lunscope: {}; {}\n", EndLine(CountCommands(replay.totals())),
      CaptureLine(capture.value()->counts(), replay.totals()));
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    return Error{ExitCode::kFailure, "cannot write to standard output; what it lacks is lost"};
  Status ended = capture.value()->Ended();
  if (!ended.ok()) return ended.error();
  return ExitCode::kOk;
}

}  // namespace lunscope
