// SPDX-License-Identifier: Apache-2.0
#include "collector/run/event_loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>

namespace lunscope {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Wake = EventLoop::Wake;

TEST(EventLoop, EndsAWaitByItsTimer) {
  EventLoop loop;
  EXPECT_EQ(loop.Wait(milliseconds(1)), Wake::kTimer);
}

TEST(EventLoop, WakesUpForWhatItWatches) {
  EventLoop loop;
  const int fd = eventfd(1, EFD_CLOEXEC);
  loop.Watch(fd);
  EXPECT_EQ(loop.Wait(seconds(60)), Wake::kRing);
  close(fd);
}

TEST(EventLoop, EndsBySignals) {
  for (const int number : {SIGINT, SIGTERM}) {
    EventLoop loop;
    raise(number);
    EXPECT_EQ(loop.Wait(seconds(60)), Wake::kEnd);
    sigset_t pending;
    sigemptyset(&pending);
    sigaddset(&pending, number);
    int taken = 0;
    sigwait(&pending, &taken);
    EXPECT_EQ(taken, number);
  }
}

TEST(EventLoop, AClosedOutputIsNoSignal) {
  EventLoop loop;
  raise(SIGPIPE);
  EXPECT_EQ(loop.Wait(milliseconds(1)), Wake::kTimer);
}

}  // namespace
}  // namespace lunscope
