// SPDX-License-Identifier: Apache-2.0
//
// `check`: what this host has and lacks, before lunscope is run on it.
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/json.h"
#include "collector/base/output.h"
#include "collector/cli/subcommand.h"
#include "collector/host/survey.h"
#include "collector/probe/preflight.h"
#include "collector/run/settings.h"

namespace lunscope {
namespace {

// The table shows this many findings of one name, as of sessions; JSON has them all.
constexpr size_t kMaxLikeLines = 8;

struct Names {
  const char* table;
  const char* json;
};

Names NamesOf(CheckState state) {
  switch (state) {
    case CheckState::kOk: return {"ok", "ok"};
    case CheckState::kNote: return {"note", "note"};
    case CheckState::kWarning: return {"warn", "warn"};
    case CheckState::kFailure: break;
  }
  return {"FAIL", "fail"};
}

// Adds a fact under its key.
struct AddFact {
  json::Members& line;
  const std::string& key;
  void operator()(bool value) const { line.Flag(key, value); }
  void operator()(uint64_t value) const { line.Number(key, value); }
  void operator()(const std::string& value) const { line.String(key, value); }
  void operator()(const std::vector<std::string>& values) const {
    line.Array(key, [&](json::Elements& list) {
      for (const std::string& value : values) list.String(value);
    });
  }
};

void PrintTable(const utsname& kernel, const std::vector<CheckResult>& findings) {
  Say(stdout, "Linux {} {}\n", kernel.release, kernel.machine);
  size_t width = 0;
  for (const CheckResult& finding : findings) width = std::max(width, finding.name.size());
  std::string group;
  std::map<std::string, size_t> alike;
  for (const CheckResult& finding : findings) {
    if (finding.group != group) Say(stdout, "\n{}\n", finding.group);
    group = finding.group;
    const size_t number = ++alike[group + '/' + finding.name];
    if (number <= kMaxLikeLines) {
      Say(stdout, "  {:<4}  {:<{}}  {}\n", NamesOf(finding.state).table, finding.name, width,
          finding.detail);
    } else if (number == kMaxLikeLines + 1) {
      Say(stdout, "        ... more: -o json lists them\n");
    }
  }
}

void FillFinding(json::Members& line, const CheckResult& finding) {
  line.String("group", finding.group);
  line.String("name", finding.name);
  line.String("state", NamesOf(finding.state).json);
  line.String("detail", finding.detail);
  for (const auto& [key, value] : finding.facts) std::visit(AddFact{line, key}, value);
}

void PrintJson(const utsname& kernel, const std::vector<CheckResult>& findings, ExitCode code) {
  const std::string text = json::Object([&](json::Members& line) {
    line.String("release", kernel.release);
    line.String("machine", kernel.machine);
    line.Number("exit_code", static_cast<uint64_t>(code));
    line.Array("findings", [&](json::Elements& list) {
      for (const CheckResult& finding : findings) list.Object(FillFinding, finding);
    });
  });
  Say(stdout, "{}\n", text);
}

class CheckSubcommand : public Subcommand {
 public:
  OptionList Options() override {
    OptionList options = ports_.Options();
    for (Option& option : output_.Options("Form of the findings"))
      options.push_back(std::move(option));
    return options;
  }

  Result<ExitCode> Run() override {
    utsname kernel{};
    uname(&kernel);
    std::vector<CheckResult> findings = CheckKernel();
    const std::vector<CheckResult> of_host = SurveyHost(ports_.ports);
    findings.insert(findings.end(), of_host.begin(), of_host.end());
    const auto failure = std::ranges::find(findings, CheckState::kFailure, &CheckResult::state);
    const ExitCode code = failure == findings.end() ? ExitCode::kOk : failure->code;
    if (output_.json) {
      PrintJson(kernel, findings, code);
    } else {
      PrintTable(kernel, findings);
    }
    return code;
  }

 private:
  PortOptions ports_;
  OutputOptions output_;
};

}  // namespace

const SubcommandEntry kCheckSubcommand{
    "check",
    "Say what this host has and lacks for lunscope, and what cannot be seen on it",
    {{"lunscope check", "can this host run lunscope?"},
     {"lunscope check --port 3261", "targets listen on port 3261"},
     {"lunscope check -o json", "the findings as JSON"}},
    MakeSubcommand<CheckSubcommand>};

}  // namespace lunscope
