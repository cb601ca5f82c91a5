// SPDX-License-Identifier: Apache-2.0
//
// Work that goes on beside the attached programs, in a thread of its own. No signal comes to that
// thread: those of the process are for its main thread.
#pragma once

#include <csignal>
#include <future>
#include <utility>

namespace lunscope {

// The thread inherits which signals are blocked, so they are before it is there.
template <typename Work, typename... Arguments>
auto StartBeside(Work work, Arguments... arguments) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  auto started = std::async(std::launch::async, std::move(work), std::move(arguments)...);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace lunscope
