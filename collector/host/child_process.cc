// SPDX-License-Identifier: Apache-2.0
#include "collector/host/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <optional>
#include <thread>

namespace lunscope {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr size_t kMaxOutputBytes = size_t{4} << 20;
constexpr size_t kMaxLineBytes = 4096;
// A killed process is gone at once, unless it waits in the kernel without taking signals.
constexpr milliseconds kKillLimit(100);

// False: the deadline has passed.
bool WaitReadable(int fd, Deadline deadline) {
  const auto left = duration_cast<milliseconds>(deadline - Clock::now()).count();
  pollfd ready{fd, POLLIN, 0};
  return left > 0 && poll(&ready, 1, static_cast<int>(left)) > 0;
}

void Keep(std::string_view lines, const LineFilter& keeps, std::string* kept) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n') + 1);
    if (keeps(line)) *kept += line;
    lines.remove_prefix(line.size());
  }
}

// Reads to the end of the file. Returns nothing if a limit is reached before.
std::optional<std::string> ReadLines(int fd, Deadline deadline, const LineFilter& keeps) {
  std::string kept;
  bool is_whole = false;
  std::array<char, kMaxLineBytes> buffer{};
  size_t filled = 0;
  for (size_t total = 0; total < kMaxOutputBytes && filled < buffer.size();) {
    if (!WaitReadable(fd, deadline)) break;
    const ssize_t bytes = read(fd, buffer.data() + filled, buffer.size() - filled);
    is_whole = bytes == 0;
    if (bytes <= 0) break;
    total += static_cast<size_t>(bytes);
    filled += static_cast<size_t>(bytes);
    const size_t whole_lines = std::string_view(buffer.data(), filled).rfind('\n') + 1;
    Keep({buffer.data(), whole_lines}, keeps, &kept);
    filled -= whole_lines;
    std::memmove(buffer.data(), buffer.data() + whole_lines, filled);
    // The program may take its time now, and a line that is not kept may hold a secret.
    explicit_bzero(buffer.data() + filled, buffer.size() - filled);
  }
  explicit_bzero(buffer.data(), buffer.size());
  return is_whole ? std::optional(kept) : std::nullopt;
}

// Starts the program with its standard output in this pipe. Returns 0 if that fails.
pid_t Start(std::vector<std::string>& arguments, int output) {
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, words[0], &files, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  return failed == 0 ? pid : 0;
}

// The program's wait status, or nothing if it is still there at the deadline. Asks again and again,
// because waitpid() takes no deadline; a program that has closed its output ends at once.
std::optional<int> WaitForEnd(pid_t pid, Deadline deadline) {
  constexpr milliseconds kPause(1);
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (Clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(kPause);
  }
  return status;
}

// The number of a child cannot belong to another process before it is waited for, so the signal
// cannot hit another process. A child that stays even so is left for init to wait for.
void Kill(pid_t pid) {
  kill(pid, SIGKILL);
  WaitForEnd(pid, Clock::now() + kKillLimit);
}

}  // namespace

std::string OutputOf(std::vector<std::string> arguments, Deadline deadline,
                     const LineFilter& keeps) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const pid_t pid = Start(arguments, ends[1]);
  close(ends[1]);
  const std::optional<std::string> text =
      pid == 0 ? std::nullopt : ReadLines(ends[0], deadline, keeps);
  close(ends[0]);
  if (pid == 0) return {};
  const std::optional<int> status = text ? WaitForEnd(pid, deadline) : std::nullopt;
  if (!status) Kill(pid);
  return status == 0 ? *text : std::string();
}

}  // namespace lunscope
