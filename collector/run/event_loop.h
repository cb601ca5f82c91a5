// SPDX-License-Identifier: Apache-2.0
//
// The main thread's wait: for the ring's high-water mark, a timer, or a signal to end.
#pragma once

#include <chrono>

#include "collector/base/result.h"

namespace lunscope {

class EventLoop {
 public:
  enum class Wake { kTimer, kRing, kEnd };

  // Blocks SIGINT and SIGTERM in this thread and those it starts, so that they arrive here: build
  // it before any other thread. SIGPIPE is ignored; a closed standard output shows as an error.
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  void Watch(int wakeup_fd);
  Wake Wait(std::chrono::milliseconds longest);

 private:
  int epoll_fd_;
  int signal_fd_;
};

}  // namespace lunscope
