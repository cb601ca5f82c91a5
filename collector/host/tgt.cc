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
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "collector/host/files.h"
#include "collector/host/host.h"
#include "collector/host/portals.h"

namespace lunscope {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kTgtadm = "/usr/sbin/tgtadm";
constexpr size_t kMaxOutputBytes = size_t{4} << 20;
constexpr size_t kMaxDaemons = 16;

// The lines of tgtadm that tell of sessions. It names the accounts of CHAP as well, and what a
// login keeps secret is nowhere in our memory: no other line is kept.
constexpr const char* kPortal = "Portal: ";
constexpr const char* kTarget = "Target ";
constexpr const char* kInitiator = "            Initiator: ";
constexpr const char* kAddress = "                IP Address: ";
constexpr const char* kLun = "        LUN: ";
constexpr const char* kType = "            Type: ";
constexpr std::array kKept = {kPortal, kTarget, kInitiator, kAddress, kLun, kType};

void Keep(std::string_view lines, std::string* kept) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n') + 1);
    if (std::ranges::any_of(kKept,
                            [&](const char* beginning) { return line.starts_with(beginning); }))
      *kept += line;
    lines.remove_prefix(line.size());
  }
}

// The lines to keep of what comes out of this descriptor up to its end, the deadline, the most that
// is read, or a line that is longer than any of theirs.
std::string ReadUntil(int fd, Clock::time_point deadline, bool* is_whole) {
  std::string kept;
  std::array<char, 4096> buffer{};  // whatever else there is, is here only, and is wiped
  size_t filled = 0;
  for (size_t total = 0; total < kMaxOutputBytes && filled < buffer.size();) {
    const auto left = duration_cast<milliseconds>(deadline - Clock::now()).count();
    pollfd ready{fd, POLLIN, 0};
    if (left <= 0 || poll(&ready, 1, static_cast<int>(left)) <= 0) break;
    const ssize_t bytes = read(fd, buffer.data() + filled, buffer.size() - filled);
    if (bytes == 0) *is_whole = true;
    if (bytes <= 0) break;
    total += static_cast<size_t>(bytes);
    filled += static_cast<size_t>(bytes);
    const size_t whole_lines = std::string_view(buffer.data(), filled).rfind('\n') + 1;
    Keep({buffer.data(), whole_lines}, &kept);
    filled -= whole_lines;
    std::memmove(buffer.data(), buffer.data() + whole_lines, filled);
  }
  explicit_bzero(buffer.data(), buffer.size());
  return kept;
}

// What is kept of tgtadm's output; "" if it fails or is not done by the deadline.
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

// The numbers of the control sockets in the folder.
std::vector<std::string> Controls(const std::string& run_folder) {
  std::vector<std::string> controls;
  for (const std::string& name : ListFolder(run_folder)) {
    const std::string control = After(name, "socket.");
    const bool is_number = !control.empty() && std::ranges::all_of(control, [](unsigned char c) {
      return c >= '0' && c <= '9';
    });
    if (is_number && controls.size() < kMaxDaemons) controls.push_back(control);
  }
  return controls;
}

// "Portal: 127.0.0.1:3260,1": the address and port of each such line.
std::vector<std::string> ParseTgtPortals(const std::string& text) {
  std::vector<std::string> portals;
  for (const std::string& line : Lines(text)) {
    const std::string portal = After(line, kPortal);
    if (!portal.empty()) portals.push_back(portal.substr(0, portal.rfind(',')));
  }
  return portals;
}

// tgt's words for the types it emulates (print_type() of usr/target.c); what it passes through has
// none, for it does not tell.
int DeviceType(const std::string& word) {
  constexpr std::array<std::pair<std::string_view, int>, 6> kWords = {{{"disk", 0x00},
                                                                       {"tape", 0x01},
                                                                       {"cd/dvd", 0x05},
                                                                       {"changer", 0x08},
                                                                       {"controller", 0x0c},
                                                                       {"osd", 0x11}}};
  const auto* found = std::ranges::find(kWords, word, &std::pair<std::string_view, int>::first);
  return found == kWords.end() ? -1 : found->second;
}

// As tgt writes it in REPORT LUNS: peripheral addressing, above 255 flat space.
uint64_t LunOfNumber(uint64_t number) { return (number > 0xff ? number | 0x4000 : number) << 48; }

}  // namespace

std::vector<HostSession> ParseTgt(const std::string& portals, const std::string& targets) {
  HostSession session;
  session.role = LUNSCOPE_ROLE_TARGET;
  session.source = "tgtadm";
  for (const std::string& portal : ParseTgtPortals(portals))
    session.portals.push_back(ParseAddress(portal));
  std::vector<HostSession> sessions;
  size_t of_target = 0;  // where the sessions of this target begin: its LUNs follow them
  uint64_t lun = 0;
  for (const std::string& line : Lines(targets)) {
    // "Target 1: iqn.2001-04.com.example:disk"
    if (line.starts_with(kTarget) && line.find(": ") != std::string::npos) {
      session.target = line.substr(line.find(": ") + 2);
      of_target = sessions.size();
    }
    const std::string name = After(line, kInitiator);
    if (!name.empty()) session.initiator = name.substr(0, name.rfind(" alias: "));
    if (const std::string number = After(line, kLun); !number.empty())
      lun = LunOfNumber(std::strtoull(number.c_str(), nullptr, 10));
    if (const int type = DeviceType(After(line, kType)); type >= 0) {
      for (HostSession& each : std::span(sessions).subspan(of_target))
        each.device_types[lun] = type;
    }
    const std::string address = After(line, kAddress);
    if (address.empty()) continue;
    session.initiator_address = ParseAddress(address);
    sessions.push_back(session);
  }
  return sessions;
}

std::vector<HostSession> ReadTgt(const std::string& run_folder, milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  std::vector<HostSession> sessions;
  for (const std::string& control : Controls(run_folder)) {
    const std::string portals = Tgtadm(control, "portal", deadline);
    if (portals.empty()) continue;
    const std::vector<HostSession> found = ParseTgt(portals, Tgtadm(control, "target", deadline));
    sessions.insert(sessions.end(), found.begin(), found.end());
  }
  return sessions;
}

std::vector<Portal> ReadTgtPortals(const std::string& run_folder, milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  std::vector<Portal> portals;
  for (const std::string& control : Controls(run_folder)) {
    for (const std::string& address : ParseTgtPortals(Tgtadm(control, "portal", deadline)))
      portals.push_back({address, ParseAddress(address).port, "tgtadm"});
  }
  return portals;
}

}  // namespace lunscope
