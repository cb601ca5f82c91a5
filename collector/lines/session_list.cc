// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/session_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "collector/base/clock.h"
#include "collector/lines/json_line.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

constexpr const char* kSessionRow = "{:<3} {:<5} {:>4} {:<27} {:<17} {:<21} {} {}\n";

std::string JsonValue(const Parameter& parameter, const std::string& value) {
  if (IsNumber(parameter)) return value;
  if (IsBoolean(parameter)) return value == "Yes" ? "true" : "false";
  return Quoted(value);
}

// A key that both parties declare, each for itself, has a value of each; the initiator's comes
// first.
bool IsOfBoth(size_t i) {
  return (i > 0 && kParameters[i - 1].key == kParameters[i].key) ||
         (i + 1 < kParameterCount && kParameters[i + 1].key == kParameters[i].key);
}

std::string ParametersJson(const ParameterValues& values) {
  JsonLine line;
  for (size_t i = 0; i < kParameterCount; i++) {
    if (values[i].empty()) continue;
    const Parameter& parameter = kParameters[i];
    if (!IsOfBoth(i)) {
      line.Raw(parameter.key, JsonValue(parameter, values[i]));
      continue;
    }
    JsonLine both;
    both.Raw("initiator", JsonValue(parameter, values[i]));
    i++;
    both.Raw("target", JsonValue(parameter, values[i]));
    line.Raw(parameter.key, both.End());
  }
  return line.End();
}

template <typename Items, typename Render>
std::string JsonArray(const Items& items, const Render& render) {
  std::string array;
  for (const auto& item : items) {
    array += array.empty() ? "[" : ",";
    array += render(item);
  }
  return array.empty() ? "[]" : array + "]";
}

// The connections that are no session's, in the order in which they were met.
std::vector<const Connection*> OtherConnections(const Model& model) {
  std::vector<const Connection*> others;
  for (const auto& [id, connection] : model.connections()) {
    if (!connection.is_nexus() && !model.sessions().Has(connection.session, connection.cid, id))
      others.push_back(&connection);
  }
  std::ranges::sort(others, {}, &Connection::id);
  return others;
}

std::string ConnectionJson(const Connection& connection, uint16_t cid) {
  JsonLine line;
  line.Number("cid", cid);
  line.String("local", OrUnknown(connection.local));
  line.String("remote", OrUnknown(connection.remote));
  AddProcess(line, connection.process);
  line.Raw("parameters", ParametersJson(connection.parameters));
  return line.End();
}

std::string SessionJson(const Model& model, const SessionKey& key, const Session& session,
                        int64_t wall_clock_offset_ns) {
  JsonLine line;
  line.String("role", RoleLabel(key.role));
  line.String("target", key.target);
  line.String("initiator", key.initiator);
  line.String("session", session.name);
  line.String("portal", OrUnknown(session.portal));
  line.Flag("up", session.is_up());
  line.String("since", FormatTime(static_cast<int64_t>(session.since_ns) + wall_clock_offset_ns));
  line.Raw("parameters", ParametersJson(session.parameters));
  line.Raw("connections", JsonArray(session.connections, [&](const auto& member) {
             return ConnectionJson(*model.FindConnection(member.second), member.first);
           }));
  return line.End();
}

std::string OtherJson(const Connection& connection) {
  JsonLine line;
  line.String("role", RoleLabel(connection.role));
  line.String("target", connection.target->first.name);
  line.String("initiator", OrUnknown(connection.initiator));
  line.String("names_from", OrUnknown(connection.names_from));
  line.String("local", OrUnknown(connection.local));
  line.String("remote", OrUnknown(connection.remote));
  AddProcess(line, connection.process);
  return line.End();
}

std::string TargetJson(const Directory::Key& key, const ListedTarget& target) {
  JsonLine line;
  line.String("role", RoleLabel(key.first));
  line.String("target", key.second);
  line.Raw("addresses", JsonArray(target.addresses, Quoted));
  if (!target.redirected_to.empty()) {
    line.String("redirected_to", target.redirected_to);
    line.Flag("is_permanent", target.is_moved_for_good);
  }
  return line.End();
}

void AppendChanged(std::string& text, const ParameterValues& values) {
  for (size_t i = 0; i < kParameterCount; i++) {
    const Parameter& parameter = kParameters[i];
    if (values[i].empty() || values[i] == parameter.default_value) continue;
    const char* of = !IsOfBoth(i)                                           ? ""
                     : parameter.result == ResultFunction::kInitiatorNumber ? "initiator "
                                                                            : "target ";
    fmt::format_to(std::back_inserter(text), "{}{}{}={}", text.empty() ? "    " : ", ", of,
                   parameter.key, values[i]);
  }
}

const char* EndName(uint8_t role) { return role == LUNSCOPE_ROLE_TARGET ? "tgt" : "ini"; }

}  // namespace

std::string SessionsJson(const Model& model, int64_t wall_clock_offset_ns) {
  JsonLine line;
  line.Raw("sessions", JsonArray(model.sessions().all(), [&](const auto& entry) {
             return SessionJson(model, entry.first, entry.second, wall_clock_offset_ns);
           }));
  line.Raw("other_connections",
           JsonArray(OtherConnections(model),
                     [](const Connection* connection) { return OtherJson(*connection); }));
  line.Raw("targets", JsonArray(model.directory().targets(), [](const auto& entry) {
             return TargetJson(entry.first, entry.second);
           }));
  line.Number("targets_left_out", model.directory().left_out());
  return line.End() + "\n";
}

std::string SessionsTable(const Model& model, int64_t wall_clock_offset_ns) {
  std::string table = fmt::format(kSessionRow, "END", "STATE", "CONN", "SINCE", "SESSION", "PORTAL",
                                  "TARGET", "INITIATOR");
  for (const auto& [key, session] : model.sessions().all()) {
    table += fmt::format(kSessionRow, EndName(key.role), session.is_up() ? "up" : "down",
                         session.connections.size(),
                         FormatTime(static_cast<int64_t>(session.since_ns) + wall_clock_offset_ns),
                         session.name, OrUnknown(session.portal), key.target, key.initiator);
    std::string changed;
    AppendChanged(changed, session.parameters);
    for (const auto& [cid, id] : session.connections)
      AppendChanged(changed, model.FindConnection(id)->parameters);
    if (!changed.empty()) table += changed + "\n";
  }
  for (const Connection* connection : OtherConnections(model)) {
    const bool is_target = connection->role == LUNSCOPE_ROLE_TARGET;
    table += fmt::format(kSessionRow, EndName(connection->role), "-", 1,
                         fmt::format("names: {}", OrUnknown(connection->names_from)), "-",
                         OrUnknown(is_target ? connection->local : connection->remote),
                         connection->target->first.name, OrUnknown(connection->initiator));
  }
  return table;
}

}  // namespace lunscope
