// SPDX-License-Identifier: Apache-2.0
#include "collector/host/survey.h"

#include <fmt/format.h>
#include <lunscope/types.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>

#include "collector/base/printable.h"
#include "collector/host/host.h"
#include "collector/host/unseen.h"

namespace lunscope {
namespace {

constexpr const char* kPortals = "portals";
constexpr const char* kSessions = "sessions";

bool Contains(const std::vector<uint16_t>& ports, uint16_t port) {
  return std::ranges::find(ports, port) != ports.end();
}

Finding DescribePort(const std::vector<Portal>& listeners, uint16_t port) {
  std::vector<std::string> addresses;
  for (const Portal& listener : listeners) {
    if (listener.port == port) addresses.push_back(listener.address);
  }
  return {kPortals,
          fmt::format("port {}", port),
          FindingState::kNote,
          addresses.empty() ? "nobody listens in this network namespace"
                            : fmt::format("listens on {}", fmt::join(addresses, ", ")),
          {{"port", uint64_t{port}}, {"listeners", addresses}}};
}

std::string PortOption(const std::set<uint16_t>& ports) {
  std::string words;
  for (const uint16_t port : ports) words += fmt::format(" --port {}", port);
  return words;
}

}  // namespace

std::vector<Finding> DescribePortals(const std::vector<Portal>& listeners,
                                     const std::vector<Portal>& portals,
                                     const std::vector<uint16_t>& ports) {
  std::vector<Finding> findings;
  findings.reserve(ports.size() + portals.size());
  for (const uint16_t port : ports) findings.push_back(DescribePort(listeners, port));
  for (const Portal& portal : portals) {
    if (portal.is_iser || Contains(ports, portal.port)) continue;
    const std::string address = Printable(portal.address);
    findings.push_back(
        {kPortals,
         "other port",
         FindingState::kWarning,
         fmt::format("{} of {} is not watched: add --port {}", address,
                     portal.source == "tgtadm" ? "tgt" : "LIO", portal.port),
         {{"port", uint64_t{portal.port}}, {"address", address}, {"source", portal.source}}});
  }
  return findings;
}

std::vector<Finding> DescribeSessions(const std::vector<HostSession>& sessions,
                                      const std::vector<uint16_t>& ports) {
  std::vector<Finding> findings;
  for (const HostSession& session : sessions) {
    const bool is_target = session.role == LUNSCOPE_ROLE_TARGET;
    const std::string target = Printable(session.target);
    const std::string initiator = Printable(session.initiator);
    std::set<uint16_t> other;
    bool is_watched = false;
    for (const SocketAddress& portal : session.portals) {
      is_watched = is_watched || Contains(ports, portal.port);
      other.insert(portal.port);
    }
    findings.push_back(
        {kSessions,
         session.source,
         is_watched ? FindingState::kNote : FindingState::kWarning,
         fmt::format(
             "{} {}{}", is_target ? "serves" : "uses", target,
             is_watched ? std::string() : fmt::format(": not watched, add{}", PortOption(other))),
         {{"role", std::string(is_target ? "target" : "initiator")},
          {"target", target},
          {"initiator", initiator},
          {"watched", is_watched}}});
  }
  if (findings.empty())
    findings.push_back(
        {kSessions, "sessions", FindingState::kNote, "none that sysfs, LIO or tgt tell of"});
  return findings;
}

std::vector<Finding> SurveyHost(const std::vector<uint16_t>& ports) {
  constexpr std::chrono::milliseconds kTgtLimit(1000);
  constexpr const char* kTarget = "/sys/kernel/config/target";
  std::vector<Portal> portals = ReadLioPortals(kTarget);
  const std::vector<Portal> of_tgt = ReadTgtPortals("/var/run/tgtd", kTgtLimit);
  portals.insert(portals.end(), of_tgt.begin(), of_tgt.end());
  std::vector<Finding> findings = DescribePortals(ReadListeners("/proc/self/net"), portals, ports);
  for (const std::vector<Finding>& more :
       {DescribeSessions(ReadHostSessions(), ports), FindUnseen("/sys", "/proc", kTarget)})
    findings.insert(findings.end(), more.begin(), more.end());
  return findings;
}

}  // namespace lunscope
