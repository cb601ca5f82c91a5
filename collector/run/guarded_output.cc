// SPDX-License-Identifier: Apache-2.0
#include "collector/run/guarded_output.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "collector/base/clock.h"

namespace lunscope {
namespace {

// How often a write that waits for its reader looks for a signal.
constexpr int kLookMs = 50;

std::atomic<uint64_t> give_up_ns = 0;  // of CLOCK_MONOTONIC; 0: nobody has asked for the end

bool does_hang_up_end = true;

bool IsAskedToEnd() {
  sigset_t pending;
  if (sigpending(&pending) != 0) return false;
  const auto has = [&](int number) { return sigismember(&pending, number) == 1; };
  return has(SIGINT) || has(SIGTERM) || (does_hang_up_end && has(SIGHUP));
}

bool IsOver() { return give_up_ns != 0 && MonotonicNs() >= give_up_ns; }

// False: it is over.
bool WaitForReader(int fd) {
  pollfd output{fd, POLLOUT, 0};
  while (poll(&output, 1, IsOver() ? 0 : kLookMs) <= 0) {
    if (IsOver()) return false;
    if (give_up_ns == 0 && IsAskedToEnd()) EndOutputSoon();
  }
  return true;
}

// As fopencookie() wants it: returns the bytes that were written; fewer than asked for: an error.
ssize_t Write(void* cookie, const char* bytes, size_t count) {
  const int fd = *static_cast<const int*>(cookie);
  size_t written = 0;
  while (written < count && WaitForReader(fd)) {
    // A pipe that poll() calls writable takes so much without waiting.
    const size_t piece = std::min<size_t>(count - written, PIPE_BUF);
    const ssize_t now = write(fd, bytes + written, piece);
    if (now < 0 && errno != EINTR && errno != EAGAIN) break;
    if (now > 0) written += static_cast<size_t>(now);
  }
  return static_cast<ssize_t>(written);
}

// fd: outlives the stream.
std::FILE* Guarded(int* fd, int buffering, std::FILE* otherwise) {
  std::fflush(otherwise);
  std::FILE* stream = fopencookie(fd, "w", {.write = &Write});
  if (stream == nullptr) return otherwise;
  std::setvbuf(stream, nullptr, buffering, BUFSIZ);
  return stream;
}

}  // namespace

void GuardOutput(bool hang_up_ends) {
  does_hang_up_end = hang_up_ends;
  give_up_ns = 0;
  static int output = STDOUT_FILENO;
  static int errors = STDERR_FILENO;
  stdout = Guarded(&output, _IOFBF, stdout);
  stderr = Guarded(&errors, _IONBF, stderr);
}

void EndOutputSoon() {
  uint64_t nobody = 0;
  give_up_ns.compare_exchange_strong(nobody,
                                     MonotonicNs() + std::chrono::nanoseconds(kLastOutput).count());
}

}  // namespace lunscope
