// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "collector/base/address.h"
#include "collector/host/files.h"
#include "collector/host/portals.h"

namespace lunscope {
namespace {

constexpr const char* kListen = "0A";  // TCP_LISTEN, as get_tcp4_sock() prints it
constexpr size_t kWordDigits = 8;

// "0100007F:0CBC": words of the address as the CPU has them, of which each is in network order.
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

void AddListeners(std::vector<Portal>& portals, const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);  // the headings
  while (portals.size() < kMaxEntries && std::getline(file, line)) {
    std::istringstream words(line);
    std::string number;
    std::string local;
    std::string remote;
    std::string state;
    words >> number >> local >> remote >> state;
    // Those that listen come first, and of the others there may be a million.
    if (state != kListen) return;
    const Portal portal = ParseLocal(local);
    if (portal.port != 0) portals.push_back(portal);
  }
}

}  // namespace

std::vector<Portal> ReadListeners(const std::string& net) {
  std::vector<Portal> portals;
  AddListeners(portals, net + "/tcp");
  AddListeners(portals, net + "/tcp6");
  return portals;
}

}  // namespace lunscope
