// SPDX-License-Identifier: Apache-2.0
#include "collector/model/model.h"

#include <algorithm>
#include <span>

#include "collector/base/address.h"
#include "collector/base/printable.h"

namespace lunscope {
namespace {

// A connection that two walks in a row did not find has closed, and the record of it was lost.
constexpr uint32_t kMaxWalksMissed = 2;
// Between two pauses: looking up where one was costs more than looking at a connection.
constexpr uint64_t kConnectionsAtOnce = 32;
// Status detail of a redirection (RFC 7143 section 11.13.5).
constexpr uint8_t kMovedPermanently = 2;

// Add to a total what a counter has grown by since it was last counted.
template <typename Count>
void Advance(uint64_t& total, Count& counted, Count now) {
  if (now <= counted) return;
  total += now - counted;
  counted = now;
}

const std::string& PortalOf(const Connection& connection) {
  return connection.role == LUNSCOPE_ROLE_TARGET ? connection.local : connection.remote;
}

void LearnDeviceType(Connection& connection, uint64_t lun, int device_type) {
  auto& types = connection.device_types;
  const uint64_t number = CanonicalLun(lun);
  if (device_type == kUnknownDeviceType) return;
  if (types.size() < Connection::kMaxDeviceTypes || types.contains(number))
    types[number] = device_type;
}

int DeviceTypeOf(const Connection& connection, uint64_t lun, const LunIdentity& of_target) {
  if (of_target.device_type != kUnknownDeviceType && connection.has_own_target)
    return of_target.device_type;
  const auto here = connection.device_types.find(CanonicalLun(lun));
  return here == connection.device_types.end() ? kUnknownDeviceType : here->second;
}

void LearnPortal(const Connection& connection, Session& session) {
  if (session.portal.empty()) session.portal = PortalOf(connection);
}

}  // namespace

void Model::Apply(const lunscope_record& record) {
  if (is_walking_ && IsStale(record)) return;
  switch (record.kind) {
    case LUNSCOPE_RECORD_COMMAND:
      return ApplyCommand(reinterpret_cast<const lunscope_command_record&>(record));
    case LUNSCOPE_RECORD_PDU: return ApplyPdu(reinterpret_cast<const lunscope_pdu_record&>(record));
    case LUNSCOPE_RECORD_CONNECTION:
      return ApplyConnection(reinterpret_cast<const lunscope_connection_record&>(record));
    case LUNSCOPE_RECORD_AGGREGATES:
      return ApplyAggregates(reinterpret_cast<const lunscope_aggregates_record&>(record));
    case LUNSCOPE_RECORD_INFLIGHT:
      return ApplyInflight(reinterpret_cast<const lunscope_inflight_record&>(record));
    case LUNSCOPE_RECORD_NEXUS:
      return ApplyNexus(reinterpret_cast<const lunscope_nexus_record&>(record));
    case LUNSCOPE_RECORD_SCSI_COMMAND:
      return ApplyScsiCommand(reinterpret_cast<const lunscope_scsi_command_record&>(record));
    default: return;
  }
}

void Model::ApplyCommand(const lunscope_command_record& record) {
  Connection& connection = ConnectionOf(record.header);
  CountCommand(connection, LunOf(connection, record.lun), record);
  if (options_.joins_layers && connection.role == LUNSCOPE_ROLE_INITIATOR)
    wire_.Put(connection.target->first.name, record);
}

void Model::CountCommand(Connection& connection, LunStatistics& lun,
                         const lunscope_command_record& record) {
  const size_t operation =
      scsi_operation_of(record.cdb, DeviceTypeOf(connection, record.lun, lun.identity));
  OperationOf(connection, lun, operation).duration_ns.Add(record.duration_ns);
  connection.target->second.sizes[operation].Add(record.transferred_bytes);
  if (record.command_flags & ISCSI_COMMAND_READ) {
    lun.read_bytes += record.transferred_bytes;
  } else {
    lun.written_bytes += record.transferred_bytes;
  }
  if (record.response != 0) {
    lun.target_failures++;
  } else if (record.status != SCSI_STATUS_GOOD) {
    scsi_sense sense{};
    if (record.sense_bytes != 0) {
      const auto& sensed = reinterpret_cast<const lunscope_sensed_command_record&>(record);
      sense = scsi_read_sense(sensed.sense, record.sense_bytes);
    }
    lun.errors[{record.status, sense.key}]++;
  }
}

void Model::ApplyPdu(const lunscope_pdu_record& record) {
  Connection& connection = ConnectionOf(record.header);
  TargetStatistics& target = connection.target->second;
  switch (iscsi_opcode(record.bhs)) {
    case ISCSI_LOGIN_REQUEST:
      ReadText(connection, record);
      if (record.last) ApplyLoginRequest(connection, record);
      break;
    case ISCSI_LOGIN_RESPONSE:
      ReadText(connection, record);
      if (record.last) ApplyLoginResponse(connection, record);
      break;
    case ISCSI_TEXT_REQUEST:
    case ISCSI_TEXT_RESPONSE: ReadText(connection, record); break;
    case ISCSI_LOGOUT_REQUEST:
      connection.closes_session = iscsi_logout_reason(record.bhs) == ISCSI_LOGOUT_CLOSE_SESSION;
      break;
    case ISCSI_LOGOUT_RESPONSE:
      if (iscsi_logout_response(record.bhs) == 0) ApplyLogout(connection);
      break;
    case ISCSI_TASK_REQUEST: target.task_functions[iscsi_task_function(record.bhs)]++; break;
    case ISCSI_REJECT:
      if (record.last) target.rejects[iscsi_reject_reason(record.bhs)]++;
      break;
    case ISCSI_ASYNC_MESSAGE:
      if (record.last) target.async_events[iscsi_async_event(record.bhs)]++;
      break;
    case ISCSI_DATA_IN:
      if (record.chunk_offset == 0) LearnIdentity(connection, record);
      break;
    default: break;
  }
}

void Model::LearnIdentity(Connection& connection, const lunscope_pdu_record& record) {
  LunOf(connection, record.lun).identity.Learn(record.cdb, record.chunk, record.chunk_bytes);
  if (connection.has_own_target) return;
  LunIdentity here;
  here.Learn(record.cdb, record.chunk, record.chunk_bytes);
  LearnDeviceType(connection, record.lun, here.device_type);
}

// C: the text, and maybe its last pair, goes on in the next PDU (RFC 7143 section 11.10.2).
void Model::ReadText(Connection& connection, const lunscope_pdu_record& record) {
  const uint8_t opcode = iscsi_opcode(record.bhs);
  const Party party = opcode & ISCSI_OPCODE_FROM_TARGET ? kTargetParty : kInitiatorParty;
  const bool is_login = opcode == ISCSI_LOGIN_REQUEST || opcode == ISCSI_LOGIN_RESPONSE;
  if (is_login && !connection.negotiation) connection.negotiation = std::make_unique<Negotiation>();
  const auto take = [&](std::string_view key, const std::string& value) {
    if (is_login) {
      connection.negotiation->Take(party, key, value);
    } else {
      TakeKey(connection, party, key, value);
    }
  };
  TextReader& text = connection.text[record.direction & 1];
  text.Take({reinterpret_cast<const char*>(record.chunk), record.chunk_bytes}, take);
  if (record.last && !(iscsi_flags(record.bhs) & ISCSI_FLAG_CONTINUE)) text.End(take);
}

// A key in full feature phase: a declaration, or a line of the answer to SendTargets.
void Model::TakeKey(Connection& connection, Party party, std::string_view key,
                    const std::string& value) {
  if (value.empty()) return;
  DeclareAnew(party, key, value, Scope::kConnection, connection.parameters);
  if (Session* session = SessionOf(connection))
    DeclareAnew(party, key, value, Scope::kSession, session->parameters);
  if (party != kTargetParty) return;
  if (key == "TargetName") {
    connection.listed_target = value;
    directory_.List(connection.role, value);
  } else if (key == "TargetAddress" && !connection.listed_target.empty()) {
    directory_.AddAddress(connection.role, connection.listed_target, value);
  }
}

void Model::ApplyLoginRequest(Connection& connection, const lunscope_pdu_record& record) {
  if (iscsi_flags(record.bhs) & ISCSI_FLAG_CONTINUE) return;
  connection.isid = iscsi_lun(record.bhs) >> 16;
  connection.requested_tsih = iscsi_tsih(record.bhs);
  connection.requested_cid = iscsi_cid(record.bhs);
  connection.names_from = kNamesFromLogin;
  const Negotiation& login = *connection.negotiation;
  if (!login.initiator_name().empty()) connection.initiator = login.initiator_name();
  std::string target = login.target_name();
  if (target.empty() && login.IsDiscovery()) target = kDiscoveryName;
  if (!target.empty()) {
    SetTarget(connection, {connection.role, target});
    connection.device_types.clear();
  }
}

void Model::ApplyLoginResponse(Connection& connection, const lunscope_pdu_record& record) {
  if (iscsi_login_status_class(record.bhs) != 0) {
    FailLogin(connection, record);
    connection.negotiation.reset();
    return;
  }
  if (!iscsi_login_is_complete(record.bhs)) return;
  connection.target->second.logins++;
  connection.parameters = connection.negotiation->Effective(Scope::kConnection);
  if (connection.target->first.name != kDiscoveryName) OpenSession(connection, record);
  connection.negotiation.reset();
}

void Model::FailLogin(Connection& connection, const lunscope_pdu_record& record) {
  TargetStatistics& target = connection.target->second;
  switch (iscsi_login_status_class(record.bhs)) {
    case 1: break;
    case 2: target.login_failures[kInitiatorError]++; return;
    default: target.login_failures[kTargetError]++; return;
  }
  target.login_failures[kRedirection]++;
  const std::string& address = connection.negotiation->target_address();
  if (address.empty()) return;
  directory_.Redirect(connection.role, connection.target->first.name, address,
                      iscsi_login_status_detail(record.bhs) == kMovedPermanently);
}

void Model::ApplyLogout(Connection& connection) {
  connection.target->second.logouts++;
  connection.logged_out = true;
  Session* session = SessionOf(connection);
  if (connection.closes_session && session != nullptr) session->logged_out = true;
}

void Model::OpenSession(Connection& connection, const lunscope_pdu_record& record) {
  // A connection is one session's: another login on it leaves the one before.
  sessions_.Close(connection.session, connection.cid, connection.id, connection.logged_out);
  connection.logged_out = false;
  connection.cid = connection.requested_cid;
  const TargetKey& target = connection.target->first;
  const ParameterValues parameters = connection.negotiation->Effective(Scope::kSession);
  const std::string initiator = connection.initiator.empty() ? kUnknownName : connection.initiator;
  SessionLogin login;
  login.key = {target.role,
               target.name,
               initiator,
               connection.isid,
               iscsi_tsih(record.bhs),
               ValueOf(parameters, "TargetPortalGroupTag")};
  login.cid = connection.cid;
  login.connection = connection.id;
  login.is_leading = connection.requested_tsih == 0;
  if (login.is_leading && login.key.portal_group.empty())
    login.key.portal_group = PortalOf(connection);
  login.time_ns = record.header.time_ns;
  connection.session = sessions_.LogIn(login);
  Session& session = *SessionOf(connection);
  // Only the leading login negotiates what is the session's (RFC 7143 section 13, "LO").
  if (login.is_leading) session.parameters = parameters;
  LearnPortal(connection, session);
}

Session* Model::SessionOf(const Connection& connection) {
  return sessions_.Find(connection.session, connection.cid, connection.id);
}

void Model::ApplyConnection(const lunscope_connection_record& record) {
  Connection& connection = ConnectionOf(record.header);
  if (connection.local.empty()) {
    connection.local = FormatAddress(record.local_address, record.is_ipv6, record.local_port);
    connection.remote = FormatAddress(record.remote_address, record.is_ipv6, record.remote_port);
  }
  connection.last_walk = walk_number_;
  connection.is_midstream = (record.header.flags & LUNSCOPE_FLAG_MIDSTREAM) != 0;
  InferNames(connection);
  TargetStatistics& target = connection.target->second;
  lunscope_connection_record& counted = connection.counted;
  for (size_t direction = 0; direction < LUNSCOPE_DIRECTIONS; direction++) {
    lunscope_traffic& old = counted.traffic[direction];
    const lunscope_traffic& now = record.traffic[direction];
    for (size_t opcode = 0; opcode < 32; opcode++)
      Advance(target.pdus[direction][opcode], old.pdus[opcode], now.pdus[opcode]);
    Advance(target.bytes[direction], old.bytes, now.bytes);
  }
  Advance(target.retransmits, counted.retransmits, record.retransmits);
  target.unread_bytes += record.unread_bytes;
  Advance(target.header_digest_errors, counted.header_digest_errors, record.header_digest_errors);
  if (Session* session = SessionOf(connection)) {
    session->header_digest = record.header_digest != 0;
    session->data_digest = record.data_digest != 0;
    LearnPortal(connection, *session);
  }
  if (record.header.flags & LUNSCOPE_FLAG_CLOSED) Close(record.header.connection);
}

void Model::SetProcess(uint64_t id, LocalProcess process) {
  const auto found = connections_.find(id);
  if (found != connections_.end()) found->second.process = std::move(process);
}

void Model::ApplyAggregates(const lunscope_aggregates_record& record) {
  Connection& connection = ConnectionOf(record.header);
  connection.aggregates.resize(std::max<size_t>(connection.aggregates.size(), record.count));
  for (uint32_t i = 0; i < record.count; i++) {
    const lunscope_aggregate& now = record.aggregates[i];
    lunscope_aggregate& counted = connection.aggregates[i];
    LunStatistics& lun = LunOf(connection, now.lun);
    const size_t operation =
        scsi_operation_of(&now.opcode, DeviceTypeOf(connection, now.lun, lun.identity));
    const uint64_t bytes = now.transferred_bytes - counted.transferred_bytes;
    OperationOf(connection, lun, operation)
        .duration_ns.AddGrowth(counted.durations, now.durations,
                               now.duration_ns - counted.duration_ns);
    connection.target->second.sizes[operation].AddGrowth(counted.sizes, now.sizes, bytes);
    (now.flags & ISCSI_COMMAND_READ ? lun.read_bytes : lun.written_bytes) += bytes;
    counted = now;
  }
}

void Model::ApplyInflight(const lunscope_inflight_record& record) {
  Connection& connection = ConnectionOf(record.header);
  tracked_commands_ += record.count;
  for (const lunscope_waiting& waiting : std::span(record.waiting, record.count)) {
    LunStatistics& lun = LunOf(connection, waiting.lun);
    lun.outstanding++;
    if (lun.oldest_start_ns == 0 || waiting.start_ns < lun.oldest_start_ns)
      lun.oldest_start_ns = waiting.start_ns;
  }
}

void Model::BeginWalk() {
  walk_number_++;
  is_walking_ = true;
  closed_in_walk_.clear();
  tracked_commands_ = 0;
  for (auto& [key, target] : targets_) {
    target.unread_bytes = 0;
    for (auto& [number, lun] : target.luns) {
      lun.outstanding = 0;
      lun.oldest_start_ns = 0;
    }
  }
}

// The walk had read it before the record of the end came.
bool Model::IsStale(const lunscope_record& record) const {
  const bool is_of_a_walk = record.kind == LUNSCOPE_RECORD_CONNECTION ||
                            record.kind == LUNSCOPE_RECORD_AGGREGATES ||
                            record.kind == LUNSCOPE_RECORD_INFLIGHT;
  return is_of_a_walk && closed_in_walk_.contains(record.connection);
}

void Model::EndWalk(bool is_whole, const Pause& pause) {
  is_walking_ = false;
  if (!is_whole) return;
  for (auto next = connections_.begin(); next != connections_.end();) {
    const auto& [id, connection] = *next;
    const uint64_t last = id;
    const bool is_gone =
        !connection.is_nexus() && walk_number_ - connection.last_walk >= kMaxWalksMissed;
    ++next;
    if (is_gone) Close(last);
    if (!pause || last % kConnectionsAtOnce != 0) continue;
    pause();
    next = connections_.upper_bound(last);
  }
}

void Model::Close(uint64_t id) {
  const auto connection = connections_.find(id);
  if (connection == connections_.end()) return;
  if (is_walking_) closed_in_walk_.insert(id);
  const Connection& closed = connection->second;
  sessions_.Close(closed.session, closed.cid, id, closed.logged_out);
  Forget(connection);
}

const Connection* Model::FindConnection(uint64_t id) const {
  const auto connection = connections_.find(id);
  return connection == connections_.end() ? nullptr : &connection->second;
}

int Model::DeviceType(const Connection& connection, uint64_t lun) const {
  const auto& luns = connection.target->second.luns;
  const auto seen = luns.find(CanonicalLun(lun));
  return DeviceTypeOf(connection, lun, seen == luns.end() ? LunIdentity() : seen->second.identity);
}

// Connections do not move while they are in the table, and most are among those met last.
Connection& Model::Lookup(uint64_t id) {
  Connection*& recent = recent_[id % kRecentConnections];
  if (recent == nullptr || recent->id != id) {
    recent = &connections_[id];
    recent->id = id;
    recent->last_walk = std::max(recent->last_walk, walk_number_);
  }
  return *recent;
}

void Model::Forget(std::map<uint64_t, Connection>::iterator connection) {
  Connection*& recent = recent_[connection->first % kRecentConnections];
  if (recent == &connection->second) recent = nullptr;
  connections_.erase(connection);
}

Connection& Model::ConnectionOf(const lunscope_record& record) {
  Connection& connection = Lookup(record.connection);
  // A record may be older than what was learned since: an unknown role takes nothing back.
  const bool is_news = record.role != LUNSCOPE_ROLE_UNKNOWN && connection.role != record.role;
  if (connection.target == nullptr || is_news) {
    connection.role = record.role;
    // That of a nexus is unknown when the record that says it was lost.
    SetTarget(connection, {record.role, kUnknownName, connection.is_nexus() ? kUnknownName : ""});
    InferNames(connection);
  }
  return connection;
}

void Model::SetHostSessions(std::vector<HostSession> sessions) {
  host_sessions_ = std::move(sessions);
  for (auto& [id, connection] : connections_) InferNames(connection);
}

// A name that no login told, marked as such. It is that of a connection which was open before, and
// of no other: what began since is told by its login.
void Model::InferNames(Connection& connection) {
  if (!connection.is_midstream || !connection.names_from.empty() || connection.local.empty() ||
      connection.role == LUNSCOPE_ROLE_UNKNOWN)
    return;
  const HostSession found =
      FindHostSession(host_sessions_, connection.role, connection.local, connection.remote);
  if (found.target.empty() && found.initiator.empty()) return;
  connection.names_from = found.source;
  for (const auto& [lun, type] : found.device_types) LearnDeviceType(connection, lun, type);
  connection.initiator = Printable(found.initiator);
  if (found.target.empty()) return;
  SetTarget(connection, {connection.role, Printable(found.target)});
}

void Model::SetTarget(Connection& connection, const TargetKey& key) {
  connection.target = &TargetOf(key);
  const std::string& name = connection.target->first.name;
  connection.has_own_target = name != kUnknownName && name != kOverflowName;
  connection.last_lun = nullptr;
}

bool Model::ReserveLabelSet() {
  if (label_sets_ < options_.max_label_sets) {
    label_sets_++;
    return true;
  }
  dropped_series_++;
  return false;
}

Target& Model::OverflowTarget(const TargetKey& key) {
  return *targets_.try_emplace(TargetKey{key.role, kOverflowName, key.transport}).first;
}

Target& Model::TargetOf(const TargetKey& key) {
  const auto known = targets_.find(key);
  if (known != targets_.end()) return *known;
  return ReserveLabelSet() ? *targets_.try_emplace(key).first : OverflowTarget(key);
}

LunStatistics& Model::LunOf(Connection& connection, uint64_t lun) {
  if (connection.last_lun != nullptr && connection.last_lun_number == lun)
    return *connection.last_lun;
  RecentLun& recent = recent_luns_[RecentLun::PlaceOf(connection.target, lun)];
  if (recent.target != connection.target || recent.number != lun)
    recent = {connection.target, lun, &FindLun(*connection.target, lun)};
  connection.last_lun = recent.statistics;
  connection.last_lun_number = lun;
  return *recent.statistics;
}

LunStatistics& Model::FindLun(Target& target, uint64_t lun) {
  auto& luns = target.second.luns;
  const auto known = luns.find(CanonicalLun(lun));
  if (known != luns.end()) return known->second;
  return ReserveLabelSet() ? luns[CanonicalLun(lun)]
                           : OverflowTarget(target.first).second.luns[kOverflowLun];
}

OperationStatistics& Model::OperationOf(Connection& connection, LunStatistics& lun,
                                        size_t operation) {
  std::unique_ptr<OperationStatistics>& statistics = lun.operations[operation];
  if (statistics) return *statistics;
  std::unique_ptr<OperationStatistics>& own_or_shared =
      ReserveLabelSet() ? statistics
                        : OverflowTarget(connection.target->first)
                              .second.luns[kOverflowLun]
                              .operations[operation];
  if (!own_or_shared) own_or_shared = std::make_unique<OperationStatistics>();
  return *own_or_shared;
}

}  // namespace lunscope
