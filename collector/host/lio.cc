// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <lunscope/types.h>

#include "collector/host/files.h"
#include "collector/host/host.h"
#include "collector/host/portals.h"

namespace lunscope {
namespace {

// The sessions of one access control list entry: its info has a line "   Address 192.0.2.7 TCP ..."
// for each connection, without the port.
void AddFromInfo(std::vector<HostSession>& sessions, HostSession session, const std::string& info) {
  for (const std::string& line : Lines(info)) {
    if (const std::string name = After(line, "InitiatorName: "); !name.empty())
      session.initiator = name;
    const std::string rest = After(line, "   Address ");
    if (rest.empty()) continue;
    session.initiator_address = ParseAddress(rest.substr(0, rest.find(' ')));
    sessions.push_back(session);
  }
}

void AddPortalGroup(std::vector<HostSession>& sessions, const std::string& target,
                    const std::string& folder) {
  HostSession session;
  session.role = LUNSCOPE_ROLE_TARGET;
  session.target = target;
  session.source = "configfs";
  for (const std::string& portal : ListFolder(folder + "/np"))
    session.portals.push_back(ParseAddress(portal));
  for (const std::string& name : ListFolder(folder + "/acls"))
    AddFromInfo(sessions, session, ReadWhole(fmt::format("{}/acls/{}/info", folder, name)));
  // Initiators without an entry of their own; of these only the names are told.
  session.initiator_address = {};
  for (const std::string& name : Lines(ReadWhole(folder + "/dynamic_sessions"))) {
    session.initiator = name.substr(0, name.find('\0'));
    if (!session.initiator.empty()) sessions.push_back(session);
  }
}

// Calls visit(name of a target, folder of one of its portal groups).
template <typename Visit>
void ForEachPortalGroup(const std::string& target, const Visit& visit) {
  const std::string fabric = target + "/iscsi";
  for (const std::string& name : ListFolder(fabric)) {
    for (const std::string& group : ListFolder(fmt::format("{}/{}", fabric, name))) {
      if (group.starts_with("tpgt_")) visit(name, fmt::format("{}/{}/{}", fabric, name, group));
    }
  }
}

}  // namespace

std::vector<HostSession> ReadLio(const std::string& target) {
  std::vector<HostSession> sessions;
  ForEachPortalGroup(target, [&](const std::string& name, const std::string& folder) {
    AddPortalGroup(sessions, name, folder);
  });
  return sessions;
}

std::vector<Portal> ReadLioPortals(const std::string& target) {
  std::vector<Portal> portals;
  ForEachPortalGroup(target, [&](const std::string& /*name*/, const std::string& folder) {
    for (const std::string& address : ListFolder(folder + "/np")) {
      const bool is_iser = ReadLine(fmt::format("{}/np/{}/iser", folder, address)) == "1";
      portals.push_back({address, ParseAddress(address).port, "configfs", is_iser});
    }
  });
  return portals;
}

}  // namespace lunscope
