// SPDX-License-Identifier: Apache-2.0
#include "collector/run/finding_notices.h"

#include <string_view>
#include <vector>

#include "collector/diagnosis/report.h"

namespace lunscope {
namespace {

std::vector<std::string_view> Ids() {
  std::vector<std::string_view> ids;
  for (const Rule* rule : AllRules()) ids.push_back(rule->id);
  return ids;
}

}  // namespace

FindingNotices::FindingNotices(LogLevel least) : Notices(least, Ids(), {"findings", "/findings"}) {}

void FindingNotices::Take(const Finding& finding, uint64_t now_ns) {
  const LogLevel level =
      finding.severity > FindingSeverity::kInfo ? LogLevel::kWarning : LogLevel::kInfo;
  Notices::Take(RowOf(*finding.rule), level, now_ns, [&] { return FindingSentence(finding); });
}

}  // namespace lunscope
