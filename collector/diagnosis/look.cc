// SPDX-License-Identifier: Apache-2.0
#include "collector/diagnosis/look.h"

#include <algorithm>
#include <charconv>

namespace lunscope {
namespace {

// nullptr: the connection is of no session that is known.
const Session* SessionOf(const SessionTable& sessions, const Connection& connection) {
  if (!connection.session) return nullptr;
  const auto found = sessions.all().find(*connection.session);
  return found == sessions.all().end() ? nullptr : &found->second;
}

BurstParameters BurstsOf(const Session* session) {
  if (session == nullptr) return {};
  const ParameterValues& values = session->parameters;
  return {ValueOf(values, "MaxBurstLength"), ValueOf(values, "InitialR2T"),
          ValueOf(values, "ImmediateData")};
}

uint32_t NumberOf(const std::string& text) {
  uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// A length that was declared again may be less than what was right before, so nothing is known
// then.
Lengths LengthsOf(const Session* session, const Connection& connection) {
  if (session == nullptr || connection.login.declared_again) return {};
  Lengths lengths{connection.seen};
  lengths.burst = NumberOf(ValueOf(session->parameters, "MaxBurstLength"));
  lengths.first_burst = NumberOf(ValueOf(session->parameters, "FirstBurstLength"));
  for (size_t i = 0; i < kParameterCount; i++) {
    if (kParameters[i].key != "MaxRecvDataSegmentLength") continue;
    const bool is_initiators = kParameters[i].result == ResultFunction::kInitiatorNumber;
    (is_initiators ? lengths.initiator_takes : lengths.target_takes) =
        NumberOf(connection.parameters[i]);
  }
  return lengths;
}

// A direction is that of this host: what it sends, and what it receives.
ConnectionCounters CountersOf(const Connection& connection) {
  const lunscope_connection_record& counted = connection.counted;
  const bool is_target = connection.role == LUNSCOPE_ROLE_TARGET;
  const uint64_t sent = counted.traffic[LUNSCOPE_SENT].bytes;
  const uint64_t received = counted.traffic[LUNSCOPE_RECEIVED].bytes;
  return {is_target ? received : sent, is_target ? sent : received, counted.commands_beyond,
          counted.window_closed_ns};
}

}  // namespace

Subject ConnectionLook::subject() const {
  return {role, target, initiator, local + " - " + remote};
}

Subject ConnectionLook::initiator_subject() const {
  return {role, target, initiator, HostOf(is_target() ? remote : local)};
}

std::vector<ConnectionLook> LookAt(const Model& model, size_t limit) {
  std::vector<ConnectionLook> looks;
  looks.reserve(std::min(limit, model.connections().size()));
  for (const auto& [id, connection] : model.connections()) {
    if (looks.size() == limit) break;
    if (connection.role == LUNSCOPE_ROLE_UNKNOWN) continue;
    const Session* session = SessionOf(model.sessions(), connection);
    looks.push_back({id, connection.role, connection.target->first.name, connection.initiator,
                     connection.local, connection.remote, connection.session.has_value(),
                     connection.tcp, connection.window, connection.unread_bytes,
                     connection.in_flight, connection.oldest_start_ns, BurstsOf(session),
                     LengthsOf(session, connection), CountersOf(connection)});
  }
  return looks;
}

}  // namespace lunscope
