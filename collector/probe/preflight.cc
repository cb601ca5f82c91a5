// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/preflight.h"

#include <algorithm>
#include <utility>

#include "collector/probe/capabilities.h"
#include "collector/probe/hooks.h"
#include "collector/probe/kernel_findings.h"
#include "collector/probe/requirements.h"
#include "collector/probe/scsi_programs.h"
#include "collector/probe/socket_memory.h"

namespace lunscope {
namespace {

CheckResult DescribeRequirement(const Requirement& requirement) {
  CheckResult finding{requirement.name.starts_with("tracepoint ") ? kHooksGroup : kKernelGroup,
                      requirement.name,
                      requirement.met ? CheckState::kOk : CheckState::kFailure,
                      requirement.detail,
                      {},
                      requirement.met ? ExitCode::kOk : requirement.code};
  if (requirement.name == "capabilities") {
    const Capabilities capabilities = ReadCapabilities();
    finding.facts = {{"held", capabilities.held}, {"missing", capabilities.missing}};
  }
  return finding;
}

}  // namespace

std::vector<CheckResult> CheckKernel() {
  const std::vector<Requirement> requirements = CheckRequirements();
  std::vector<CheckResult> findings;
  std::vector<CheckResult> hooks;
  for (const Requirement& requirement : requirements) {
    CheckResult finding = DescribeRequirement(requirement);
    (finding.group == kHooksGroup ? hooks : findings).push_back(std::move(finding));
  }
  const std::string lockdown = ReadLockdownMode();
  findings.push_back(DescribeLockdown(lockdown));
  findings.push_back(DescribeSymbols(ReadSymbols()));
  findings.push_back(DescribeSocketMemory(ReadSocketMemoryLimit()));
  // A program that has been attached proves more than a tracepoint that exists.
  if (std::ranges::all_of(requirements, &Requirement::met))
    hooks = TryHooks(lockdown == kConfidentiality);
  findings.insert(findings.end(), hooks.begin(), hooks.end());
  for (const char* module :
       {"iscsi_tcp", "libiscsi_tcp", "iscsi_target_mod", kTargetCore.module, kMidlayer.module})
    findings.push_back(DescribeModule("/sys", module));
  return findings;
}

}  // namespace lunscope
