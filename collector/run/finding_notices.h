// SPDX-License-Identifier: Apache-2.0
//
// Findings as sentences of the log: one when a finding begins, and one when it ends.
#pragma once

#include <cstdint>

#include "collector/base/log.h"
#include "collector/diagnosis/diagnosis.h"
#include "collector/run/notices.h"

namespace lunscope {

class FindingNotices : public Notices {
 public:
  explicit FindingNotices(LogLevel least);

  void Take(const Finding& finding, uint64_t now_ns);
};

}  // namespace lunscope
