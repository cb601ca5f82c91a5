// SPDX-License-Identifier: Apache-2.0
//
// `replay`: a capture file in the place of the probes. Everything behind the records is the same.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "collector/base/output.h"
#include "collector/cli/subcommand.h"
#include "collector/metrics/metrics.h"
#include "collector/run/capture_source.h"
#include "collector/run/redirections.h"
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
    Result<std::unique_ptr<CaptureSource>> opened =
        CaptureSource::Open({file_, ports_, role_, lines_.pdus, lines_.count});
    if (!opened.ok()) return opened.error();
    const CaptureSource& capture = *opened.value();
    SourceList sources;
    sources.push_back(std::move(opened.value()));
    Watcher watcher(std::move(sources), ModelOptions{});
    Redirections redirections(ports_.ports);
    if (metrics_) {
      watcher.set_listener([&](const lunscope_record& /*record*/, const Applied& applied) {
        redirections.Take(applied);
      });
      while (!watcher.is_done()) watcher.Drain();
      PrintMetrics(watcher);
    } else {
      PrintLines(watcher, capture, redirections);
    }
    if (const std::string hint = capture.Hint(); !hint.empty()) Say(stderr, "lunscope: {}\n", hint);
    Say(stderr, "lunscope: {}; {}\n", watcher.EndLine(), capture.CountsText());
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return OutputError();
    Status ended = capture.Ended();
    if (!ended.ok()) return ended.error();
    return ExitCode::kOk;
  }

 private:
  void PrintLines(Watcher& watcher, const CaptureSource& capture, Redirections& redirections) {
    Tracer tracer(lines_, [] { return int64_t{0}; });  // a capture has the wall clock's time
    watcher.set_listener([&](const lunscope_record& record, const Applied& applied) {
      redirections.Take(applied);
      tracer.Take(record, applied);
    });
    tracer.Begin();
    bool is_read = true;
    while (is_read && !watcher.is_done()) {
      watcher.Drain();
      is_read = tracer.Flush(capture.now_ns());
    }
    tracer.End();
  }

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
