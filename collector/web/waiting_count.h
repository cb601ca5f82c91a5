// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace lunscope {

// How many connections wait for a page or a password. Safe to call from several threads.
class WaitingCount {
 public:
  void Begin() {
    const std::lock_guard lock(mutex_);
    count_++;
  }
  void End() {
    const std::lock_guard lock(mutex_);
    count_--;
    ended_.notify_one();
  }
  void WaitForNone() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  size_t count_ = 0;
};

}  // namespace lunscope
