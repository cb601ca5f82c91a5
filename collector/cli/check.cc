// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "collector/base/json.h"
#include "collector/base/output.h"
#include "collector/base/version.h"
#include "collector/cli/commands.h"
#include "collector/host/survey.h"
#include "collector/probe/preflight.h"

namespace lunscope {
namespace {

// Of findings with one name, as sessions, the table shows so many.
constexpr size_t kMaxLikeLines = 8;

struct Names {
  const char* table;
  const char* json;
};

Names NamesOf(FindingState state) {
  switch (state) {
    case FindingState::kOk: return {"ok", "ok"};
    case FindingState::kNote: return {"note", "note"};
    case FindingState::kWarning: return {"warn", "warn"};
    case FindingState::kFailure: break;
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

void PrintTable(const utsname& kernel, const std::vector<Finding>& findings) {
  Say(stdout, "Linux {} {}\n", kernel.release, kernel.machine);
  size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.name.size());
  std::string group;
  std::map<std::string, size_t> alike;
  for (const Finding& finding : findings) {
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

void FillFinding(json::Members& line, const Finding& finding) {
  line.String("group", finding.group);
  line.String("name", finding.name);
  line.String("state", NamesOf(finding.state).json);
  line.String("detail", finding.detail);
  for (const auto& [key, value] : finding.facts) std::visit(AddFact{line, key}, value);
}

void PrintJson(const utsname& kernel, const std::vector<Finding>& findings, ExitCode code) {
  const std::string text = json::Object([&](json::Members& line) {
    line.String("release", kernel.release);
    line.String("machine", kernel.machine);
    line.Number("exit_code", static_cast<uint64_t>(code));
    line.Array("findings", [&](json::Elements& list) {
      for (const Finding& finding : findings) list.Object(FillFinding, finding);
    });
  });
  Say(stdout, "{}\n", text);
}

}  // namespace

ExitCode RunCheck(const CheckOptions& options) {
  utsname kernel{};
  uname(&kernel);
  std::vector<Finding> findings = CheckKernel();
  const std::vector<Finding> of_host = SurveyHost(options.ports);
  findings.insert(findings.end(), of_host.begin(), of_host.end());
  const auto failure = std::ranges::find(findings, FindingState::kFailure, &Finding::state);
  const ExitCode code = failure == findings.end() ? ExitCode::kOk : failure->code;
  if (options.json) {
    PrintJson(kernel, findings, code);
  } else {
    PrintTable(kernel, findings);
  }
  return code;
}

ExitCode RunVersion() {
  Say(stdout, "lunscope {} (revision {}, libbpf {})\n", kVersion, kRevision, LibbpfVersion());
  return ExitCode::kOk;
}

std::string SourceList(const Sources& sources, const ProbeOptions& options) {
  std::vector<std::string> list;
  if (sources.iscsi) list.push_back(PortList(options));
  if (sources.midlayer) list.emplace_back("the SCSI mid-layer");
  if (sources.target) list.emplace_back("LIO");
  return fmt::format("{}", fmt::join(list, ", "));
}

std::string PortList(const ProbeOptions& options) {
  return fmt::format("{} {}", options.ports.size() == 1 ? "port" : "ports",
                     fmt::join(options.ports, ", "));
}

void SayMissing(const std::string& missing) {
  if (!missing.empty()) Say(stderr, "lunscope: not attached (yet): {}\n", missing);
}

}  // namespace lunscope
