// SPDX-License-Identifier: Apache-2.0
//
// The time of this thread on a CPU. The time of other threads on the same CPU is not in it.
#pragma once

#include <ctime>

namespace lunscope {

inline double ThreadCpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace lunscope
