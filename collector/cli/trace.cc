// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/clock.h"
#include "collector/base/output.h"
#include "collector/cli/commands.h"
#include "collector/cli/event_loop.h"
#include "collector/cli/observer.h"
#include "collector/report/summary.h"
#include "collector/report/trace_line.h"

namespace lunscope {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Short enough to look live.
constexpr milliseconds kDrainInterval(50);
// A record comes when its status is read off the socket, and tells when that arrived: by the time
// of a drain, nearly all that is older than this is there.
constexpr uint64_t kSettledNs = 10'000'000;

class Tracer {
 public:
  explicit Tracer(const TraceOptions& options)
      : options_(options), left_(options.count.value_or(std::numeric_limits<uint64_t>::max())) {}

  void Begin() {
    if (!options_.json) Print(TableHeader());
    std::fflush(stdout);
  }

  void Take(const lunscope_event& event, const Model& model) {
    const Connection* connection = model.FindConnection(event.connection);
    if (connection == nullptr) return;
    if (event.kind == LUNSCOPE_EVENT_CONNECTION && (event.flags & LUNSCOPE_FLAG_MIDSTREAM) &&
        announced_.insert(event.connection).second) {
      Say(stderr, "lunscope: the connection {} - {} was open before: its names are unknown\n",
          connection->local, connection->remote);
    }
    if (event.kind != LUNSCOPE_EVENT_COMMAND || left_ == 0) return;
    left_--;
    const auto& command = reinterpret_cast<const lunscope_command_event&>(event);
    const LunIdentity* identity = model.FindIdentity(*connection, command.lun);
    const TracedCommand traced{command, *connection,
                               identity != nullptr ? identity->device_type : kUnknownDeviceType,
                               wall_clock_offset_ns_};
    lines_.emplace_back(command.header.time_ns,
                        options_.json ? JsonObject(traced) : TableRow(traced));
    if (options_.summary) summary_.Add(traced);
  }

  // The lines of what happened before until_ns go out in one piece, and in the order of their
  // times: rings are drained one after the other. False: nobody reads them any more.
  bool Flush(uint64_t until_ns) {
    std::ranges::stable_sort(lines_, {}, &Line::first);
    const auto end = std::ranges::lower_bound(lines_, until_ns, {}, &Line::first);
    for (auto line = lines_.begin(); line != end; ++line) Print(line->second);
    lines_.erase(lines_.begin(), end);
    wall_clock_offset_ns_ = WallClockOffsetNs();
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  }

  [[nodiscard]] bool is_done() const { return left_ == 0; }
  [[nodiscard]] std::string FormatSummary() const { return summary_.Format(); }

 private:
  using Line = std::pair<uint64_t, std::string>;  // time and text

  static void Print(const std::string& line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
  }

  const TraceOptions& options_;
  uint64_t left_;
  int64_t wall_clock_offset_ns_ = WallClockOffsetNs();
  std::vector<Line> lines_;
  std::set<uint64_t> announced_;
  Summary summary_;
};

// How long to wait for more; nothing once the end has come.
milliseconds UntilNextDrain(const TraceOptions& options, steady_clock::time_point start) {
  if (!options.duration_seconds) return kDrainInterval;
  const std::chrono::duration<double> wanted(*options.duration_seconds);
  const auto left = duration_cast<milliseconds>(wanted - (steady_clock::now() - start));
  return std::clamp(left, milliseconds(0), kDrainInterval);
}

}  // namespace

Result<ExitCode> RunTrace(const TraceOptions& options) {
  EventLoop loop;
  Result<std::unique_ptr<Probe>> probe = Probe::Attach(options.probe);
  if (!probe.ok()) return probe.error();
  Observer observer(std::move(probe.value()), ModelOptions{}, options.probe);
  Tracer tracer(options);
  observer.set_listener(
      [&](const lunscope_event& event, const Model& model) { tracer.Take(event, model); });
  Say(stderr, "lunscope: watching {}; Ctrl-C ends\n", PortList(options.probe));
  tracer.Begin();

  loop.Watch(observer.wakeup_fd());
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
  if (tracer.Flush(std::numeric_limits<uint64_t>::max()) && options.summary) {
    // With JSON on standard output the summary must not mix with it.
    Say(options.json ? stderr : stdout, "\n{}", tracer.FormatSummary());
    std::fflush(stdout);
  }
  Say(stderr, "lunscope: {}\n", EndLine(observer.Totals()));
  return ExitCode::kOk;
}

}  // namespace lunscope
