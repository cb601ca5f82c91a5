// SPDX-License-Identifier: Apache-2.0
//
// `diagnose`: what goes wrong, as findings in words. It watches for a while, or reads a capture.
// The diagnosis itself is in collector/diagnosis; this feeds it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/base/clock.h"
#include "collector/base/hardening.h"
#include "collector/base/log.h"
#include "collector/base/output.h"
#include "collector/base/quantity.h"
#include "collector/base/version.h"
#include "collector/cli/examination.h"
#include "collector/cli/subcommand.h"
#include "collector/diagnosis/report.h"
#include "collector/report/html.h"
#include "collector/report/markdown.h"
#include "collector/report/report.h"
#include "collector/run/capture_looks.h"
#include "collector/run/capture_source.h"
#include "collector/run/event_loop.h"
#include "collector/run/file_writer.h"
#include "collector/run/guarded_output.h"
#include "collector/run/live_sources.h"
#include "collector/run/privileges.h"
#include "collector/run/settings.h"
#include "collector/run/watcher.h"

namespace lunscope {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr uint64_t kLookNs = kSecondNs;
constexpr uint64_t kDefaultDurationNs = 30 * kSecondNs;

class DiagnoseSubcommand : public Subcommand {
 public:
  OptionList Options() override {
    Option file = FilesOption(
        Option::Form::kOptional,
        "pcap or pcapng files to read instead of watching; - is standard input", files_);
    OptionList options = OptionsOf(watch_, log_, privileges_);
    for (Option& option : output_.Options("Form of the findings"))
      options.push_back(std::move(option));
    Option duration = DurationOption("duration", "Watch for so long", 1, UINT64_MAX,
                                     [this](uint64_t ns) { duration_ns_ = ns; });
    duration.default_text = "30s";
    options.push_back(std::move(duration));
    options.push_back(SwitchOption(
        "watch", "Go on until Ctrl-C, and show each finding as it begins and ends", goes_on_));
    options.push_back(ReportOption());
    options.push_back(SwitchOption(
        "anonymous", "Stand-ins for names and addresses: initiator-1, target-1, host-1:3260",
        anonymous_));
    options.insert(options.begin(), std::move(file));
    return options;
  }

  [[nodiscard]] Status Check() const override {
    if (Status watched = watch_.Check(); !watched.ok()) return watched;
    if (!watch_.sources.iscsi)
      return Error{ExitCode::kUsage, "diagnose looks at iSCSI: --source needs iscsi"};
    if (!files_.empty() && (goes_on_ || duration_ns_))
      return Error{ExitCode::kUsage, "a FILE excludes --watch and --duration"};
    return Nothing{};
  }

  Result<ExitCode> Run() override {
    log_.SetUp();
    names_ = StandIns(anonymous_);
    // Before this process gives up its rights, and before it has signals blocked.
    std::unique_ptr<FileWriter> writer;
    if (!report_.empty()) {
      Result<std::unique_ptr<FileWriter>> started = FileWriter::Start(report_);
      if (!started.ok()) return started.error();
      writer = std::move(started.value());
    }
    return files_.empty() ? RunLive(writer.get()) : RunCapture(writer.get());
  }

 private:
  // The form of the report follows from the end of its name.
  Option ReportOption() {
    Option option;
    option.key = "report";
    option.value = "FILE";
    option.help =
        "Write a report for a ticket, with sessions, LUNs and phases too: FILE.html or FILE.md";
    option.set = [this](const std::vector<std::string>& texts) -> Refusal {
      if (texts.size() != 1 || !(IsHtml(texts[0]) || EndsIn(texts[0], ".md")))
        return "must be a file whose name ends in .html or .md";
      report_ = texts[0];
      return std::nullopt;
    };
    return option;
  }

  // The ending alone is no name.
  static bool EndsIn(std::string_view file, std::string_view ending) {
    return file.ends_with(ending) && file.substr(file.rfind('/') + 1).size() > ending.size();
  }
  static bool IsHtml(std::string_view file) { return EndsIn(file, ".html"); }

  Result<ExitCode> RunCapture(FileWriter* writer) {
    // Both ends would show everything twice.
    const RoleOptions role{watch_.role.initiators, !watch_.role.initiators};
    Result<std::unique_ptr<CaptureSource>> opened =
        CaptureSource::Open({files_, watch_.ports, role});
    if (!opened.ok()) return opened.error();
    CaptureSource& capture = *opened.value();
    SourceList sources;
    sources.push_back(std::move(opened.value()));
    Watcher watcher(std::move(sources), ModelOptions{.has_own_time = true});
    Examination examination(watcher, watch_.ports, names_);
    ReadWithLooks(
        watcher, capture, [&](uint64_t now_ns) { examination.Look(now_ns); }, [] {});
    LogNotice(capture.Hint());
    LogInfo("{}; {}", watcher.EndLine(), capture.CountsText());
    const std::string from =
        fmt::format("{}, {}", FormatCount(files_.size(), "capture file"), watch_.ports.Text());
    Result<ExitCode> code =
        Conclude(watcher, examination, examination.Describe(from, true), 0, writer);
    Status ended = capture.Ended();
    if (!ended.ok()) return ended.error();
    return code;
  }

  Result<ExitCode> RunLive(FileWriter* writer) {
    HardenProcess();
    EventLoop loop;
    GuardOutput();
    Result<SourceList> sources = AttachSources(watch_.sources, watch_.Probe(), privileges_, loop);
    if (!sources.ok()) return sources.error();
    ModelOptions model;
    model.joins = watch_.sources.joins();
    Watcher watcher(std::move(sources.value()), model,
                    {std::make_unique<Resolver>(MakeHostReader), false,
                     [this] { privileges_.GiveUpPrograms(); }});
    LogInfo("watching {}{}; Ctrl-C ends", watch_.Text(),
            goes_on_ ? "" : fmt::format(" for {}", FormatDuration(DurationNs())));
    SayMissing(watcher);
    Examination examination(watcher, watch_.ports, names_);
    Watch(watcher, loop, examination);
    watcher.Finish();
    examination.Look(MonotonicNs());
    LogInfo("{}", watcher.EndLine());
    return Conclude(watcher, examination, examination.Describe(watch_.Text(), false),
                    WallClockOffsetNs(), writer);
  }

  [[nodiscard]] uint64_t DurationNs() const { return duration_ns_.value_or(kDefaultDurationNs); }

  void Watch(Watcher& watcher, EventLoop& loop, Examination& examination) {
    watcher.Watch(loop);
    const uint64_t start_ns = MonotonicNs();
    examination.Begin(start_ns);
    const bool is_bounded = !goes_on_ || duration_ns_;
    uint64_t look_ns = start_ns + kLookNs;
    for (uint64_t now_ns = start_ns; !is_bounded || now_ns - start_ns < DurationNs();
         now_ns = MonotonicNs()) {
      const uint64_t left_ns = is_bounded ? DurationNs() - (now_ns - start_ns) : uint64_t{kLookNs};
      const uint64_t wait_ns = std::min(left_ns, look_ns > now_ns ? look_ns - now_ns : 1);
      const auto wait = std::chrono::ceil<milliseconds>(nanoseconds(wait_ns));
      if (loop.Wait(wait) == EventLoop::Wake::kEnd) return;
      watcher.DrainAfterWakeup();
      const uint64_t drained_ns = MonotonicNs();
      if (drained_ns < look_ns) continue;
      examination.Look(drained_ns);
      look_ns = drained_ns + kLookNs;
      if (goes_on_ && !PrintNews(examination.News())) return;
    }
  }

  // False: nobody reads on.
  [[nodiscard]] bool PrintNews(const std::vector<Finding>& news) const {
    for (const Finding& finding : news) {
      const std::string text = output_.json ? FindingJson(finding, WallClockOffsetNs()) + "\n"
                                            : FindingText(finding, WallClockOffsetNs()) + "\n";
      std::fwrite(text.data(), 1, text.size(), stdout);
    }
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  }

  // writer: nullptr if no report is wanted.
  Result<ExitCode> Conclude(Watcher& watcher, const Examination& examination,
                            const LookedAt& looked_at, int64_t offset_ns, FileWriter* writer) {
    const std::vector<Finding> findings = examination.All();
    const std::string text = output_.json ? ReportJson(findings, looked_at, offset_ns)
                                          : ReportText(findings, looked_at, offset_ns);
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (writer != nullptr) {
      std::fflush(stdout);
      const Report report = MakeReport(watcher, findings, looked_at, offset_ns);
      Status written = writer->Write(IsHtml(report_) ? ReportHtml(report) : ReportMarkdown(report));
      if (!written.ok()) return written.error();
      LogInfo("the report is in {}", report_);
    }
    return HasTrouble(findings) ? ExitCode::kFindings : ExitCode::kOk;
  }

  Report MakeReport(Watcher& watcher, const std::vector<Finding>& findings,
                    const LookedAt& looked_at, int64_t offset_ns) {
    std::array<char, 256> host{};
    if (files_.empty()) gethostname(host.data(), host.size() - 1);
    Report report;
    AddFindings(findings, looked_at,
                {fmt::format("{} ({})", kVersion, kRevision), host.data(), files_, offset_ns},
                names_, report);
    const Observation observation = watcher.Observe();
    watcher.Visit([&](const Model& model) { AddSessions(model, offset_ns, names_, report); });
    AddLuns(observation.snapshot, names_, report);
    AddPhases(observation.snapshot, names_, report);
    return report;
  }

  std::vector<std::string> files_;
  WatchOptions watch_;
  OutputOptions output_;
  LogOptions log_;
  PrivilegeOptions privileges_;
  std::optional<uint64_t> duration_ns_;
  bool goes_on_ = false;
  std::string report_;  // the file; "": none
  bool anonymous_ = false;
  StandIns names_;
};

}  // namespace

const SubcommandEntry kDiagnoseSubcommand{
    "diagnose",
    "Say what goes wrong, why, and what to do, from this host or a capture file",
    {{"lunscope diagnose", "watch for 30 seconds, then say what was found"},
     {"lunscope diagnose --duration 5m --role target", "five minutes, the target's side only"},
     {"lunscope diagnose --watch", "go on, and show each finding as it begins and ends"},
     {"lunscope diagnose --report slow.html", "a report for a ticket as well, as one file"},
     {"lunscope diagnose --anonymous --report slow.md", "the same, with stand-ins for all names"},
     {"lunscope diagnose lo.pcapng", "from a capture, without privileges"},
     {"lunscope diagnose target.pcapng --role target -o json", "taken at the target, as JSON"}},
    MakeSubcommand<DiagnoseSubcommand>};

}  // namespace lunscope
