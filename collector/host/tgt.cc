// SPDX-License-Identifier: Apache-2.0
#include "collector/host/tgt.h"

#include <lunscope/types.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <string_view>
#include <utility>

#include "collector/base/files.h"
#include "collector/host/child_process.h"

namespace lunscope {
namespace {

constexpr const char* kTgtadm = "/usr/sbin/tgtadm";
constexpr size_t kMaxDaemons = 16;

// How the lines that we need begin. No other line is kept, because tgtadm prints the accounts of
// CHAP as well, and lunscope keeps no secret of a login.
constexpr const char* kPortal = "Portal: ";
constexpr const char* kTarget = "Target ";
constexpr const char* kInitiator = "            Initiator: ";
constexpr const char* kAddress = "                IP Address: ";
constexpr const char* kLun = "        LUN: ";
constexpr const char* kType = "            Type: ";
constexpr const char* kPath = "            Backing store path: ";
constexpr std::array kKept = {kPortal, kTarget, kInitiator, kAddress, kLun, kType, kPath};

bool IsKept(std::string_view line) {
  return std::ranges::any_of(kKept, [&](const char* prefix) { return line.starts_with(prefix); });
}

std::string Show(const std::string& control, const char* mode, Deadline deadline) {
  return OutputOf({kTgtadm, "-C", control, "--lld", "iscsi", "--mode", mode, "--op", "show"},
                  deadline, IsKept);
}

// The numbers of the control sockets in the folder: 0 for "socket.0".
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

// The addresses of lines like "Portal: 127.0.0.1:3260,1".
std::vector<std::string> ParseTgtPortals(const std::string& text) {
  std::vector<std::string> portals;
  for (const std::string& line : Lines(text)) {
    const std::string portal = After(line, kPortal);
    if (!portal.empty()) portals.push_back(portal.substr(0, portal.rfind(',')));
  }
  return portals;
}

// tgt's words for the device types that it emulates (print_type() of usr/target.c). Returns
// -1 for any other word: tgt does not print the type of a device that it passes through.
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

// The eight bytes of a LUN as tgt writes them in REPORT LUNS: peripheral device addressing up to
// 255, flat space addressing above (SAM-5 section 4.7).
uint64_t LunOfNumber(uint64_t number) { return (number > 0xff ? number | 0x4000 : number) << 48; }

// Reads "--mode target" line by line. tgtadm lists a target's sessions before its LUNs.
class TargetParser {
 public:
  explicit TargetParser(std::vector<SocketAddress> portals) {
    session_.role = LUNSCOPE_ROLE_TARGET;
    session_.source = "tgtadm";
    session_.is_asked_once = true;
    session_.portals = std::move(portals);
  }

  void Read(const std::string& line) {
    // "Target 1: iqn.2001-04.com.example:disk"
    if (line.starts_with(kTarget) && line.find(": ") != std::string::npos) {
      session_.target = line.substr(line.find(": ") + 2);
      session_.initiator.clear();
      session_.initiator_address = {};
      first_of_target_ = sessions_.size();
    }
    if (const std::string name = After(line, kInitiator); !name.empty())
      session_.initiator = name.substr(0, name.rfind(" alias: "));
    if (const std::string number = After(line, kLun); !number.empty())
      lun_ = LunOfNumber(std::strtoull(number.c_str(), nullptr, 10));
    if (const int type = DeviceType(After(line, kType)); type >= 0) {
      for (HostSession& each : OfTarget()) each.device_types[lun_] = type;
    }
    if (const std::string path = After(line, kPath); !path.empty() && path != "None") {
      for (HostSession& each : OfTarget()) each.luns[lun_].device = path;
    }
    if (const std::string address = After(line, kAddress); !address.empty()) {
      session_.initiator_address = ParseAddress(address);
      sessions_.push_back(session_);
    }
  }

  [[nodiscard]] const std::vector<HostSession>& sessions() const { return sessions_; }

 private:
  // The sessions of the target that is being read. A target that nobody has logged in to has one
  // entry without a connection.
  std::span<HostSession> OfTarget() {
    if (first_of_target_ == sessions_.size()) {
      sessions_.push_back(session_);
      sessions_.back().has_connection = false;
    }
    return std::span(sessions_).subspan(first_of_target_);
  }

  std::vector<HostSession> sessions_;
  HostSession session_;  // the next one, as far as it has been read
  size_t first_of_target_ = 0;
  uint64_t lun_ = 0;
};

}  // namespace

std::vector<HostSession> ParseTgt(const std::string& portals, const std::string& targets) {
  std::vector<SocketAddress> addresses;
  for (const std::string& portal : ParseTgtPortals(portals))
    addresses.push_back(ParseAddress(portal));
  TargetParser parser(std::move(addresses));
  for (const std::string& line : Lines(targets)) parser.Read(line);
  return parser.sessions();
}

std::vector<HostSession> ReadTgtSessions(const std::string& run_folder,
                                         std::chrono::milliseconds limit) {
  const Deadline deadline = std::chrono::steady_clock::now() + limit;
  std::vector<HostSession> sessions;
  for (const std::string& control : Controls(run_folder)) {
    const std::string portals = Show(control, "portal", deadline);
    if (portals.empty()) continue;
    const std::vector<HostSession> found = ParseTgt(portals, Show(control, "target", deadline));
    sessions.insert(sessions.end(), found.begin(), found.end());
  }
  return sessions;
}

std::vector<Portal> ReadTgtPortals(const std::string& run_folder, std::chrono::milliseconds limit) {
  const Deadline deadline = std::chrono::steady_clock::now() + limit;
  std::vector<Portal> portals;
  for (const std::string& control : Controls(run_folder)) {
    for (const std::string& address : ParseTgtPortals(Show(control, "portal", deadline)))
      portals.push_back({address, ParseAddress(address).port, "tgtadm"});
  }
  return portals;
}

}  // namespace lunscope
