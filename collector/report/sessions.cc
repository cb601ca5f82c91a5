// SPDX-License-Identifier: Apache-2.0
//
// The sessions of a report, and the connections that belong to none.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "collector/base/clock.h"
#include "collector/base/quantity.h"
#include "collector/lines/shared_keys.h"
#include "collector/names/names.h"
#include "collector/report/report.h"

namespace lunscope {
namespace {

constexpr size_t kMaxRows = 200;

std::string Join(const std::vector<std::string>& list, std::string_view between) {
  return fmt::format("{}", fmt::join(list, between));
}

// A peer chooses an alias, which may say as much as a name.
bool IsAlias(const Parameter& parameter) { return parameter.key.ends_with("Alias"); }

// "MaxBurstLength=262144", each value that is known.
void AddValues(const ParameterValues& values, StandIns& names, std::vector<std::string>& list) {
  for (size_t i = 0; i < kParameterCount; i++) {
    const Parameter& parameter = kParameters[i];
    if (values[i].empty()) continue;
    const char* of = !IsOfBoth(i)                                           ? ""
                     : parameter.result == ResultFunction::kInitiatorNumber ? "initiator "
                                                                            : "target ";
    list.push_back(
        fmt::format("{}{}={}", of, parameter.key,
                    IsAlias(parameter) ? names.Of(NameKind::kAlias, values[i]) : values[i]));
  }
}

// "192.0.2.1:40001 - 192.0.2.2:3260, process tgtd (42), guest vm1"
std::string ConnectionText(const Connection& connection, StandIns& names) {
  const bool is_target = connection.role == LUNSCOPE_ROLE_TARGET;
  const std::string local = names.OfAddress(OrUnknown(connection.local));
  const std::string remote = names.OfAddress(OrUnknown(connection.remote));
  std::string text = fmt::format("{} - {}", is_target ? remote : local, is_target ? local : remote);
  const LocalProcess& process = connection.process;
  if (process.id != 0)
    text +=
        fmt::format(", process {} ({})", names.Of(NameKind::kProcess, process.comm), process.id);
  if (!process.guest.empty()) text += ", guest " + names.Of(NameKind::kGuest, process.guest);
  return text;
}

std::vector<std::string> RowOf(const Model& model, const SessionKey& key, const Session& session,
                               int64_t offset_ns, StandIns& names) {
  std::vector<std::string> values;
  std::vector<std::string> connections;
  AddValues(session.parameters, names, values);
  for (const auto& [cid, id] : session.connections) {
    const Connection& connection = *model.FindConnection(id);
    connections.push_back(fmt::format("CID {}: {}", cid, ConnectionText(connection, names)));
    AddValues(connection.parameters, names, values);
  }
  const uint64_t since_ns = session.is_up() ? session.since_ns : session.down_since_ns;
  return {RoleLabel(key.role),
          session.is_up() ? "up" : "down",
          FormatTime(static_cast<int64_t>(since_ns) + offset_ns),
          session.name,
          names.Of(NameKind::kTarget, key.target),
          names.Of(NameKind::kInitiator, key.initiator),
          Join(connections, "; "),
          values.empty() ? "not known" : Join(values, ", ")};
}

std::vector<std::string> RowOf(const Connection& connection, int64_t offset_ns, StandIns& names) {
  std::vector<std::string> values;
  AddValues(connection.parameters, names, values);
  return {RoleLabel(connection.role),
          connection.is_midstream ? "open before" : "no session",
          FormatTime(static_cast<int64_t>(connection.met_ns) + offset_ns),
          "-",
          names.Of(NameKind::kTarget, connection.target->first.name),
          names.Of(NameKind::kInitiator, OrUnknown(connection.initiator)),
          ConnectionText(connection, names),
          values.empty() ? "not known" : Join(values, ", ")};
}

}  // namespace

void AddSessions(const Model& model, int64_t wall_clock_offset_ns, StandIns& names,
                 Report& report) {
  ReportTable table{"Sessions",
                    "",
                    {{"End"},
                     {"State"},
                     {"Since"},
                     {"Session"},
                     {"Target"},
                     {"Initiator"},
                     {"Connections"},
                     {"Parameters in effect"}},
                    {}};
  size_t left_out = 0;
  const auto has_room = [&] {
    if (table.rows.size() < kMaxRows) return true;
    left_out++;
    return false;
  };
  for (const auto& [key, session] : model.sessions().all()) {
    if (has_room()) table.rows.push_back(RowOf(model, key, session, wall_clock_offset_ns, names));
  }
  for (const auto& [id, connection] : model.connections()) {
    if (model.sessions().Has(connection.session, connection.cid, id)) continue;
    if (has_room()) table.rows.push_back(RowOf(connection, wall_clock_offset_ns, names));
  }
  if (table.rows.empty()) table.note = "No session was up at the end.";
  if (left_out != 0) table.note = fmt::format("{} more are not listed.", left_out);
  report.tables.push_back(std::move(table));
}

}  // namespace lunscope
