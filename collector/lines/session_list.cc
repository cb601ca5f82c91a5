// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/session_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <vector>

#include "collector/base/clock.h"
#include "collector/base/json.h"
#include "collector/lines/shared_keys.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

// ---- what is listed ----

// The connections that belong to no session, in the order in which they were met.
std::vector<const Connection*> OtherConnections(const Model& model) {
  std::vector<const Connection*> others;
  for (const auto& [id, connection] : model.connections()) {
    if (!model.sessions().Has(connection.session, connection.cid, id))
      others.push_back(&connection);
  }
  std::ranges::sort(others, {}, &Connection::id);
  return others;
}

std::string Since(const Session& session, int64_t wall_clock_offset_ns) {
  return FormatTime(static_cast<int64_t>(session.since_ns) + wall_clock_offset_ns);
}

// Each party may declare a value of its own for such a key. kParameters has two rows for it, one
// after the other: the initiator's comes first.
bool IsOfBoth(size_t i) {
  return (i > 0 && kParameters[i - 1].key == kParameters[i].key) ||
         (i + 1 < kParameterCount && kParameters[i + 1].key == kParameters[i].key);
}

// ---- as JSON ----

// Numbers and booleans of the RFC become those of JSON. The model keeps numbers in decimal.
void AddValue(json::Members& line, std::string_view key, const Parameter& parameter,
              std::string_view value) {
  uint32_t number = 0;
  if (IsNumber(parameter)) {
    std::from_chars(value.data(), value.data() + value.size(), number);
    line.Number(key, number);
  } else if (IsBoolean(parameter)) {
    line.Flag(key, value == "Yes");
  } else {
    line.String(key, value);
  }
}

void AddParameters(json::Members& line, const ParameterValues& values) {
  line.Object("parameters", [&](json::Members& parameters) {
    for (size_t i = 0; i < kParameterCount; i++) {
      if (values[i].empty()) continue;
      const Parameter& parameter = kParameters[i];
      if (!IsOfBoth(i)) {
        AddValue(parameters, parameter.key, parameter, values[i]);
        continue;
      }
      parameters.Object(parameter.key, [&](json::Members& both) {
        AddValue(both, "initiator", parameter, values[i]);
        AddValue(both, "target", parameter, values[i + 1]);
      });
      i++;
    }
  });
}

void FillConnection(json::Members& line, const Connection& connection, uint16_t cid) {
  line.Number("cid", cid);
  line.String("local", OrUnknown(connection.local));
  line.String("remote", OrUnknown(connection.remote));
  AddProcess(line, connection.process);
  AddParameters(line, connection.parameters);
}

void FillSession(json::Members& line, const Model& model, const SessionKey& key,
                 const Session& session, int64_t wall_clock_offset_ns) {
  line.String("role", RoleLabel(key.role));
  line.String("target", key.target);
  line.String("initiator", key.initiator);
  line.String("session", session.name);
  line.String("portal", OrUnknown(session.portal));
  line.Flag("up", session.is_up());
  line.String("since", Since(session, wall_clock_offset_ns));
  AddParameters(line, session.parameters);
  line.Array("connections", [&](json::Elements& list) {
    for (const auto& [cid, id] : session.connections)
      list.Object(FillConnection, *model.FindConnection(id), cid);
  });
}

void FillOther(json::Members& line, const Connection& connection) {
  line.String("role", RoleLabel(connection.role));
  line.String("target", connection.target->first.name);
  line.String("initiator", OrUnknown(connection.initiator));
  line.String("names_from", OrUnknown(connection.names_from));
  line.String("local", OrUnknown(connection.local));
  line.String("remote", OrUnknown(connection.remote));
  AddProcess(line, connection.process);
}

void FillTarget(json::Members& line, const Directory::Key& key, const ListedTarget& target) {
  line.String("role", RoleLabel(key.first));
  line.String("target", key.second);
  line.Array("addresses", [&](json::Elements& addresses) {
    for (const std::string& address : target.addresses) addresses.String(address);
  });
  if (!target.redirected_to.empty()) {
    line.String("redirected_to", target.redirected_to);
    line.Flag("is_permanent", target.is_moved_for_good);
  }
}

// ---- as a table ----

constexpr const char* kSessionRow = "{:<3} {:<5} {:>4} {:<27} {:<17} {:<21} {} {}\n";

// Appends the parameters that differ from the RFC's default value.
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

}  // namespace

std::string SessionsJson(const Model& model, int64_t wall_clock_offset_ns) {
  const std::string text = json::Object([&](json::Members& line) {
    line.Array("sessions", [&](json::Elements& list) {
      for (const auto& [key, session] : model.sessions().all())
        list.Object(FillSession, model, key, session, wall_clock_offset_ns);
    });
    line.Array("other_connections", [&](json::Elements& list) {
      for (const Connection* connection : OtherConnections(model))
        list.Object(FillOther, *connection);
    });
    line.Array("targets", [&](json::Elements& list) {
      for (const auto& [key, target] : model.directory().targets())
        list.Object(FillTarget, key, target);
    });
    line.Number("targets_left_out", model.directory().left_out());
  });
  return text + "\n";
}

std::string SessionsTable(const Model& model, int64_t wall_clock_offset_ns) {
  std::string table = fmt::format(kSessionRow, "END", "STATE", "CONN", "SINCE", "SESSION", "PORTAL",
                                  "TARGET", "INITIATOR");
  for (const auto& [key, session] : model.sessions().all()) {
    table += fmt::format(kSessionRow, EndName(key.role), session.is_up() ? "up" : "down",
                         session.connections.size(), Since(session, wall_clock_offset_ns),
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
