// SPDX-License-Identifier: Apache-2.0
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <cstdio>

#include "collector/base/output.h"
#include "collector/cli/commands.h"
#include "collector/cli/version.h"
#include "collector/probe/preflight.h"

namespace lunscope {
namespace {

void PrintLine(bool met, const std::string& name, const std::string& detail) {
  Say(stdout, "{:<4}  {:<36}  {}\n", met ? "ok" : "FAIL", name, detail);
}

}  // namespace

ExitCode RunCheck() {
  utsname kernel{};
  uname(&kernel);
  Say(stdout, "Linux {} {}\n", kernel.release, kernel.machine);
  ExitCode code = ExitCode::kOk;
  for (const Requirement& requirement : CheckRequirements()) {
    PrintLine(requirement.met, requirement.name, requirement.detail);
    if (!requirement.met && code == ExitCode::kOk) code = requirement.code;
  }
  if (code != ExitCode::kOk) return code;
  // Requirements can be met and the kernel still refuse: the proof is to try.
  Result<std::unique_ptr<Probe>> probe = Probe::Attach(ProbeOptions{});
  if (!probe.ok()) {
    PrintLine(false, "load and attach", probe.error().message);
    return probe.error().code;
  }
  for (const ProgramReport& program : probe.value()->Programs()) {
    PrintLine(true, fmt::format("program {}", program.name),
              fmt::format("attached, {} instructions verified", program.verified_instructions));
  }
  return ExitCode::kOk;
}

ExitCode RunVersion() {
  Say(stdout, "lunscope {} (revision {}, libbpf {})\n", kVersion, kRevision,
      libbpf_version_string());
  return ExitCode::kOk;
}

std::string EndLine(const lunscope_totals& totals) {
  uint64_t commands = 0;
  uint64_t lost = 0;
  for (size_t role = 0; role < LUNSCOPE_ROLES; role++) {
    commands += totals.commands_reported[role];
    for (auto reason : {LUNSCOPE_UNREPORTED_RING_FULL, LUNSCOPE_UNREPORTED_RING_BUSY,
                        LUNSCOPE_UNREPORTED_TABLE_FULL})
      lost += totals.commands_unreported[role][reason];
  }
  return fmt::format("{} commands, {} lost", commands, lost);
}

std::string PortList(const ProbeOptions& options) {
  return fmt::format("{} {}", options.ports.size() == 1 ? "port" : "ports",
                     fmt::join(options.ports, ", "));
}

}  // namespace lunscope
