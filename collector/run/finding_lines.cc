// SPDX-License-Identifier: Apache-2.0
#include "collector/run/finding_lines.h"

#include <algorithm>

namespace lunscope {

void FindingLines::Take(const lunscope_record& record, const Applied& applied) {
  if (!is_on_) return;
  is_busy_ = true;
  diagnosis_.Take(record, applied);
}

bool FindingLines::IsDue(uint64_t now_ns) const {
  return is_on_ && now_ns >= looked_ns_ + (is_busy_ ? kLookNs : kIdleLookNs);
}

void FindingLines::Look(Watcher& watcher, uint64_t now_ns, uint64_t from_ns) {
  if (!is_on_) return;
  looked_ns_ = now_ns;
  is_busy_ = false;
  watcher.Visit([&](const Model& model) {
    diagnosis_.Look(model, now_ns);
    is_busy_ = is_busy_ || std::ranges::any_of(model.connections(), [](const auto& entry) {
                 return entry.second.in_flight != 0;
               });
  });
  for (const Finding& finding : diagnosis_.news()) {
    if (finding.until_ns == 0) {
      holding_++;
    } else {
      holding_--;
    }
    if (now_ns >= from_ns) tracer_.TakeFinding(finding, now_ns);
  }
  is_busy_ = is_busy_ || holding_ != 0;
}

}  // namespace lunscope
