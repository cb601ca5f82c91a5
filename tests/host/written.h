// SPDX-License-Identifier: Apache-2.0
//
// Sessions, portals and findings as lines of text, so that a test can list what it expects.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "collector/base/check_result.h"
#include "collector/base/host_session.h"
#include "collector/host/portal.h"

namespace lunscope {

// The eight bytes of a LUN that has only its first two.
inline uint64_t Lun(uint64_t first_two_bytes) { return first_two_bytes << 48; }

// "target initiator portal[,portal] from initiator:port source"
inline std::vector<std::string> Written(const std::vector<HostSession>& sessions) {
  std::vector<std::string> lines;
  for (const HostSession& session : sessions) {
    std::string portals;
    for (const SocketAddress& portal : session.portals)
      portals += fmt::format("{}{}:{}", portals.empty() ? "" : ",", portal.host, portal.port);
    lines.push_back(fmt::format("{} {} {} from {}:{} {}", session.target, session.initiator,
                                portals, session.initiator_address.host,
                                session.initiator_address.port, session.source));
  }
  return lines;
}

// "address port source [iser]"
inline std::vector<std::string> Written(const std::vector<Portal>& portals) {
  std::vector<std::string> lines;
  for (const Portal& portal : portals)
    lines.push_back(fmt::format("{} {} {}{}", portal.address, portal.port, portal.source,
                                portal.is_iser ? " iser" : ""));
  return lines;
}

// "warning name: detail"
inline std::vector<std::string> Written(const std::vector<CheckResult>& findings) {
  constexpr const char* kStates[] = {"ok", "note", "warning", "failure"};
  std::vector<std::string> lines;
  for (const CheckResult& finding : findings)
    lines.push_back(fmt::format("{} {}: {}", kStates[static_cast<int>(finding.state)], finding.name,
                                finding.detail));
  return lines;
}

}  // namespace lunscope
