// SPDX-License-Identifier: Apache-2.0
#include "collector/run/event_loop.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "collector/run/guarded_output.h"

namespace lunscope {

EventLoop::EventLoop(HangUp hang_up) : hang_up_(hang_up), epoll_fd_(epoll_create1(EPOLL_CLOEXEC)) {
  std::signal(SIGPIPE, SIG_IGN);
  // A shell starts background jobs with SIGINT ignored. An ignored signal does not reach a
  // signalfd.
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  sigemptyset(&ends_);
  for (const int number : {SIGINT, SIGTERM}) sigaddset(&ends_, number);
  if (std::signal(SIGHUP, SIG_DFL) == SIG_IGN && hang_up == HangUp::kEnds) {
    std::signal(SIGHUP, SIG_IGN);
  } else if (hang_up == HangUp::kEnds) {
    sigaddset(&ends_, SIGHUP);
  }
  sigset_t signals = ends_;
  sigaddset(&signals, SIGUSR1);
  if (hang_up == HangUp::kReloads) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal_fd_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  Watch(signal_fd_);
}

EventLoop::~EventLoop() {
  close(signal_fd_);
  close(epoll_fd_);
}

EventLoop::EndingAtOnce::EndingAtOnce(const EventLoop& loop) : ends_(loop.ends_) {
  pthread_sigmask(SIG_UNBLOCK, &ends_, nullptr);
}

EventLoop::EndingAtOnce::~EndingAtOnce() { pthread_sigmask(SIG_BLOCK, &ends_, nullptr); }

void EventLoop::Watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event);
}

EventLoop::Wake EventLoop::Wait(std::chrono::milliseconds longest) {
  epoll_event event{};
  const int ready = epoll_wait(epoll_fd_, &event, 1, static_cast<int>(longest.count()));
  if (ready <= 0) return Wake::kTimer;
  if (event.data.fd != signal_fd_) return Wake::kRing;
  signalfd_siginfo signal{};
  const bool is_read = read(signal_fd_, &signal, sizeof(signal)) == sizeof(signal);
  if (is_read && signal.ssi_signo == SIGHUP && hang_up_ == HangUp::kReloads) return Wake::kReload;
  if (is_read && signal.ssi_signo == SIGUSR1) return Wake::kAsk;
  EndOutputSoon();
  return Wake::kEnd;
}

}  // namespace lunscope
