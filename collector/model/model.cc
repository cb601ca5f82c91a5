// SPDX-License-Identifier: Apache-2.0
#include "collector/model/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "collector/base/address.h"
#include "collector/model/text_keys.h"

namespace lunscope {
namespace {

// The text of one login exchange: a PDU can hold 16 MiB, but no honest one holds this much.
constexpr size_t kMaxTextBytes = size_t{64} * 1024;
// A connection that two walks in a row did not find has closed, and the record of it was lost.
constexpr uint32_t kMaxReportsMissed = 2;

std::string SessionKey(uint8_t role, const std::string& target, const std::string& initiator,
                       const std::string& name) {
  return fmt::format("{}\n{}\n{}\n{}", role, target, initiator, name);
}

// Of the same initiator port (RFC 7143 section 10.1.1): a name is the ISID in hex, then the TSIH.
bool IsSameNexus(const Session& a, const Session& b) {
  constexpr size_t kIsidDigits = 12;
  return a.role == b.role && a.target == b.target && a.initiator == b.initiator &&
         a.name.compare(0, kIsidDigits, b.name, 0, kIsidDigits) == 0;
}

// Add to a total what a counter has grown by since it was last counted.
template <typename Count>
void Advance(uint64_t& total, Count& counted, Count now) {
  if (now <= counted) return;
  total += now - counted;
  counted = now;
}

}  // namespace

void Model::Apply(const lunscope_event& event) {
  switch (event.kind) {
    case LUNSCOPE_EVENT_COMMAND:
      return ApplyCommand(reinterpret_cast<const lunscope_command_event&>(event));
    case LUNSCOPE_EVENT_PDU: return ApplyPdu(reinterpret_cast<const lunscope_pdu_event&>(event));
    case LUNSCOPE_EVENT_CONNECTION:
      return ApplyConnection(reinterpret_cast<const lunscope_connection_event&>(event));
    case LUNSCOPE_EVENT_INFLIGHT:
      return ApplyInflight(reinterpret_cast<const lunscope_inflight_event&>(event));
    default: return;
  }
}

void Model::ApplyCommand(const lunscope_command_event& event) {
  Connection& connection = ConnectionOf(event.header);
  LunStatistics& lun = LunOf(connection, event.lun);
  const size_t operation = scsi_operation_of(event.cdb);
  OperationOf(connection, lun, operation).duration_ns.Add(event.duration_ns);
  connection.target->second.sizes[operation].Add(event.transferred_bytes);
  if (event.command_flags & ISCSI_COMMAND_READ) {
    lun.read_bytes += event.transferred_bytes;
  } else {
    lun.written_bytes += event.transferred_bytes;
  }
  if (event.response != 0) {
    lun.target_failures++;
  } else if (event.status != SCSI_STATUS_GOOD) {
    scsi_sense sense{};
    if (event.sense_bytes != 0) {
      const auto& sensed = reinterpret_cast<const lunscope_sensed_command_event&>(event);
      sense = scsi_read_sense(sensed.sense, event.sense_bytes);
    }
    lun.errors[{event.status, sense.key}]++;
  }
}

void Model::ApplyPdu(const lunscope_pdu_event& event) {
  Connection& connection = ConnectionOf(event.header);
  TargetStatistics& target = connection.target->second;
  switch (iscsi_opcode(event.bhs)) {
    case ISCSI_LOGIN_REQUEST:
      GatherText(connection, event);
      if (event.last) ApplyLoginRequest(connection, event);
      break;
    case ISCSI_LOGIN_RESPONSE:
      if (event.last) ApplyLoginResponse(connection, event);
      break;
    case ISCSI_LOGOUT_REQUEST:
      connection.closes_session = iscsi_logout_reason(event.bhs) == ISCSI_LOGOUT_CLOSE_SESSION;
      break;
    case ISCSI_LOGOUT_RESPONSE:
      if (iscsi_logout_response(event.bhs) == 0) ApplyLogout(connection);
      break;
    case ISCSI_TASK_REQUEST: target.task_functions[iscsi_task_function(event.bhs)]++; break;
    case ISCSI_REJECT:
      if (event.last) target.rejects[iscsi_reject_reason(event.bhs)]++;
      break;
    case ISCSI_ASYNC_MESSAGE:
      if (event.last) target.async_events[iscsi_async_event(event.bhs)]++;
      break;
    case ISCSI_DATA_IN:
      if (event.chunk_offset == 0)
        LunOf(connection, event.lun).identity.Learn(event.cdb, event.chunk, event.chunk_bytes);
      break;
    default: break;
  }
}

void Model::GatherText(Connection& connection, const lunscope_pdu_event& event) {
  std::string& text = connection.text[event.direction & 1];
  if (text.size() + event.chunk_bytes <= kMaxTextBytes)
    text.append(reinterpret_cast<const char*>(event.chunk), event.chunk_bytes);
}

void Model::ApplyLoginRequest(Connection& connection, const lunscope_pdu_event& event) {
  if (iscsi_flags(event.bhs) & ISCSI_FLAG_CONTINUE) return;
  std::string& text = connection.text[event.direction & 1];
  connection.isid = iscsi_lun(event.bhs) >> 16;
  if (std::string name = TextValue(text, "InitiatorName"); !name.empty())
    connection.initiator = std::move(name);
  std::string target = TextValue(text, "TargetName");
  if (target.empty() && TextValue(text, "SessionType") == "Discovery") target = kDiscoveryName;
  if (!target.empty()) {
    connection.target = &TargetOf(connection.role, target);
    connection.last_lun = nullptr;
  }
  text.clear();
}

void Model::ApplyLoginResponse(Connection& connection, const lunscope_pdu_event& event) {
  TargetStatistics& target = connection.target->second;
  switch (iscsi_login_status_class(event.bhs)) {
    case 0: break;
    case 1: target.login_failures[kRedirection]++; return;
    case 2: target.login_failures[kInitiatorError]++; return;
    default: target.login_failures[kTargetError]++; return;
  }
  if (!iscsi_login_is_complete(event.bhs)) return;
  target.logins++;
  if (connection.target->first.name != kDiscoveryName)
    OpenSession(connection, iscsi_tsih(event.bhs));
}

void Model::ApplyLogout(Connection& connection) {
  connection.target->second.logouts++;
  connection.logged_out = true;
  const auto session = sessions_.find(connection.session);
  if (connection.closes_session && session != sessions_.end()) session->second.logged_out = true;
}

void Model::OpenSession(Connection& connection, uint16_t tsih) {
  const TargetKey& target = connection.target->first;
  Session opened;
  opened.role = target.role;
  opened.target = target.name;
  opened.name = fmt::format("{:012x}:{:04x}", connection.isid, tsih);
  opened.initiator = connection.initiator.empty() ? kUnknownName : connection.initiator;
  // The TSIH is the target's to choose anew; the ISID is what tells a session that comes back.
  std::erase_if(sessions_, [&](const auto& entry) {
    return entry.second.connections == 0 && IsSameNexus(entry.second, opened);
  });
  connection.session = SessionKey(opened.role, opened.target, opened.initiator, opened.name);
  Session& session = sessions_.try_emplace(connection.session, std::move(opened)).first->second;
  LearnPortal(connection);
  session.connections++;
}

void Model::LearnPortal(const Connection& connection) {
  std::string& portal = sessions_.at(connection.session).portal;
  if (portal.empty())
    portal = connection.role == LUNSCOPE_ROLE_TARGET ? connection.local : connection.remote;
}

void Model::CloseSession(const Connection& connection) {
  const auto entry = sessions_.find(connection.session);
  if (connection.session.empty() || entry == sessions_.end()) return;
  Session& session = entry->second;
  if (session.connections > 0) session.connections--;
  if (session.connections > 0) return;
  // Reinstatement (section 6.3.5): the new session is up before the old one's connection ends.
  const bool is_reinstated = std::any_of(sessions_.begin(), sessions_.end(), [&](const auto& each) {
    return each.second.connections > 0 && each.second.portal == session.portal &&
           IsSameNexus(each.second, session);
  });
  if (connection.logged_out || session.logged_out || is_reinstated) {
    sessions_.erase(entry);
    return;
  }
  session.down_order = ++sessions_down_;
  const auto is_down = [](const auto& each) { return each.second.connections == 0; };
  if (static_cast<size_t>(std::count_if(sessions_.begin(), sessions_.end(), is_down)) <=
      options_.max_down_sessions)
    return;
  sessions_.erase(
      std::min_element(sessions_.begin(), sessions_.end(), [&](const auto& a, const auto& b) {
        return std::pair(!is_down(a), a.second.down_order) <
               std::pair(!is_down(b), b.second.down_order);
      }));
}

void Model::ApplyConnection(const lunscope_connection_event& event) {
  Connection& connection = ConnectionOf(event.header);
  if (connection.local.empty()) {
    connection.local = FormatAddress(event.local_address, event.is_ipv6, event.local_port);
    connection.remote = FormatAddress(event.remote_address, event.is_ipv6, event.remote_port);
  }
  connection.reports_missed = 0;
  TargetStatistics& target = connection.target->second;
  lunscope_connection_event& counted = connection.counted;
  for (size_t direction = 0; direction < LUNSCOPE_DIRECTIONS; direction++) {
    lunscope_traffic& old = counted.traffic[direction];
    const lunscope_traffic& now = event.traffic[direction];
    for (size_t opcode = 0; opcode < 32; opcode++)
      Advance(target.pdus[direction][opcode], old.pdus[opcode], now.pdus[opcode]);
    Advance(target.bytes[direction], old.bytes, now.bytes);
  }
  Advance(target.retransmits, counted.retransmits, event.retransmits);
  target.unread_bytes += event.unread_bytes;
  Advance(target.header_digest_errors, counted.header_digest_errors, event.header_digest_errors);
  if (const auto session = sessions_.find(connection.session); session != sessions_.end()) {
    session->second.header_digest = event.header_digest != 0;
    session->second.data_digest = event.data_digest != 0;
    LearnPortal(connection);
  }
  if (event.header.flags & LUNSCOPE_FLAG_CLOSED) Close(event.header.connection);
}

void Model::ApplyInflight(const lunscope_inflight_event& event) {
  Connection& connection = ConnectionOf(event.header);
  tracked_commands_ += event.count;
  for (const lunscope_waiting& waiting : std::span(event.waiting, event.count)) {
    LunStatistics& lun = LunOf(connection, waiting.lun);
    lun.outstanding++;
    if (lun.oldest_start_ns == 0 || waiting.start_ns < lun.oldest_start_ns)
      lun.oldest_start_ns = waiting.start_ns;
  }
}

void Model::BeginReport() {
  tracked_commands_ = 0;
  for (auto& [key, target] : targets_) {
    target.unread_bytes = 0;
    for (auto& [number, lun] : target.luns) {
      lun.outstanding = 0;
      lun.oldest_start_ns = 0;
    }
  }
  for (auto& [id, connection] : connections_) connection.reports_missed++;
}

void Model::EndReport() {
  std::vector<uint64_t> gone;
  for (const auto& [id, connection] : connections_) {
    if (connection.reports_missed >= kMaxReportsMissed) gone.push_back(id);
  }
  for (uint64_t id : gone) Close(id);
}

void Model::Close(uint64_t id) {
  const auto connection = connections_.find(id);
  if (connection == connections_.end()) return;
  CloseSession(connection->second);
  connections_.erase(connection);
}

Snapshot Model::TakeSnapshot() const {
  Snapshot snapshot{targets_, {}, dropped_series_, tracked_commands_};
  snapshot.sessions.reserve(sessions_.size());
  for (const auto& [key, session] : sessions_) snapshot.sessions.push_back(session);
  return snapshot;
}

const Connection* Model::FindConnection(uint64_t id) const {
  const auto connection = connections_.find(id);
  return connection == connections_.end() ? nullptr : &connection->second;
}

const LunIdentity* Model::FindIdentity(const Connection& connection, uint64_t lun) const {
  const auto entry = connection.target->second.luns.find(CanonicalLun(lun));
  return entry == connection.target->second.luns.end() ? nullptr : &entry->second.identity;
}

Connection& Model::ConnectionOf(const lunscope_event& event) {
  Connection& connection = connections_[event.connection];
  // A record may be older than what was learned since: an unknown role takes nothing back.
  const bool is_news = event.role != LUNSCOPE_ROLE_UNKNOWN && connection.role != event.role;
  if (connection.target == nullptr || is_news) {
    connection.id = event.connection;
    connection.role = event.role;
    connection.target = &TargetOf(event.role, kUnknownName);
    connection.last_lun = nullptr;
  }
  return connection;
}

bool Model::ReserveLabelSet() {
  if (label_sets_ < options_.max_label_sets) {
    label_sets_++;
    return true;
  }
  dropped_series_++;
  return false;
}

Target& Model::OverflowTarget(uint8_t role) {
  return *targets_.try_emplace(TargetKey{role, kOverflowName}).first;
}

Target& Model::TargetOf(uint8_t role, const std::string& name) {
  const TargetKey key{role, name};
  const auto known = targets_.find(key);
  if (known != targets_.end()) return *known;
  return ReserveLabelSet() ? *targets_.try_emplace(key).first : OverflowTarget(role);
}

LunStatistics& Model::LunOf(Connection& connection, uint64_t lun) {
  if (connection.last_lun != nullptr && connection.last_lun_number == lun)
    return *connection.last_lun;
  auto& luns = connection.target->second.luns;
  auto known = luns.find(CanonicalLun(lun));
  if (known == luns.end()) {
    known = ReserveLabelSet()
                ? luns.try_emplace(CanonicalLun(lun)).first
                : OverflowTarget(connection.role).second.luns.try_emplace(kOverflowLun).first;
  }
  connection.last_lun = &known->second;
  connection.last_lun_number = lun;
  return known->second;
}

OperationStatistics& Model::OperationOf(Connection& connection, LunStatistics& lun,
                                        size_t operation) {
  std::unique_ptr<OperationStatistics>& statistics = lun.operations[operation];
  if (statistics) return *statistics;
  std::unique_ptr<OperationStatistics>& own_or_shared =
      ReserveLabelSet()
          ? statistics
          : OverflowTarget(connection.role).second.luns[kOverflowLun].operations[operation];
  if (!own_or_shared) own_or_shared = std::make_unique<OperationStatistics>();
  return *own_or_shared;
}

}  // namespace lunscope
