// SPDX-License-Identifier: Apache-2.0
//
// What this thread has spent on a CPU: others that use the same one are not in it.
#pragma once

#include <ctime>

namespace lunscope {

inline double ThreadCpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace lunscope
