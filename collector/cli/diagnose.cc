// SPDX-License-Identifier: Apache-2.0
//
// `diagnose`: what goes wrong, as findings in words. It watches for a while, or reads a capture.
// The diagnosis itself is in collector/diagnosis; this feeds it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/clock.h"
#include "collector/base/hardening.h"
#include "collector/base/log.h"
#include "collector/base/output.h"
#include "collector/base/quantity.h"
#include "collector/cli/subcommand.h"
#include "collector/diagnosis/diagnosis.h"
#include "collector/diagnosis/report.h"
#include "collector/run/capture_source.h"
#include "collector/run/event_loop.h"
#include "collector/run/guarded_output.h"
#include "collector/run/live_sources.h"
#include "collector/run/privileges.h"
#include "collector/run/redirect_notices.h"
#include "collector/run/settings.h"
#include "collector/run/watcher.h"

namespace lunscope {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr uint64_t kLookNs = kSecondNs;
constexpr uint64_t kDefaultDurationNs = 30 * kSecondNs;
// A gap between packets has some looks, and not one for each of its seconds.
constexpr uint64_t kLooksInAGap = 10;
constexpr size_t kMaxElsewhere = 16;

// A diagnosis, and what was there to be looked at.
class Examination {
 public:
  Examination(Watcher& watcher, const PortOptions& ports)
      : watcher_(watcher), redirects_(ports.ports) {
    watcher.set_listener([this](const lunscope_record& record, const Applied& applied) {
      diagnosis_.Take(record, applied);
      std::string elsewhere = redirects_.Take(applied);
      if (!elsewhere.empty() && elsewhere_.size() < kMaxElsewhere)
        elsewhere_.push_back("T" + elsewhere.substr(1) + ".");
      begin_ns_ = begin_ns_ == 0 ? record.time_ns : begin_ns_;
      roles_seen_ |= record.role;
    });
  }

  void Begin(uint64_t now_ns) { begin_ns_ = now_ns; }

  void Look(uint64_t now_ns) {
    end_ns_ = now_ns;
    watcher_.Visit([&](const Model& model) {
      diagnosis_.Look(model, now_ns);
      connections_ = model.connections().size();
      for (const auto& [id, connection] : model.connections()) {
        if (connection.is_midstream) old_.insert(id);
      }
    });
  }

  [[nodiscard]] const Diagnosis& diagnosis() const { return diagnosis_; }

  [[nodiscard]] LookedAt Describe(std::string from, bool is_capture) const {
    const CommandCounts counts = watcher_.Commands();
    const bool has_begun = begin_ns_ != 0 && end_ns_ > begin_ns_;
    LookedAt looked_at{
        std::move(from), has_begun ? end_ns_ - begin_ns_ : 0, connections_, counts.seen, {}};
    std::vector<std::string>& unseen = looked_at.unseen;
    if (is_capture)
      unseen.emplace_back(
          "A capture has no sockets. Bytes that wait unread, round trips and windows of TCP are "
          "not known.");
    if (roles_seen_ == 0) unseen.emplace_back("No iSCSI connection was seen.");
    if (roles_seen_ == LUNSCOPE_ROLE_INITIATOR)
      unseen.emplace_back(
          "No target's end was seen. Only there it is known what the target's process and its "
          "backing "
          "store do.");
    if (!old_.empty())
      unseen.push_back(fmt::format(
          "{} open before: the login was not seen.",
          old_.size() == 1 ? "1 connection was" : fmt::format("{} connections were", old_.size())));
    unseen.insert(unseen.end(), elsewhere_.begin(), elsewhere_.end());
    AddLosses(counts, unseen);
    return looked_at;
  }

 private:
  void AddLosses(const CommandCounts& counts, std::vector<std::string>& unseen) const {
    const auto add = [&](uint64_t count, std::string_view noun, std::string_view words) {
      if (count != 0) unseen.push_back(fmt::format("{} {}", FormatCount(count, noun), words));
    };
    add(counts.lost, "command", "lost their record, or were not tracked.");
    add(counts.gaps, "gap", "in what was seen of connections.");
    add(counts.untracked, "connection", "without memory for their state.");
    add(counts.left_out, "record", "of PDUs left out, so that commands had room.");
    if (const std::string left_out = diagnosis_.LeftOut(); !left_out.empty())
      unseen.push_back("Too many to be looked at: " + left_out + ".");
    if (const std::string missing = watcher_.Missing(); !missing.empty())
      unseen.push_back("Not attached: " + missing + ".");
  }

  Watcher& watcher_;
  Diagnosis diagnosis_;
  RedirectNotices redirects_;
  std::vector<std::string> elsewhere_;  // redirections to ports that are not watched
  uint64_t begin_ns_ = 0;
  uint64_t end_ns_ = 0;
  size_t connections_ = 0;
  uint8_t roles_seen_ = 0;
  std::set<uint64_t> old_;  // connections that were open before
};

// The time of the look behind this one. next_ns: of the next packet.
uint64_t NextLookNs(uint64_t look_ns, uint64_t next_ns) {
  if (look_ns == 0) return next_ns;
  const uint64_t gap_ns = next_ns > look_ns ? next_ns - look_ns : 0;
  return look_ns + std::max(kLookNs, gap_ns / kLooksInAGap);
}

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
    return files_.empty() ? RunLive() : RunCapture();
  }

 private:
  Result<ExitCode> RunCapture() {
    // Both ends would show everything twice.
    const RoleOptions role{watch_.role.initiators, !watch_.role.initiators};
    Result<std::unique_ptr<CaptureSource>> opened =
        CaptureSource::Open({files_, watch_.ports, role});
    if (!opened.ok()) return opened.error();
    CaptureSource& capture = *opened.value();
    SourceList sources;
    sources.push_back(std::move(opened.value()));
    Watcher watcher(std::move(sources), ModelOptions{.has_own_time = true});
    Examination examination(watcher, watch_.ports);
    ReadCapture(watcher, capture, examination);
    LogNotice(capture.Hint());
    LogInfo("{}; {}", watcher.EndLine(), capture.CountsText());
    const std::string from =
        fmt::format("{}, {}", FormatCount(files_.size(), "capture file"), watch_.ports.Text());
    const ExitCode code = Print(examination, examination.Describe(from, true), 0);
    Status ended = capture.Ended();
    if (!ended.ok()) return ended.error();
    return code;
  }

  static void ReadCapture(Watcher& watcher, CaptureSource& capture, Examination& examination) {
    uint64_t look_ns = 0;
    capture.ReadUntil(look_ns);
    while (!watcher.is_done()) {
      watcher.Drain();
      const std::optional<uint64_t> next_ns = capture.waiting_ns();
      if (!next_ns) continue;
      if (look_ns != 0) examination.Look(look_ns);
      look_ns = NextLookNs(look_ns, *next_ns);
      capture.ReadUntil(look_ns);
    }
    examination.Look(capture.NowNs());
  }

  Result<ExitCode> RunLive() {
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
    Examination examination(watcher, watch_.ports);
    Watch(watcher, loop, examination);
    watcher.Finish();
    examination.Look(MonotonicNs());
    LogInfo("{}", watcher.EndLine());
    return Print(examination, examination.Describe(watch_.Text(), false), WallClockOffsetNs());
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
      if (goes_on_ && !PrintNews(examination.diagnosis())) return;
    }
  }

  // False: nobody reads on.
  [[nodiscard]] bool PrintNews(const Diagnosis& diagnosis) const {
    for (const Finding& finding : diagnosis.news()) {
      const std::string text = output_.json ? FindingJson(finding, WallClockOffsetNs()) + "\n"
                                            : FindingText(finding, WallClockOffsetNs()) + "\n";
      std::fwrite(text.data(), 1, text.size(), stdout);
    }
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  }

  ExitCode Print(const Examination& examination, const LookedAt& looked_at, int64_t offset_ns) {
    const std::vector<Finding> findings = examination.diagnosis().All();
    const std::string text = output_.json ? ReportJson(findings, looked_at, offset_ns)
                                          : ReportText(findings, looked_at, offset_ns);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return HasTrouble(findings) ? ExitCode::kFindings : ExitCode::kOk;
  }

  std::vector<std::string> files_;
  WatchOptions watch_;
  OutputOptions output_;
  LogOptions log_;
  PrivilegeOptions privileges_;
  std::optional<uint64_t> duration_ns_;
  bool goes_on_ = false;
};

}  // namespace

const SubcommandEntry kDiagnoseSubcommand{
    "diagnose",
    "Say what goes wrong, why, and what to do, from this host or a capture file",
    {{"lunscope diagnose", "watch for 30 seconds, then say what was found"},
     {"lunscope diagnose --duration 5m --role target", "five minutes, the target's side only"},
     {"lunscope diagnose --watch", "go on, and show each finding as it begins and ends"},
     {"lunscope diagnose lo.pcapng", "from a capture, without privileges"},
     {"lunscope diagnose target.pcapng --role target -o json", "taken at the target, as JSON"}},
    MakeSubcommand<DiagnoseSubcommand>};

}  // namespace lunscope
