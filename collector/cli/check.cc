// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "collector/base/output.h"
#include "collector/base/version.h"
#include "collector/cli/commands.h"
#include "collector/host/survey.h"
#include "collector/lines/json_line.h"
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

struct ToJson {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(uint64_t value) const { return fmt::to_string(value); }
  std::string operator()(const std::string& value) const { return Quoted(value); }
  std::string operator()(const std::vector<std::string>& values) const {
    std::vector<std::string> quoted;
    quoted.reserve(values.size());
    for (const std::string& value : values) quoted.push_back(Quoted(value));
    return fmt::format("[{}]", fmt::join(quoted, ","));
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

std::string FindingObject(const Finding& finding) {
  JsonLine line;
  line.String("group", finding.group);
  line.String("name", finding.name);
  line.String("state", NamesOf(finding.state).json);
  line.String("detail", finding.detail);
  for (const auto& [key, value] : finding.facts) line.Raw(key, std::visit(ToJson{}, value));
  return line.End();
}

void PrintJson(const utsname& kernel, const std::vector<Finding>& findings, ExitCode code) {
  std::vector<std::string> objects;
  objects.reserve(findings.size());
  for (const Finding& finding : findings) objects.push_back(FindingObject(finding));
  JsonLine line;
  line.String("release", kernel.release);
  line.String("machine", kernel.machine);
  line.Number("exit_code", static_cast<uint64_t>(code));
  line.Raw("findings", fmt::format("[{}]", fmt::join(objects, ",")));
  Say(stdout, "{}\n", line.End());
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
