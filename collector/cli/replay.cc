// SPDX-License-Identifier: Apache-2.0
//
// `replay`: a capture file in the place of the probes. Everything behind the records is the same.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "collector/base/log.h"
#include "collector/cli/subcommand.h"
#include "collector/metrics/metrics.h"
#include "collector/run/capture_looks.h"
#include "collector/run/capture_source.h"
#include "collector/run/finding_lines.h"
#include "collector/run/profile_options.h"
#include "collector/run/redirect_notices.h"
#include "collector/run/settings.h"
#include "collector/run/tracer.h"
#include "collector/run/watcher.h"

namespace lunscope {
namespace {

void PrintMetrics(Watcher& watcher) {
  const std::string text = FormatMetrics(watcher.Observe());
  std::fwrite(text.data(), 1, text.size(), stdout);
}

class ReplaySubcommand : public Subcommand {
 public:
  OptionList Options() override {
    Option file =
        FilesOption(Option::Form::kPositional,
                    "pcap or pcapng files, one after the other; - is standard input", files_);
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
    for (Option& option : OptionsOf(lines_, profile_)) options.push_back(std::move(option));
    options.push_back(
        MomentOption("from", "Show no line of what happened before: a time, or +TIME", from_));
    options.push_back(
        MomentOption("to", "Read no packet behind this: a time, or +TIME since the start", to_));
    return options;
  }

  [[nodiscard]] Status Check() const override {
    const char* needs_lines = lines_.summary ? "--summary"
                              : lines_.pdus  ? "--pdu"
                              : lines_.count ? "--count"
                              : from_        ? "--from"
                                             : nullptr;
    if (metrics_ && needs_lines != nullptr) {
      return Error{ExitCode::kUsage,
                   fmt::format("-o metrics excludes {}, which needs lines", needs_lines)};
    }
    if (profile_.profiles && !metrics_)
      return Error{ExitCode::kUsage, "--profile is for -o metrics"};
    return lines_.Check();
  }

  Result<ExitCode> Run() override {
    Result<std::unique_ptr<CaptureSource>> opened =
        CaptureSource::Open({files_, ports_, role_, lines_.pdus, from_, to_});
    if (!opened.ok()) return opened.error();
    CaptureSource& capture = *opened.value();
    SourceList sources;
    sources.push_back(std::move(opened.value()));
    Watcher watcher(std::move(sources),
                    ModelOptions{.profiles = profile_.profiles, .has_own_time = true});
    RedirectNotices notices(ports_.ports);
    if (metrics_) {
      watcher.set_listener([&](const lunscope_record& /*record*/, const Applied& applied) {
        LogNotice(notices.Take(applied));
      });
      while (!watcher.is_done()) watcher.Drain();
      PrintMetrics(watcher);
    } else {
      PrintLines(watcher, capture, notices);
    }
    LogNotice(capture.Hint());
    LogInfo("{}; {}", watcher.EndLine(), capture.CountsText());
    Status ended = capture.Ended();
    if (!ended.ok()) return ended.error();
    return ExitCode::kOk;
  }

 private:
  static Option MomentOption(std::string key, std::string help, std::optional<Moment>& moment) {
    Option option;
    option.key = std::move(key);
    option.value = "TIME";
    option.help = std::move(help);
    option.set = [&moment](const std::vector<std::string>& texts) -> Refusal {
      moment = texts.size() == 1 ? ParseMoment(texts[0]) : std::nullopt;
      if (!moment) return "must be a time, such as 12:00:00, 2026-01-31T12:00:00Z or +90s";
      return std::nullopt;
    };
    return option;
  }

  void PrintLines(Watcher& watcher, CaptureSource& capture, RedirectNotices& notices) {
    Tracer tracer(lines_, [] { return int64_t{0}; });  // a capture has the wall clock's time
    FindingLines findings(tracer, lines_.findings && !lines_.pdus);
    watcher.set_listener([&](const lunscope_record& record, const Applied& applied) {
      LogNotice(notices.Take(applied));
      findings.Take(record, applied);
      const bool is_line =
          record.kind != LUNSCOPE_RECORD_CONNECTION || (record.flags & LUNSCOPE_FLAG_CLOSED) != 0;
      if (is_line && record.time_ns < capture.from_ns()) return;
      tracer.Take(record, applied);
      if (tracer.is_done()) capture.Stop();
    });
    tracer.Begin();
    const auto flush = [&] {
      if (!tracer.Flush(capture.NowNs())) capture.Stop();  // nobody reads on
    };
    if (findings.is_on()) {
      ReadWithLooks(
          watcher, capture,
          [&](uint64_t now_ns) { findings.Look(watcher, now_ns, capture.from_ns()); }, flush);
    } else {
      for (; !watcher.is_done(); flush()) watcher.Drain();
    }
    watcher.ShowOpen([&](const lunscope_record& record, const Applied& applied) {
      tracer.TakeOpen(record, applied);
    });
    tracer.End();
  }

  std::vector<std::string> files_;
  std::optional<Moment> from_;
  std::optional<Moment> to_;
  PortOptions ports_;
  RoleOptions role_{true, false};
  LineOptions lines_;
  ProfileOptions profile_;
  bool metrics_ = false;  // instead of lines
};

}  // namespace

const SubcommandEntry kReplaySubcommand{
    "replay",
    "Show what a capture file tells: the same lines and metrics, without privileges",
    {{"lunscope replay lo.pcapng --role both", "what both ends did, from a capture"},
     {"lunscope replay lo.pcapng --port 3261 -o json", "targets listened on port 3261"},
     {"lunscope replay lo.pcapng -o metrics", "metrics as they are at the end"},
     {"lunscope replay ring_*.pcapng --from 12:00:00 --to 12:05:00", "five minutes of many files"},
     {"tcpdump -w - port 3260 | lunscope replay -", "read from standard input"}},
    MakeSubcommand<ReplaySubcommand>};

}  // namespace lunscope
