// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <lunscope/types.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>

#include "collector/host/files.h"
#include "collector/host/host.h"

namespace lunscope {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kTgtadm = "/usr/sbin/tgtadm";
constexpr size_t kMaxOutputBytes = size_t{4} << 20;
constexpr size_t kMaxDaemons = 16;

// What comes out of this descriptor up to its end, the deadline or the most that is read.
std::string ReadUntil(int fd, Clock::time_point deadline, bool* is_whole) {
  std::string text;
  std::array<char, 4096> piece{};
  while (text.size() < kMaxOutputBytes) {
    const auto left = duration_cast<milliseconds>(deadline - Clock::now()).count();
    pollfd ready{fd, POLLIN, 0};
    if (left <= 0 || poll(&ready, 1, static_cast<int>(left)) <= 0) return text;
    const ssize_t bytes = read(fd, piece.data(), piece.size());
    if (bytes == 0) *is_whole = true;
    if (bytes <= 0) return text;
    text.append(piece.data(), static_cast<size_t>(bytes));
  }
  return text;
}

// The output of tgtadm; "" if it fails or is not done by the deadline.
std::string Tgtadm(const std::string& control, const char* mode, Clock::time_point deadline) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  std::array<std::string, 9> words = {kTgtadm,  "-C", control, "--lld", "iscsi",
                                      "--mode", mode, "--op",  "show"};
  std::array<char*, words.size() + 1> arguments{};
  std::ranges::transform(words, arguments.begin(), [](std::string& word) { return word.data(); });
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, kTgtadm, &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  close(ends[1]);
  bool is_whole = false;
  std::string text = failed == 0 ? ReadUntil(ends[0], deadline, &is_whole) : std::string();
  close(ends[0]);
  if (failed != 0) return {};
  // A child that is waited for cannot be another process of its number.
  if (!is_whole) kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  return is_whole && status == 0 ? text : std::string();
}

}  // namespace

std::vector<HostSession> ParseTgt(const std::string& portals, const std::string& targets) {
  HostSession session;
  session.role = LUNSCOPE_ROLE_TARGET;
  session.source = "tgtadm";
  // "Portal: 127.0.0.1:3260,1"
  for (const std::string& line : Lines(portals)) {
    const std::string portal = After(line, "Portal: ");
    if (!portal.empty())
      session.portals.push_back(ParseAddress(portal.substr(0, portal.rfind(','))));
  }
  std::vector<HostSession> sessions;
  for (const std::string& line : Lines(targets)) {
    // "Target 1: iqn.2001-04.com.example:disk"
    if (line.starts_with("Target ") && line.find(": ") != std::string::npos)
      session.target = line.substr(line.find(": ") + 2);
    const std::string name = After(line, "            Initiator: ");
    if (!name.empty()) session.initiator = name.substr(0, name.rfind(" alias: "));
    const std::string address = After(line, "                IP Address: ");
    if (address.empty()) continue;
    session.initiator_address = ParseAddress(address);
    sessions.push_back(session);
  }
  return sessions;
}

std::vector<HostSession> ReadTgt(const std::string& run_folder, milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  std::vector<HostSession> sessions;
  size_t daemons = 0;
  for (const std::string& name : ListFolder(run_folder)) {
    const std::string control = After(name, "socket.");
    const bool is_number = !control.empty() && std::ranges::all_of(control, [](unsigned char c) {
      return c >= '0' && c <= '9';
    });
    if (!is_number || ++daemons > kMaxDaemons) continue;
    const std::string portals = Tgtadm(control, "portal", deadline);
    if (portals.empty()) continue;
    const std::vector<HostSession> found = ParseTgt(portals, Tgtadm(control, "target", deadline));
    sessions.insert(sessions.end(), found.begin(), found.end());
  }
  return sessions;
}

}  // namespace lunscope
