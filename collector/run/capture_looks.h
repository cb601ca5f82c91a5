// SPDX-License-Identifier: Apache-2.0
//
// Looks at a capture while it is read: one for each second of its time, as there would be live.
#pragma once

#include <cstdint>
#include <functional>

#include "collector/run/capture_source.h"
#include "collector/run/watcher.h"

namespace lunscope {

// Reads the capture, the one source of the watcher, to its end. look: called with the time of the
// look. All that is older has been taken in by then, and nothing that is later. drained: called
// behind each drain.
void ReadWithLooks(Watcher& watcher, CaptureSource& capture,
                   const std::function<void(uint64_t now_ns)>& look,
                   const std::function<void()>& drained);

}  // namespace lunscope
