// SPDX-License-Identifier: Apache-2.0
//
// Events as sentences of the log.
#pragma once

#include <cstdint>

#include "collector/base/log.h"
#include "collector/lines/event_line.h"
#include "collector/run/notices.h"

namespace lunscope {

class EventNotices : public Notices {
 public:
  explicit EventNotices(LogLevel least);

  void Take(const Event& event, uint64_t now_ns);
};

}  // namespace lunscope
