// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>

#include "collector/base/clock.h"
#include "collector/base/output.h"
#include "collector/cli/commands.h"
#include "collector/lines/session_list.h"
#include "collector/metrics/metrics.h"
#include "collector/run/event_loop.h"
#include "collector/run/observer.h"

namespace lunscope {
namespace {

// A ring holds some 20,000 commands and wakes us at a quarter of that; the timer only bounds how
// old an idle host's last records get.
constexpr std::chrono::milliseconds kDrainInterval(1000);

std::vector<Page> SessionPages(Observer& observer) {
  const auto json = [](const Model& model) { return SessionsJson(model, WallClockOffsetNs()); };
  const auto table = [](const Model& model) { return SessionsTable(model, WallClockOffsetNs()); };
  return {{kSessionsPath, "application/json", [&observer, json] { return observer.Render(json); }},
          {kSessionsTablePath, "text/plain; charset=utf-8",
           [&observer, table] { return observer.Render(table); }}};
}

}  // namespace

Result<ExitCode> RunServe(const ServeOptions& options) {
  EventLoop loop;
  Result<std::unique_ptr<Observer>> started =
      Observer::Start(options.sources, options.model, options.probe);
  if (!started.ok()) return started.error();
  Observer& observer = *started.value();
  Result<std::unique_ptr<Endpoint>> endpoint = Endpoint::Start(
      options.listen_address, options.metrics_path,
      [&] { return FormatScrape(observer.Observe()); }, SessionPages(observer));
  if (!endpoint.ok()) return endpoint.error();
  Say(stderr, "lunscope: serving {}, watching {}; Ctrl-C ends\n",
      options.listen_address.Url(options.metrics_path), SourceList(options.sources, options.probe));
  SayMissing(observer.Missing());

  observer.Watch(loop);
  while (loop.Wait(kDrainInterval) != EventLoop::Wake::kEnd) observer.DrainAfterWakeup();
  observer.Drain();
  Say(stderr, "lunscope: {}\n", observer.EndLine());
  return ExitCode::kOk;
}

}  // namespace lunscope
