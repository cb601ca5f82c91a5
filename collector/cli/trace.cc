// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "collector/base/clock.h"
#include "collector/base/output.h"
#include "collector/cli/commands.h"
#include "collector/run/event_loop.h"
#include "collector/run/observer.h"
#include "collector/run/tracer.h"

namespace lunscope {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Short enough to look live.
constexpr milliseconds kTraceInterval(50);
// A record comes when its status is read off the socket, and tells when that arrived: by the time
// of a drain, nearly all that is older than this is there.
constexpr uint64_t kSettledNs = 10'000'000;

// How long to wait for more; nothing once the end has come.
milliseconds UntilNextDrain(const TraceOptions& options, steady_clock::time_point start) {
  if (!options.duration_seconds) return kTraceInterval;
  const std::chrono::duration<double> wanted(*options.duration_seconds);
  const auto left = duration_cast<milliseconds>(wanted - (steady_clock::now() - start));
  return std::clamp(left, milliseconds(0), kTraceInterval);
}

}  // namespace

Result<ExitCode> RunTrace(const TraceOptions& options) {
  EventLoop loop;
  ProbeOptions probe_options = options.probe;
  probe_options.emit_headers = options.pdus;
  Result<std::unique_ptr<Observer>> started =
      Observer::Start(options.sources, ModelOptions{}, probe_options);
  if (!started.ok()) return started.error();
  Observer& observer = *started.value();
  Tracer tracer(options, WallClockOffsetNs);
  observer.set_listener(
      [&](const lunscope_record& record, const Applied& applied) { tracer.Take(record, applied); });
  Say(stderr, "lunscope: watching {}; Ctrl-C ends\n", SourceList(options.sources, options.probe));
  SayMissing(observer.Missing());
  tracer.Begin();

  observer.Watch(loop);
  const auto start = steady_clock::now();
  bool is_read = true;
  while (is_read && !tracer.is_done()) {
    const milliseconds wait = UntilNextDrain(options, start);
    if (wait == milliseconds(0) || loop.Wait(wait) == EventLoop::Wake::kEnd) break;
    const uint64_t drained_at_ns = MonotonicNs();
    observer.DrainAfterWakeup();
    is_read = tracer.Flush(drained_at_ns - kSettledNs);
  }
  observer.Drain();
  tracer.End();
  Say(stderr, "lunscope: {}\n", observer.EndLine());
  return ExitCode::kOk;
}

}  // namespace lunscope
