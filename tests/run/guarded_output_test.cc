// SPDX-License-Identifier: Apache-2.0
//
// A process whose output nobody reads, and the signals that end it. Each case is a child process,
// because the streams are those of the whole process.
#include "collector/run/guarded_output.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>

#include "collector/run/event_loop.h"

namespace lunscope {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kMoreThanAPipe(1 << 20, 'x');
constexpr int kGivenUp = 7;

// Writes, and ends with kGivenUp if the stream says that something was not written.
void Write(std::FILE*& stream) {
  std::fwrite(kMoreThanAPipe.data(), 1, kMoreThanAPipe.size(), stream);
  std::fflush(stream);
  _exit(std::ferror(stream) != 0 ? kGivenUp : 0);
}

struct Child {
  pid_t pid;
  int reader;

  // Runs in a process of its own, whose standard output and error are a pipe to `reader`.
  explicit Child(const std::function<void(EventLoop&)>& run) {
    std::array<int, 2> ends;
    EXPECT_EQ(pipe(ends.data()), 0);
    reader = ends[0];
    pid = fork();
    if (pid != 0) {
      close(ends[1]);
      return;
    }
    close(ends[0]);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    EventLoop loop;
    GuardOutput();
    run(loop);
    _exit(1);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { close(reader); }

  // The exit code.
  [[nodiscard]] int Wait() const {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // One byte, so that it is known to write.
  void SeeItWrite() const {
    char byte = 0;
    EXPECT_EQ(read(reader, &byte, 1), 1);
  }
};

TEST(GuardedOutput, IsGivenUpIfASignalComesWhileNobodyReads) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    for (std::FILE** stream : {&stdout, &stderr}) {
      const Child child([&](EventLoop&) { Write(*stream); });
      child.SeeItWrite();
      kill(child.pid, number);
      EXPECT_EQ(child.Wait(), kGivenUp) << number;
    }
  }
}

TEST(GuardedOutput, IsGivenUpIfTheSignalCameBefore) {
  const Child child([](EventLoop& loop) {
    raise(SIGTERM);
    if (loop.Wait(seconds(60)) == EventLoop::Wake::kEnd) Write(stdout);
  });
  EXPECT_EQ(child.Wait(), kGivenUp);
}

TEST(GuardedOutput, WaitsForAReaderWithoutASignal) {
  const Child child([](EventLoop&) { Write(stdout); });
  usleep(2 * 1000 * std::chrono::duration_cast<milliseconds>(kLastOutput).count());
  size_t all = 0;
  std::array<char, 65536> bytes;
  for (ssize_t now = 0; (now = read(child.reader, bytes.data(), bytes.size())) > 0;)
    all += static_cast<size_t>(now);
  EXPECT_EQ(all, kMoreThanAPipe.size());
  EXPECT_EQ(child.Wait(), 0);
}

TEST(GuardedOutput, OfAReaderThatIsGoneIsAnError) {
  Child child([](EventLoop&) { Write(stdout); });
  close(child.reader);
  child.reader = dup(STDIN_FILENO);
  EXPECT_EQ(child.Wait(), kGivenUp);
}

}  // namespace
}  // namespace lunscope
