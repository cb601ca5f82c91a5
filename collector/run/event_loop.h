// SPDX-License-Identifier: Apache-2.0
//
// The main thread waits here: for a file descriptor that has work, a timer, or a signal.
#pragma once

#include <chrono>
#include <csignal>

#include "collector/base/result.h"

namespace lunscope {

class EventLoop {
 public:
  enum class Wake { kTimer, kRing, kAsk, kReload, kEnd };
  // The meaning of SIGHUP.
  enum class HangUp { kEnds, kReloads };

  // Blocks SIGINT and SIGTERM, which end, SIGUSR1, which asks, and SIGHUP in this thread and in
  // those that it starts, so that these signals arrive here. Build the loop before any other
  // thread. A SIGHUP that would end stays ignored if it was (nohup). SIGPIPE is ignored: a closed
  // standard output shows as an error of a write.
  explicit EventLoop(HangUp hang_up = HangUp::kEnds);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  // While this lives, a signal that ends the process ends it at once, as it does any program. For
  // work that no signal interrupts and that leaves nothing behind: the kernel takes a second to
  // verify the programs on a slow host. REQUIRES: a thread that is started in the meantime has its
  // signals blocked.
  class EndingAtOnce {
   public:
    explicit EndingAtOnce(const EventLoop& loop);
    EndingAtOnce(const EndingAtOnce&) = delete;
    EndingAtOnce& operator=(const EndingAtOnce&) = delete;
    ~EndingAtOnce();

   private:
    const sigset_t& ends_;
  };

  // REQUIRES: the descriptor stays open as long as the loop waits.
  void Watch(int wakeup_fd);
  Wake Wait(std::chrono::milliseconds longest);

 private:
  const HangUp hang_up_;
  sigset_t ends_;  // the signals that end the process
  int epoll_fd_;
  int signal_fd_;
};

}  // namespace lunscope
