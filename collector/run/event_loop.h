// SPDX-License-Identifier: Apache-2.0
//
// The main thread waits here: for a file descriptor that has work, a timer, or a signal.
#pragma once

#include <chrono>

#include "collector/base/result.h"

namespace lunscope {

class EventLoop {
 public:
  enum class Wake { kTimer, kRing, kAsk, kEnd };

  // Blocks SIGINT, SIGTERM and SIGHUP, which end, and SIGUSR1, which asks, in this thread and in
  // those that it starts, so that these signals arrive here. Build the loop before any other
  // thread. SIGHUP stays ignored if it was (nohup). SIGPIPE is ignored: a closed standard output
  // shows as an error of a write.
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  // REQUIRES: the descriptor stays open as long as the loop waits.
  void Watch(int wakeup_fd);
  Wake Wait(std::chrono::milliseconds longest);

 private:
  int epoll_fd_;
  int signal_fd_;
};

}  // namespace lunscope
