// SPDX-License-Identifier: Apache-2.0
//
// `serve`: metrics for Prometheus, and the sessions, over HTTP.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/clock.h"
#include "collector/base/hardening.h"
#include "collector/base/log.h"
#include "collector/cli/subcommand.h"
#include "collector/lines/event_line.h"
#include "collector/lines/session_list.h"
#include "collector/metrics/metrics.h"
#include "collector/run/event_log.h"
#include "collector/run/event_loop.h"
#include "collector/run/event_notices.h"
#include "collector/run/finding_log.h"
#include "collector/run/guarded_output.h"
#include "collector/run/live_sources.h"
#include "collector/run/loss_notices.h"
#include "collector/run/privileges.h"
#include "collector/run/profile_options.h"
#include "collector/run/redirect_notices.h"
#include "collector/run/service_manager.h"
#include "collector/run/settings.h"
#include "collector/run/watcher.h"
#include "collector/web/endpoint.h"

namespace lunscope {
namespace {

// A ring holds some 20,000 commands and wakes this process at a quarter of that. The timer only
// limits how old the last records of an idle host get.
constexpr std::chrono::milliseconds kDrainInterval(1000);
constexpr uint64_t kMaxLabelSets = 1'000'000;

constexpr const char* kJson = "application/json";
constexpr const char* kText = "text/plain; charset=utf-8";

// The events and findings of the run: where they can be read, and what is said of them.
struct Happenings {
  Happenings(LogLevel level, const PortOptions& ports) : notices(level), redirects(ports.ports) {}

  EventLog log;
  EventNotices notices;
  RedirectNotices redirects;
  std::unique_ptr<FindingLog> findings;  // none: nobody looks for them

  void Take(const lunscope_record& record, const Applied& applied) {
    LogNotice(redirects.Take(applied));
    if (findings) findings->Take(record, applied);
    const std::optional<Event> event = EventOf(record, applied);
    if (!event) return;
    log.Take(*event, WallClockOffsetNs());
    notices.Take(*event, MonotonicNs());
  }
  [[nodiscard]] EventCounts counts() const {
    EventCounts counts = log.counts();
    counts.unsaid = notices.unsaid();
    return counts;
  }
  // Behind a drain.
  void Look(Watcher& watcher, uint64_t now_ns) const {
    if (!findings || !findings->IsDue(now_ns)) return;
    watcher.Visit([&](const Model& model) { findings->Look(model, MonotonicNs()); });
  }
  void Say(uint64_t now_ns, bool is_end = false) {
    SayDue(notices, now_ns, is_end);
    if (findings) SayDue(findings->notices(), now_ns, is_end);
  }
};

void AddPages(std::vector<Page>& pages, const FindingLog& findings) {
  pages.push_back(
      {kFindingsPath, kText, [&findings] { return findings.Text(WallClockOffsetNs()); }});
  pages.push_back(
      {kFindingsJsonPath, kJson, [&findings] { return findings.Json(WallClockOffsetNs()); }});
}

std::vector<Page> PagesOf(Watcher& watcher, const Happenings& happenings) {
  const EventLog& events = happenings.log;
  const auto json = [](const Model& model) { return SessionsJson(model, WallClockOffsetNs()); };
  const auto table = [](const Model& model) { return SessionsTable(model, WallClockOffsetNs()); };
  std::vector<Page> pages = {
      {kSessionsPath, kJson, [&watcher, json] { return watcher.Render(json); }},
      {kSessionsTablePath, kText, [&watcher, table] { return watcher.Render(table); }},
      {kEventsPath, kText,
       [&] {
         watcher.Drain();
         return events.Rows(WallClockNs());
       }},
      {kEventsJsonPath, kJson, [&] {
         watcher.Drain();
         return events.Json();
       }}};
  if (happenings.findings) AddPages(pages, *happenings.findings);
  return pages;
}

std::string Scrape(Watcher& watcher, const EndpointCounts& counts, const Happenings& happenings) {
  Observation observation = watcher.Observe();
  observation.cut_clients = counts.cut_clients;
  std::ranges::copy(counts.refused, observation.refused_requests.begin());
  observation.events = happenings.counts();
  if (happenings.findings) observation.findings = happenings.findings->Observe(MonotonicNs());
  return FormatScrape(observation);
}

// SIGHUP: certificates and passwords change without a gap in what is watched.
void Reload(Access& access, ServiceManager& manager) {
  manager.Reloading(MonotonicNs());
  Status reloaded = access.Reload();
  if (reloaded.ok()) {
    LogInfo("{}", access.has_file() ? "the web configuration is read again"
                                    : "there is no web configuration to read again");
  } else {
    Log(LogLevel::kError,
        fmt::format("the web configuration stays as it was: {}", reloaded.error().message));
  }
  manager.Ready();
}

class ServeSubcommand : public Subcommand {
 public:
  OptionList Options() override {
    OptionList options = OptionsOf(watch_, web_, counting_, profile_, log_, privileges_);
    Option series = NumberOption(
        "max-label-sets",
        "Targets, LUNs and LUN-operation pairs with their own series; so many sessions, too", 1,
        kMaxLabelSets, [this](uint64_t sets) { model_.max_label_sets = sets; });
    series.default_text = fmt::to_string(model_.max_label_sets);
    options.push_back(std::move(series));
    options.push_back(SwitchOption("no-diagnosis", "Look for no findings", has_no_diagnosis_));
    return options;
  }

  [[nodiscard]] Status Check() const override {
    if (Status watched = watch_.Check(); !watched.ok()) return watched;
    if (Status counted = counting_.Check(watch_.sources); !counted.ok()) return counted;
    return profile_.Check(watch_.sources, counting_);
  }

  Result<ExitCode> Run() override {
    log_.SetUp();
    HardenProcess();
    ServiceManager manager;
    Result<std::shared_ptr<Access>> access = Access::Load(web_.config_file);
    if (!access.ok()) return access.error();
    // Without a web configuration there is nothing to read again, and SIGHUP ends, as for any
    // program of a terminal. A service manager's `reload` must not.
    const bool reloads = !web_.config_file.empty() || manager.is_there();
    EventLoop loop(reloads ? EventLoop::HangUp::kReloads : EventLoop::HangUp::kEnds);
    GuardOutput(!reloads);
    Result<std::vector<Listener>> listeners = Listener::OpenAll(web_.listen.addresses);
    if (!listeners.ok()) return listeners.error();
    const bool has_socket_file =
        std::ranges::any_of(web_.listen.addresses, &ListenAddress::is_unix);
    Result<SourceList> sources =
        AttachSources(watch_.sources, Probe(), privileges_, loop, has_socket_file);
    if (!sources.ok()) return sources.error();
    model_.profiles = profile_.profiles;
    model_.joins = watch_.sources.joins();
    Watcher watcher(std::move(sources.value()), model_,
                    {std::make_unique<Resolver>(MakeHostReader), false,
                     [this] { privileges_.GiveUpPrograms(); }});
    Happenings happenings(log_.level, watch_.ports);
    happenings.findings = MakeFindingLog();
    watcher.set_listener([&](const lunscope_record& record, const Applied& applied) {
      happenings.Take(record, applied);
    });
    EndpointCounts counts;
    Result<std::unique_ptr<Endpoint>> endpoint =
        Endpoint::Start({.listeners = std::move(listeners.value()),
                         .metrics_path = web_.metrics_path,
                         .metrics = [&] { return Scrape(watcher, counts, happenings); },
                         .pages = PagesOf(watcher, happenings),
                         .allowed_hosts = web_.allowed_hosts,
                         .access = access.value(),
                         .counts = &counts});
    if (!endpoint.ok()) return endpoint.error();
    const bool has_tls = access.value()->rules()->tls != nullptr;
    const std::string serving =
        fmt::format("serving {}, watching {}", web_.Urls(has_tls), watch_.Text());
    LogInfo("{}; Ctrl-C ends", serving);
    SayMissing(watcher);
    manager.Ready(serving);
    watcher.Watch(loop);
    Watch(watcher, loop, *access.value(), manager, happenings);
    return ExitCode::kOk;
  }

 private:
  [[nodiscard]] ProbeOptions Probe() const {
    ProbeOptions probe = watch_.Probe();
    probe.aggregates_commands = counting_.aggregates_commands;
    probe.slow_command_ns = counting_.slow_ns.value_or(probe.slow_command_ns);
    return probe;
  }

  [[nodiscard]] std::unique_ptr<FindingLog> MakeFindingLog() const {
    if (has_no_diagnosis_ || !watch_.sources.iscsi) return nullptr;
    return std::make_unique<FindingLog>(log_.level, !counting_.aggregates_commands);
  }

  static void Watch(Watcher& watcher, EventLoop& loop, Access& access, ServiceManager& manager,
                    Happenings& happenings) {
    LossNotices losses;
    EventLoop::Wake wake;
    while ((wake = loop.Wait(kDrainInterval)) != EventLoop::Wake::kEnd) {
      const uint64_t now_ns = MonotonicNs();
      watcher.DrainAfterWakeup();
      manager.Alive(now_ns);
      LogNotice(losses.Take(watcher.Commands(), now_ns));
      happenings.Look(watcher, now_ns);
      happenings.Say(now_ns);
      if (wake == EventLoop::Wake::kReload) Reload(access, manager);
      if (wake == EventLoop::Wake::kAsk) LogInfo("{}", watcher.EndLine());
    }
    manager.Stopping();
    watcher.Finish();
    happenings.Say(MonotonicNs(), true);
    LogInfo("{}", watcher.EndLine());
  }

  WatchOptions watch_;
  WebOptions web_;
  CountingOptions counting_;
  ProfileOptions profile_;
  LogOptions log_;
  PrivilegeOptions privileges_;
  ModelOptions model_;
  bool has_no_diagnosis_ = false;
};

}  // namespace

const SubcommandEntry kServeSubcommand{
    "serve",
    "Serve Prometheus metrics until interrupted",
    {{"lunscope serve", "metrics on http://127.0.0.1:13260/metrics"},
     {"lunscope serve --web.listen-address [::]:13260", "on every address of this host"},
     {"lunscope serve --web.listen-address unix:/run/lunscope.sock", "on no network at all"},
     {"lunscope serve --web.config.file web.yml", "with TLS and passwords; SIGHUP reads it again"},
     {"lunscope serve --port 3260 --port 3261", "targets listen on two ports"},
     {"lunscope serve --mode aggregate --slow 50ms",
      "least overhead: only failed and slow commands have a record"},
     {"lunscope serve --source iscsi,scsi,target", "the kernel's SCSI layers as well"}},
    MakeSubcommand<ServeSubcommand>};

}  // namespace lunscope
