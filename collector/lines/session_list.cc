// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/session_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <vector>

#include "collector/base/clock.h"
#include "collector/base/json.h"
#include "collector/base/quantity.h"
#include "collector/base/text_table.h"
#include "collector/lines/local_lun_lines.h"
#include "collector/lines/shared_keys.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

constexpr const char* kNoSession = "No session is up, or was lost in the last 10 minutes.\n";

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

// The state of a connection outside the sessions.
const char* StateOf(const Connection& connection) {
  if (connection.login.negotiation) return "logging_in";
  if (connection.target->first.name == kDiscoveryName) return "discovery";
  return connection.is_midstream ? "open_before" : "no_login";
}

std::string TimeOf(uint64_t monotonic_ns, int64_t wall_clock_offset_ns) {
  return FormatTime(static_cast<int64_t>(monotonic_ns) + wall_clock_offset_ns);
}

// The records of this connection that were lost, for any reason, as of the last walk.
uint64_t RecordsLost(const Connection& connection) {
  uint64_t records = 0;
  for (const lunscope_traffic& traffic : connection.counted.traffic) {
    for (const uint64_t lost : traffic.records_lost) records += lost;
  }
  return records;
}

// The LUNs of a session, as far as this host says what is behind them.
LocalLuns LocalLunsOf(const Model& model, const SessionKey& key, const Session& session) {
  LocalLuns luns;
  for (const auto& [cid, id] : session.connections)
    luns.merge(model.local_luns().Of(*model.FindConnection(id), key.target));
  return luns;
}
LocalLuns LocalLunsOf(const Model& model, const Connection& connection) {
  return model.local_luns().Of(connection, connection.target->first.name);
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
      const Parameter& parameter = kParameters[i];
      if (!IsOfBoth(i)) {
        if (!values[i].empty()) AddValue(parameters, parameter.key, parameter, values[i]);
        continue;
      }
      const std::string& of_initiator = values[i++];
      const std::string& of_target = values[i];
      if (of_initiator.empty() && of_target.empty()) continue;
      parameters.Object(parameter.key, [&](json::Members& both) {
        if (!of_initiator.empty()) AddValue(both, "initiator", parameter, of_initiator);
        if (!of_target.empty()) AddValue(both, "target", parameter, of_target);
      });
    }
  });
}

void AddOffers(json::Members& line, const Offers& offers) {
  if (offers.empty()) return;
  line.Object("offered", [&](json::Members& lists) {
    for (const auto& [key, list] : offers) lists.String(key, list);
  });
}

double Milliseconds(uint64_t us) { return static_cast<double>(us) / 1e3; }

// The facts of the last walk.
void AddWalked(json::Members& line, const Connection& connection) {
  if (connection.window) {
    line.Number("command_window", *connection.window);
    line.Number("smallest_command_window", connection.smallest_window);
  }
  if (connection.unacknowledged_statuses)
    line.Number("unacknowledged_statuses", *connection.unacknowledged_statuses);
  const lunscope_tcp& tcp = connection.tcp;
  if (tcp.is_known == 0) return;
  line.Object("tcp", [&](json::Members& facts) {
    if (tcp.smoothed_rtt_us != 0)
      facts.Decimal("smoothed_rtt_ms", Milliseconds(tcp.smoothed_rtt_us), 3);
    facts.Number("unsent_bytes", tcp.unsent_bytes);
    facts.Number("unacknowledged_bytes", tcp.unacknowledged_bytes);
    facts.Decimal("oldest_unacknowledged_ms", Milliseconds(tcp.unacknowledged_ns / 1000), 3);
    facts.Number("send_window_bytes", tcp.send_window_bytes);
  });
}

// The same in words, and only what is not as it should be; the round-trip time in any case.
std::string WalkedText(const Connection& connection) {
  const lunscope_tcp& tcp = connection.tcp;
  std::string text;
  if (connection.window == 0u) text += ", the command window is closed";
  if (tcp.is_known == 0) return text;
  if (tcp.smoothed_rtt_us != 0)
    text += fmt::format(", RTT {:.3f} ms", Milliseconds(tcp.smoothed_rtt_us));
  if (tcp.unsent_bytes != 0) text += fmt::format(", {} bytes not sent yet", tcp.unsent_bytes);
  if (tcp.send_window_bytes == 0) text += ", the peer does not read";
  return text;
}

void FillConnection(json::Members& line, const Connection& connection, uint16_t cid) {
  line.Number("cid", cid);
  line.String("local", OrUnknown(connection.local));
  line.String("remote", OrUnknown(connection.remote));
  AddProcess(line, connection.process);
  line.Number("records_lost", RecordsLost(connection));
  AddWalked(line, connection);
  AddParameters(line, connection.parameters);
  AddOffers(line, connection.offered);
}

void FillSession(json::Members& line, const Model& model, const SessionKey& key,
                 const Session& session, int64_t wall_clock_offset_ns) {
  line.String("role", RoleLabel(key.role));
  line.String("target", key.target);
  line.String("initiator", key.initiator);
  line.String("session", session.name);
  line.String("portal", OrUnknown(session.portal));
  line.Flag("up", session.is_up());
  line.String("since", TimeOf(session.since_ns, wall_clock_offset_ns));
  if (!session.is_up())
    line.String("down_since", TimeOf(session.down_since_ns, wall_clock_offset_ns));
  line.Number("relogins", session.history.relogins);
  line.Number("outages", session.history.outages);
  line.Decimal("outage_seconds", static_cast<double>(session.history.outage_ns) / 1e9, 3);
  AddParameters(line, session.parameters);
  line.Array("connections", [&](json::Elements& list) {
    for (const auto& [cid, id] : session.connections)
      list.Object(FillConnection, *model.FindConnection(id), cid);
  });
  AddLocalLuns(line, LocalLunsOf(model, key, session));
}

// They stand in for the parameters, which no login gave.
void AddSeen(json::Members& line, const SeenLengths& seen) {
  line.Object("largest_seen", [&](json::Members& lengths) {
    lengths.Number("data_in_bytes", seen.data_in);
    lengths.Number("data_out_bytes", seen.data_out);
    lengths.Number("immediate_bytes", seen.immediate);
    lengths.Number("r2t_bytes", seen.r2t);
  });
}

void FillOther(json::Members& line, const Model& model, const Connection& connection,
               int64_t wall_clock_offset_ns) {
  line.String("role", RoleLabel(connection.role));
  line.String("state", StateOf(connection));
  line.String("since", TimeOf(connection.met_ns, wall_clock_offset_ns));
  line.String("target", connection.target->first.name);
  line.String("initiator", OrUnknown(connection.initiator));
  line.String("names_from", OrUnknown(connection.names_from));
  line.String("local", OrUnknown(connection.local));
  line.String("remote", OrUnknown(connection.remote));
  AddProcess(line, connection.process);
  line.Number("records_lost", RecordsLost(connection));
  AddWalked(line, connection);
  if (connection.is_midstream) AddSeen(line, connection.seen);
  AddLocalLuns(line, LocalLunsOf(model, connection));
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

// "    CID 0 from 192.0.2.1:40001 to 192.0.2.2:3260, process qemu-system-x86 (42), guest vm1"
std::string ConnectionLine(const Connection& connection, const std::string& name) {
  const bool is_target = connection.role == LUNSCOPE_ROLE_TARGET;
  std::string text = fmt::format("    {} from {} to {}", name,
                                 OrUnknown(is_target ? connection.remote : connection.local),
                                 OrUnknown(is_target ? connection.local : connection.remote));
  const LocalProcess& process = connection.process;
  if (process.id != 0) text += fmt::format(", process {} ({})", process.comm, process.id);
  if (!process.guest.empty()) text += fmt::format(", guest {}", process.guest);
  if (connection.has_inferred_names()) text += fmt::format(", names by {}", connection.names_from);
  text += WalkedText(connection);
  if (const uint64_t lost = RecordsLost(connection)) text += fmt::format(", {} records lost", lost);
  return text + "\n";
}

// Appends the parameters that differ from the RFC's default value.
void AppendChanged(std::string& text, const ParameterValues& values) {
  for (size_t i = 0; i < kParameterCount; i++) {
    const Parameter& parameter = kParameters[i];
    if (values[i].empty() || values[i] == parameter.default_value) continue;
    const char* of = !IsOfBoth(i)                                       ? ""
                     : i > 0 && kParameters[i - 1].key == parameter.key ? "target "
                                                                        : "initiator ";
    fmt::format_to(std::back_inserter(text), "{}{}{}={}", text.empty() ? "    " : ", ", of,
                   parameter.key, values[i]);
  }
}

// "    3 logins in the place of earlier sessions, 2 outages of 12.300 s in all", or "".
std::string HistoryLine(const SessionHistory& history) {
  if (history.relogins == 0 && history.outages == 0) return "";
  return fmt::format("    {} in the place of earlier sessions, {} of {:.3f} s in all\n",
                     FormatCount(history.relogins, "login"), FormatCount(history.outages, "outage"),
                     static_cast<double>(history.outage_ns) / 1e9);
}

std::string SessionDetails(const Model& model, const SessionKey& key, const Session& session,
                           int64_t wall_clock_offset_ns) {
  std::string lines;
  std::string changed;
  AppendChanged(changed, session.parameters);
  for (const auto& [cid, id] : session.connections) {
    const Connection& connection = *model.FindConnection(id);
    lines += ConnectionLine(connection, fmt::format("CID {}", cid));
    AppendChanged(changed, connection.parameters);
  }
  if (!session.is_up())
    lines += fmt::format("    up since {} at {}, and gone without a logout\n",
                         TimeOf(session.since_ns, wall_clock_offset_ns), OrUnknown(session.portal));
  lines += HistoryLine(session.history) + LocalLunLines(LocalLunsOf(model, key, session));
  return changed.empty() ? lines : lines + changed + "\n";
}

// The targets that were listed or moved, or "".
std::string TargetsTable(const Directory& directory) {
  if (directory.targets().empty()) return "";
  TextTable table({{"END"}, {"TARGET"}, {"LISTED AT"}, {"REDIRECTED TO"}});
  for (const auto& [key, target] : directory.targets()) {
    std::string moved(target.redirected_to.empty() ? "-" : target.redirected_to);
    if (target.is_moved_for_good) moved += " for good";
    table.AddRow(
        {EndName(key.first), key.second,
         target.addresses.empty() ? "-" : fmt::format("{}", fmt::join(target.addresses, " ")),
         moved});
  }
  std::string text = "\n" + table.Format();
  if (directory.left_out() != 0)
    text += fmt::format("{} more names and addresses had no room\n", directory.left_out());
  return text;
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
        list.Object(FillOther, model, *connection, wall_clock_offset_ns);
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
  TextTable table({{"END"}, {"STATE"}, {"SINCE"}, {"SESSION"}, {"TARGET"}, {"INITIATOR"}});
  for (const auto& [key, session] : model.sessions().all()) {
    const uint64_t since_ns = session.is_up() ? session.since_ns : session.down_since_ns;
    table.AddRow({EndName(key.role), session.is_up() ? "up" : "down",
                  TimeOf(since_ns, wall_clock_offset_ns), session.name, key.target, key.initiator},
                 SessionDetails(model, key, session, wall_clock_offset_ns));
  }
  const std::vector<const Connection*> others = OtherConnections(model);
  for (const Connection* connection : others) {
    table.AddRow(
        {EndName(connection->role), StateOf(*connection),
         TimeOf(connection->met_ns, wall_clock_offset_ns), "-", connection->target->first.name,
         std::string(OrUnknown(connection->initiator))},
        ConnectionLine(*connection, "connection") + LocalLunLines(LocalLunsOf(model, *connection)));
  }
  const bool is_empty = model.sessions().all().empty() && others.empty();
  return (is_empty ? std::string(kNoSession) : table.Format()) + TargetsTable(model.directory());
}

}  // namespace lunscope
