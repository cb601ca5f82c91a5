// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace lunscope {

// A thread that calls a function again and again, until its end, which does not wait for the
// interval.
class Repeater {
 public:
  Repeater(std::chrono::milliseconds interval, std::function<void()> function)
      : thread_([this, interval, function = std::move(function)] {
          std::unique_lock lock(mutex_);
          while (!ends_.wait_for(lock, interval, [this] { return is_ending_; })) function();
        }) {}
  Repeater(const Repeater&) = delete;
  Repeater& operator=(const Repeater&) = delete;
  ~Repeater() {
    {
      const std::lock_guard lock(mutex_);
      is_ending_ = true;
    }
    ends_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ends_;
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace lunscope
