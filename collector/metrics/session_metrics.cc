// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>
#include <vector>

#include "collector/metrics/catalogue.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

using prometheus::MetricType;

const char* DigestLabel(bool is_used) { return is_used ? "crc32c" : "none"; }

// Of those that differ in what is no label, one each: in the order of the labels.
using Sessions = std::vector<const SessionState*>;

auto Identity(const SessionState& session) {
  return std::tie(session.role, session.target, session.name);
}
auto Info(const SessionState& session) {
  return std::tuple_cat(Identity(session), std::tie(session.initiator, session.portal,
                                                    session.header_digest, session.data_digest));
}

Labels LabelsOf(const SessionState& session) {
  return {{"role", RoleLabel(session.role)}, {"target", session.target}, {"session", session.name}};
}

Sessions InOrder(const std::vector<SessionState>& all) {
  Sessions sessions;
  sessions.reserve(all.size());
  for (const SessionState& session : all) sessions.push_back(&session);
  std::ranges::sort(sessions, {}, [](const SessionState* session) { return Info(*session); });
  return sessions;
}

// One series is up if one of its sessions is.
void AddSessionsUp(const Sessions& sessions, Families& families) {
  Family family = families.New(MetricType::Gauge, "session_up",
                               "1 while a session has a connection in full feature phase; 0 after "
                               "it lost its last one without a logout.");
  for (auto first = sessions.begin(); first != sessions.end();) {
    const auto end = std::find_if(first, sessions.end(), [&](const SessionState* session) {
      return Identity(*session) != Identity(**first);
    });
    const bool is_up =
        std::any_of(first, end, [](const SessionState* session) { return session->is_up; });
    family.Add(LabelsOf(**first), is_up ? 1 : 0);
    first = end;
  }
}

void AddSessionInfos(const Sessions& sessions, Families& families) {
  Family family = families.New(MetricType::Gauge, "session_info",
                               "Names and digests of a session, from its login; always 1.");
  const SessionState* last = nullptr;
  for (const SessionState* session : sessions) {
    const bool is_new = last == nullptr || Info(*last) != Info(*session);
    last = session;
    if (!is_new) continue;
    Labels labels = LabelsOf(*session);
    labels.push_back({"initiator", session->initiator});
    labels.push_back({"portal", session->portal});
    labels.push_back({"header_digest", DigestLabel(session->header_digest)});
    labels.push_back({"data_digest", DigestLabel(session->data_digest)});
    family.Add(std::move(labels), 1);
  }
}

void AddConnections(const Snapshot& snapshot, Families& families) {
  Family family = families.New(MetricType::Gauge, "connections",
                               "Open connections, by the process that reads them: its name, the "
                               "guest that it runs if it is QEMU, its control group and network "
                               "namespace; empty where there is none.");
  for (const auto& [key, count] : snapshot.connections) {
    const auto& [target, process] = key;
    family.Add({{"role", RoleLabel(target.role)},
                {"target", target.name},
                {"comm", process.comm},
                {"guest", process.guest},
                {"cgroup", process.cgroup},
                {"network_namespace", process.network_namespace}},
               static_cast<double>(count));
  }
}

void AddInferredConnections(const Snapshot& snapshot, Families& families) {
  Family family = families.New(MetricType::Gauge, "inferred_connections",
                               "Connections that were open before lunscope began, named by what "
                               "this host says of its sessions and not by a login.");
  for (const auto& [key, count] : snapshot.inferred_connections) {
    family.Add(
        {{"role", RoleLabel(key.first.role)}, {"target", key.first.name}, {"source", key.second}},
        static_cast<double>(count));
  }
}

}  // namespace

void AddSessions(const Observation& observation, Families& families) {
  const Sessions sessions = InOrder(observation.snapshot.sessions);
  AddSessionsUp(sessions, families);
  AddSessionInfos(sessions, families);
  AddConnections(observation.snapshot, families);
  AddInferredConnections(observation.snapshot, families);
}

}  // namespace lunscope
