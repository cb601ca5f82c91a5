// SPDX-License-Identifier: Apache-2.0
#include "collector/host/listeners.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "collector/base/address.h"
#include "collector/base/files.h"

namespace lunscope {
namespace {

constexpr const char* kListen = "0A";  // TCP_LISTEN, as get_tcp4_sock() prints it
constexpr size_t kWordDigits = 8;
// Some 6,000 lines. The kernel pads a line of tcp to 149 bytes.
constexpr size_t kMaxTableBytes = size_t{1} << 20;

// "0100007F:0CBC": 32-bit words in the CPU's byte order, each of them in network order.
Portal ParseLocal(const std::string& local) {
  Portal portal;
  portal.source = "socket";
  const size_t colon = local.find(':');
  if (colon != kWordDigits && colon != 4 * kWordDigits) return portal;
  std::array<uint8_t, 16> address{};
  for (size_t at = 0; at < colon; at += kWordDigits) {
    const auto word =
        static_cast<uint32_t>(std::strtoul(local.substr(at, kWordDigits).c_str(), nullptr, 16));
    std::memcpy(address.data() + at / 2, &word, sizeof(word));
  }
  portal.port = static_cast<uint16_t>(std::strtoul(local.c_str() + colon + 1, nullptr, 16));
  portal.address = FormatAddress(address.data(), colon != kWordDigits, portal.port);
  return portal;
}

}  // namespace

std::vector<Portal> ParseListeners(const std::string& text) {
  std::vector<Portal> portals;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);  // the headings
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string number;
    std::string local;
    std::string remote;
    std::string state;
    words >> number >> local >> remote >> state;
    // The kernel lists listening sockets first. There may be a million of the others.
    if (state != kListen) break;
    const Portal portal = ParseLocal(local);
    if (portal.port != 0) portals.push_back(portal);
  }
  return portals;
}

std::vector<Portal> ReadListeners(const std::string& net) {
  std::vector<Portal> portals;
  for (const char* file : {"/tcp", "/tcp6"}) {
    const std::vector<Portal> found = ParseListeners(ReadWhole(net + file, kMaxTableBytes));
    portals.insert(portals.end(), found.begin(), found.end());
  }
  return portals;
}

}  // namespace lunscope
