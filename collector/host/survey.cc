// SPDX-License-Identifier: Apache-2.0
#include "collector/host/survey.h"

#include <fmt/format.h>
#include <lunscope/types.h>

#include <algorithm>
#include <set>
#include <string>

#include "collector/base/printable.h"
#include "collector/host/host.h"
#include "collector/host/lio.h"
#include "collector/host/listeners.h"
#include "collector/host/tgt.h"
#include "collector/host/unseen.h"

namespace lunscope {
namespace {

constexpr const char* kPortals = "portals";
constexpr const char* kSessions = "sessions";

bool Contains(const std::vector<uint16_t>& ports, uint16_t port) {
  return std::ranges::find(ports, port) != ports.end();
}

void Append(std::vector<CheckResult>& findings, const std::vector<CheckResult>& more) {
  findings.insert(findings.end(), more.begin(), more.end());
}

CheckResult DescribePort(const std::vector<Portal>& listeners, uint16_t port) {
  std::vector<std::string> addresses;
  for (const Portal& listener : listeners) {
    if (listener.port == port) addresses.push_back(listener.address);
  }
  return {kPortals,
          fmt::format("port {}", port),
          CheckState::kNote,
          addresses.empty() ? "no socket listens in this network namespace"
                            : fmt::format("listening on {}", fmt::join(addresses, ", ")),
          {{"port", uint64_t{port}}, {"listeners", addresses}}};
}

CheckResult DescribeOtherPort(const Portal& portal) {
  const std::string address = Printable(portal.address);
  return {kPortals,
          "other port",
          CheckState::kWarning,
          fmt::format("{} of {} is not watched: add --port {}", address,
                      portal.source == "tgtadm" ? "tgt" : "LIO", portal.port),
          {{"port", uint64_t{portal.port}}, {"address", address}, {"source", portal.source}}};
}

CheckResult DescribeSession(const HostSession& session, const std::vector<uint16_t>& ports) {
  const bool is_target = session.role == LUNSCOPE_ROLE_TARGET;
  const std::string target = Printable(session.target);
  const std::string initiator = Printable(session.initiator);
  const bool is_watched = std::ranges::any_of(
      session.portals, [&](const SocketAddress& portal) { return Contains(ports, portal.port); });
  std::string detail = fmt::format("this host {} {}", is_target ? "serves" : "uses", target);
  if (!is_watched) {
    std::set<uint16_t> others;
    for (const SocketAddress& portal : session.portals) others.insert(portal.port);
    detail += ", which is not watched: add";
    for (const uint16_t port : others) detail += fmt::format(" --port {}", port);
  }
  return {kSessions,
          session.source,
          is_watched ? CheckState::kNote : CheckState::kWarning,
          detail,
          {{"role", std::string(is_target ? "target" : "initiator")},
           {"target", target},
           {"initiator", initiator},
           {"watched", is_watched}}};
}

}  // namespace

std::vector<CheckResult> DescribePortals(const std::vector<Portal>& listeners,
                                         const std::vector<Portal>& portals,
                                         const std::vector<uint16_t>& ports) {
  std::vector<CheckResult> findings;
  findings.reserve(ports.size() + portals.size());
  for (const uint16_t port : ports) findings.push_back(DescribePort(listeners, port));
  for (const Portal& portal : portals) {
    if (!portal.is_iser && !Contains(ports, portal.port))
      findings.push_back(DescribeOtherPort(portal));
  }
  return findings;
}

std::vector<CheckResult> DescribeSessions(const std::vector<HostSession>& sessions,
                                          const std::vector<uint16_t>& ports) {
  std::vector<CheckResult> findings;
  for (const HostSession& session : sessions) {
    if (session.has_connection) findings.push_back(DescribeSession(session, ports));
  }
  if (findings.empty())
    findings.push_back(
        {kSessions, "sessions", CheckState::kNote, "sysfs, LIO and tgt list no session"});
  return findings;
}

std::vector<CheckResult> SurveyHost(const std::vector<uint16_t>& ports) {
  std::vector<Portal> portals = ReadLioPortals(kLioFolder);
  const std::vector<Portal> of_tgt = ReadTgtPortals(kTgtFolder, kTgtLimit);
  portals.insert(portals.end(), of_tgt.begin(), of_tgt.end());
  std::vector<CheckResult> findings =
      DescribePortals(ReadListeners("/proc/self/net"), portals, ports);
  Append(findings, DescribeSessions(ReadHostSessions(), ports));
  Append(findings, FindUnseen("/sys", "/proc", kLioFolder));
  return findings;
}

}  // namespace lunscope
