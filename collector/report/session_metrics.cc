// SPDX-License-Identifier: Apache-2.0
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "collector/report/catalogue.h"
#include "collector/report/names.h"

namespace lunscope {
namespace {

using prometheus::MetricType;

const char* DigestLabel(bool is_used) { return is_used ? "crc32c" : "none"; }

Labels Named(std::initializer_list<const char*> names, const std::vector<std::string>& values) {
  Labels labels;
  for (const char* name : names) labels.push_back({name, values[labels.size()]});
  return labels;
}

void AddSessionSeries(const Snapshot& snapshot, Families& families) {
  // Sessions that differ in what is no label are one series: up if one of them is.
  std::map<std::vector<std::string>, bool> up;
  std::set<std::vector<std::string>> infos;
  for (const auto& [key, session] : snapshot.sessions) {
    std::vector<std::string> values = {RoleLabel(key.role), key.target, session.name};
    bool& is_up = up[values];
    is_up = is_up || session.is_up();
    values.insert(values.end(), {key.initiator, session.portal, DigestLabel(session.header_digest),
                                 DigestLabel(session.data_digest)});
    infos.insert(std::move(values));
  }
  {
    Family family =
        families.New(MetricType::Gauge, "session_up",
                     "1 while a session has a connection in full feature phase; 0 after "
                     "it lost its last one without a logout.");
    for (const auto& [values, is_up] : up)
      family.Add(Named({"role", "target", "session"}, values), is_up ? 1 : 0);
  }
  Family family = families.New(MetricType::Gauge, "session_info",
                               "Names and digests of a session, from its login; always 1.");
  for (const auto& values : infos) {
    family.Add(
        Named({"role", "target", "session", "initiator", "portal", "header_digest", "data_digest"},
              values),
        1);
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
  AddSessionSeries(observation.snapshot, families);
  AddConnections(observation.snapshot, families);
  AddInferredConnections(observation.snapshot, families);
}

}  // namespace lunscope
