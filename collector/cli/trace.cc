// SPDX-License-Identifier: Apache-2.0
//
// `trace`: each SCSI command, or each PDU, as it completes. With JSON, the rows of a connection
// that is new wait for the names of the process that reads it: mostly a millisecond, at most a
// second.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "collector/base/clock.h"
#include "collector/base/hardening.h"
#include "collector/base/log.h"
#include "collector/cli/subcommand.h"
#include "collector/run/event_loop.h"
#include "collector/run/finding_lines.h"
#include "collector/run/guarded_output.h"
#include "collector/run/live_sources.h"
#include "collector/run/loss_notices.h"
#include "collector/run/privileges.h"
#include "collector/run/redirect_notices.h"
#include "collector/run/settings.h"
#include "collector/run/tracer.h"
#include "collector/run/watcher.h"

namespace lunscope {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

// Short enough to look live.
constexpr milliseconds kTraceInterval(50);
// A record is made when its status is read off the socket, and has the time at which the status
// arrived. At a drain nearly all records of what is older than this are in the rings.
constexpr uint64_t kSettledNs = 10'000'000;

class TraceSubcommand : public Subcommand {
 public:
  OptionList Options() override {
    OptionList options = OptionsOf(watch_, output_, lines_, log_, privileges_);
    options.push_back(DurationOption("duration", "End after this time", 1, UINT64_MAX,
                                     [this](uint64_t ns) { duration_ns_ = ns; }));
    return options;
  }

  [[nodiscard]] Status Check() const override {
    if (Status watched = watch_.Check(); !watched.ok()) return watched;
    if (lines_.pdus && !watch_.sources.iscsi)
      return Error{ExitCode::kUsage, "--pdu is for --source iscsi"};
    if (lines_.columns.phases && !watch_.tuning.measures_phases)
      return Error{ExitCode::kUsage, "--no-phases excludes --phases"};
    return lines_.Check();
  }

  Result<ExitCode> Run() override {
    log_.SetUp();
    HardenProcess();
    lines_.json = output_.json;
    lines_.columns.wire = watch_.sources.joins().midlayer;
    lines_.columns.backend = watch_.sources.joins().target && lines_.columns.phases;
    ProbeOptions probe = watch_.Probe();
    probe.emit_headers = lines_.pdus;
    probe.shows_open = true;
    EventLoop loop;
    GuardOutput();
    Result<SourceList> sources = AttachSources(watch_.sources, probe, privileges_, loop);
    if (!sources.ok()) return sources.error();
    ModelOptions model;
    model.joins = watch_.sources.joins();
    // Only the JSON lines of commands have the process.
    const bool shows_processes = lines_.json && !lines_.pdus;
    Watcher watcher(std::move(sources.value()), model,
                    {std::make_unique<Resolver>(MakeHostReader), shows_processes,
                     [this] { privileges_.GiveUpPrograms(); }});
    LogInfo("watching {}; Ctrl-C ends", watch_.Text());
    SayMissing(watcher);
    Trace(watcher, loop);
    LogInfo("{}", watcher.EndLine());
    return ExitCode::kOk;
  }

 private:
  void Trace(Watcher& watcher, EventLoop& loop) {
    Tracer tracer(lines_, WallClockOffsetNs);
    FindingLines findings(tracer, lines_.findings && !lines_.pdus && watch_.sources.iscsi);
    RedirectNotices notices(watch_.ports.ports);
    watcher.set_listener([&](const lunscope_record& record, const Applied& applied) {
      LogNotice(notices.Take(applied));
      tracer.Take(record, applied);
      findings.Take(record, applied);
    });
    tracer.Begin();
    watcher.Watch(loop);
    const auto start = steady_clock::now();
    const auto take_open = [&](const lunscope_record& record, const Applied& applied) {
      tracer.TakeOpen(record, applied);
    };
    LossNotices losses;
    bool is_read = true;
    while (is_read && !tracer.is_done()) {
      const milliseconds wait = UntilNextDrain(start);
      const EventLoop::Wake wake =
          wait == milliseconds(0) ? EventLoop::Wake::kEnd : loop.Wait(wait);
      if (wake == EventLoop::Wake::kEnd) break;
      if (wake == EventLoop::Wake::kAsk) {
        watcher.ShowOpen(take_open);
        tracer.SayOpen();
      }
      const uint64_t drained_at_ns = MonotonicNs();
      watcher.DrainAfterWakeup();
      LogNotice(losses.Take(watcher.Commands(), drained_at_ns));
      if (findings.IsDue(drained_at_ns)) findings.Look(watcher, drained_at_ns);
      // Rows that wait for names may be older than those that do not.
      if (!watcher.has_waiting()) is_read = tracer.Flush(drained_at_ns - kSettledNs);
    }
    watcher.Finish();
    findings.Look(watcher, MonotonicNs());
    if (!tracer.is_done()) watcher.ShowOpen(take_open);
    tracer.End();
  }

  // How long to wait for more; 0 once the end has come.
  [[nodiscard]] milliseconds UntilNextDrain(steady_clock::time_point start) const {
    if (!duration_ns_) return kTraceInterval;
    const auto passed_ns = static_cast<uint64_t>(nanoseconds(steady_clock::now() - start).count());
    const uint64_t left_ns = *duration_ns_ > passed_ns ? *duration_ns_ - passed_ns : 0;
    const uint64_t interval_ns = nanoseconds(kTraceInterval).count();
    return std::chrono::ceil<milliseconds>(nanoseconds(std::min(left_ns, interval_ns)));
  }

  WatchOptions watch_;
  OutputOptions output_;
  LineOptions lines_;
  LogOptions log_;
  PrivilegeOptions privileges_;
  std::optional<uint64_t> duration_ns_;
};

}  // namespace

const SubcommandEntry kTraceSubcommand{
    "trace",
    "Show each SCSI command as it completes",
    {{"lunscope trace", "show commands as they complete"},
     {"lunscope trace --role target -o json", "as JSON, seen from the target's side only"},
     {"lunscope trace --port 3260 --port 3261 --duration 10s --summary",
      "commands of two ports, and what they took in sum"},
     {"lunscope trace --no-findings", "commands and events alone: no line says what goes wrong"},
     {"lunscope trace --pdu --count 20", "PDUs, with every field of their headers"},
     {"lunscope trace --source iscsi,scsi", "the SCSI layer as well, and the time above the wire"}},
    MakeSubcommand<TraceSubcommand>};

}  // namespace lunscope
