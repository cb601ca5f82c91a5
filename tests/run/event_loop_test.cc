// SPDX-License-Identifier: Apache-2.0
#include "collector/run/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <vector>

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
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    EventLoop loop;
    raise(number);
    EXPECT_EQ(loop.Wait(seconds(60)), Wake::kEnd);
  }
}

TEST(EventLoop, IsAskedByASignal) {
  EventLoop loop;
  raise(SIGUSR1);
  EXPECT_EQ(loop.Wait(seconds(60)), Wake::kAsk);
  EXPECT_EQ(loop.Wait(milliseconds(1)), Wake::kTimer);
}

TEST(EventLoop, AHangUpReloadsIfThereIsSomethingToReload) {
  EventLoop loop(EventLoop::HangUp::kReloads);
  raise(SIGHUP);
  EXPECT_EQ(loop.Wait(seconds(60)), Wake::kReload);
  raise(SIGTERM);
  EXPECT_EQ(loop.Wait(seconds(60)), Wake::kEnd);
}

TEST(EventLoop, EndsAtOnceWhatCannotWait) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EXIT(
        {
          EventLoop loop;
          const EventLoop::EndingAtOnce working(loop);
          raise(number);
        },
        testing::KilledBySignal(number), "");
  }
}

TEST(EventLoop, WaitsAgainBehindWhatCannot) {
  EventLoop loop(EventLoop::HangUp::kReloads);
  {
    const EventLoop::EndingAtOnce working(loop);
    raise(SIGHUP);
  }
  raise(SIGTERM);
  std::vector<Wake> wakes = {loop.Wait(seconds(60)), loop.Wait(seconds(60))};
  EXPECT_THAT(wakes, testing::UnorderedElementsAre(Wake::kReload, Wake::kEnd));
}

// As nohup has it.
TEST(EventLoop, LeavesAnIgnoredHangUpAlone) {
  sigset_t hang_up;  // an earlier loop has blocked it
  sigemptyset(&hang_up);
  sigaddset(&hang_up, SIGHUP);
  pthread_sigmask(SIG_UNBLOCK, &hang_up, nullptr);
  std::signal(SIGHUP, SIG_IGN);
  EventLoop loop;
  raise(SIGHUP);
  EXPECT_EQ(loop.Wait(milliseconds(1)), Wake::kTimer);
  std::signal(SIGHUP, SIG_DFL);
}

TEST(EventLoop, AClosedOutputIsNoSignal) {
  EventLoop loop;
  raise(SIGPIPE);
  EXPECT_EQ(loop.Wait(milliseconds(1)), Wake::kTimer);
}

}  // namespace
}  // namespace lunscope
