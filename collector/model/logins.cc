// SPDX-License-Identifier: Apache-2.0
#include "collector/model/logins.h"

#include <memory>

namespace lunscope {
namespace {

// A status class, and a detail of it (RFC 7143 section 11.13.5).
constexpr uint8_t kRedirection = 1;
constexpr uint8_t kMovedPermanently = 2;

void LearnPortal(const Connection& connection, Session& session) {
  if (session.portal.empty()) session.portal = PortalOf(connection);
}

void CountBeginning(const SessionBeginning& beginning, TargetCounters& target) {
  if (!beginning.taken_over_from.empty())
    target
        .session_reinstatements[beginning.is_from_elsewhere ? kFromElsewhere : kFromSameAddress]++;
  if (!beginning.outage_ns) return;
  target.outages++;
  target.outage_ns += *beginning.outage_ns;
}

}  // namespace

LoginNews Logins::Apply(Connection& connection, const lunscope_pdu_record& record) {
  switch (iscsi_opcode(record.bhs)) {
    case ISCSI_LOGIN_REQUEST:
      ReadText(connection, record);
      if (!record.last) break;
      connection.login.asked_ns = record.header.time_ns;
      ApplyRequest(connection, record);
      break;
    case ISCSI_LOGIN_RESPONSE:
      connection.login.asked_ns = 0;
      connection.login.is_overdue = false;
      ReadText(connection, record);
      return record.last ? ApplyResponse(connection, record) : LoginNews{};
    case ISCSI_TEXT_REQUEST:
    case ISCSI_TEXT_RESPONSE: ReadText(connection, record); break;
    case ISCSI_LOGOUT_REQUEST:
      connection.login.logout_reason = iscsi_logout_reason(record.bhs);
      break;
    case ISCSI_LOGOUT_RESPONSE:
      if (iscsi_logout_response(record.bhs) == 0) LogOut(connection);
      break;
    default: break;
  }
  return {};
}

// C: the text, and maybe its last pair, goes on in the next PDU (RFC 7143 section 11.10.2).
void Logins::ReadText(Connection& connection, const lunscope_pdu_record& record) {
  const uint8_t opcode = iscsi_opcode(record.bhs);
  const Party party = opcode & ISCSI_OPCODE_FROM_TARGET ? kTargetParty : kInitiatorParty;
  const bool is_login = opcode == ISCSI_LOGIN_REQUEST || opcode == ISCSI_LOGIN_RESPONSE;
  LoginState& login = connection.login;
  if (is_login && !login.negotiation) login.negotiation = std::make_unique<Negotiation>();
  const auto take = [&](std::string_view key, const std::string& value) {
    if (is_login) {
      login.negotiation->Take(party, key, value);
    } else {
      TakeKey(connection, party, key, value);
    }
  };
  TextReader& text = login.text[record.direction & 1];
  text.Take({reinterpret_cast<const char*>(record.chunk), record.chunk_bytes}, take);
  if (record.last && !(iscsi_flags(record.bhs) & ISCSI_FLAG_CONTINUE)) text.End(take);
}

// A key in full feature phase: a declaration, or a line of the answer to SendTargets.
void Logins::TakeKey(Connection& connection, Party party, std::string_view key,
                     const std::string& value) {
  if (value.empty()) return;
  connection.login.declared_again |= key == "MaxRecvDataSegmentLength";
  DeclareAnew(party, key, value, Scope::kConnection, connection.parameters);
  if (Session* session = SessionOf(connection))
    DeclareAnew(party, key, value, Scope::kSession, session->parameters);
  if (party != kTargetParty) return;
  std::string& listed_target = connection.login.listed_target;
  if (key == "TargetName") {
    listed_target = value;
    directory_.List(connection.role, value);
  } else if (key == "TargetAddress" && !listed_target.empty()) {
    directory_.AddAddress(connection.role, listed_target, value);
  }
}

void Logins::ApplyRequest(Connection& connection, const lunscope_pdu_record& record) {
  if (iscsi_flags(record.bhs) & ISCSI_FLAG_CONTINUE) return;
  LoginState& login = connection.login;
  login.isid = iscsi_lun(record.bhs) >> 16;
  login.requested_tsih = iscsi_tsih(record.bhs);
  login.requested_cid = iscsi_cid(record.bhs);
  connection.names_from = kNamesFromLogin;
  const Negotiation& said = *login.negotiation;
  if (!said.initiator_name().empty()) {
    series_.Rename(connection);
    connection.initiator = NameFromWire(said.initiator_name());
  }
  std::string target = NameFromWire(said.target_name());
  if (target.empty() && said.IsDiscovery()) target = kDiscoveryName;
  if (target.empty()) return;
  series_.Assign(connection, {connection.role, target});
  connection.device_types.clear();
}

LoginNews Logins::ApplyResponse(Connection& connection, const lunscope_pdu_record& record) {
  std::unique_ptr<Negotiation>& negotiation = connection.login.negotiation;
  TargetCounters& target = connection.target->second;
  LoginNews news;
  const uint8_t status_class = iscsi_login_status_class(record.bhs);
  if (status_class == kRedirection) {
    news = Redirect(connection, record);
  } else if (status_class != 0) {
    const auto status = static_cast<uint16_t>(status_class << 8);
    target.login_failures[LoginFailureOf(status | iscsi_login_status_detail(record.bhs))]++;
  }
  if (status_class != 0) {
    negotiation.reset();
    connection.login.turned_away = true;
    return news;
  }
  if (!iscsi_login_is_complete(record.bhs)) return {};
  target.logins++;
  connection.login.succeeded = true;
  connection.login.declared_again = false;
  connection.login.turned_away = false;
  Series::Prove(connection);
  connection.parameters = negotiation->Effective(Scope::kConnection);
  connection.offered = negotiation->Offered();
  if (connection.target->first.name != kDiscoveryName) news = OpenSession(connection, record);
  negotiation.reset();
  return news;
}

// The session goes on at another address: that is no failure (RFC 7143 section 11.13.5).
LoginNews Logins::Redirect(Connection& connection, const lunscope_pdu_record& record) {
  connection.target->second.login_redirections++;
  redirected_to_ = connection.login.negotiation->target_address();
  if (redirected_to_.empty()) return {};
  directory_.Redirect(connection.role, connection.target->first.name, redirected_to_,
                      iscsi_login_status_detail(record.bhs) == kMovedPermanently);
  return {.redirected_to = &redirected_to_};
}

void Logins::LogOut(Connection& connection) {
  const uint8_t reason = connection.login.logout_reason;
  connection.target->second.logouts[reason]++;
  connection.login.logged_out = true;
  Session* session = SessionOf(connection);
  if (reason == ISCSI_LOGOUT_CLOSE_SESSION && session != nullptr) session->logged_out = true;
}

LoginNews Logins::OpenSession(Connection& connection, const lunscope_pdu_record& record) {
  // A connection belongs to one session: another login on it leaves the session before.
  Close(connection, record.header.time_ns);
  LoginState& state = connection.login;
  state.logged_out = false;
  connection.cid = state.requested_cid;
  const TargetKey& target = connection.target->first;
  const ParameterValues parameters = state.negotiation->Effective(Scope::kSession);
  const std::string initiator = connection.initiator.empty() ? kUnknownName : connection.initiator;
  SessionLogin login;
  login.key = {target.role,
               target.name,
               initiator,
               state.isid,
               iscsi_tsih(record.bhs),
               ValueOf(parameters, "TargetPortalGroupTag"),
               PortalOf(connection)};
  login.cid = connection.cid;
  login.connection = connection.id;
  login.is_leading = state.requested_tsih == 0;
  if (login.is_leading && login.key.portal_group.empty()) login.key.portal_group = login.key.portal;
  login.time_ns = record.header.time_ns;
  login.initiator_address =
      target.role == LUNSCOPE_ROLE_TARGET ? connection.remote : connection.local;
  connection.session = sessions_.LogIn(login);
  Session& session = *SessionOf(connection);
  // Only the leading login negotiates what is the session's (RFC 7143 section 13, "LO").
  if (login.is_leading) session.parameters = parameters;
  LearnPortal(connection, session);
  directory_.Use(target.role, PortalOf(connection), {target.name, connection.initiator});
  CountBeginning(sessions_.beginning(), connection.target->second);
  return {.beginning = &sessions_.beginning()};
}

void Logins::Apply(Connection& connection, const lunscope_connection_record& record) {
  Session* session = SessionOf(connection);
  if (connection.never_came_about) NameByPortal(connection);
  if (session == nullptr) return;
  session->header_digest = record.header_digest != 0;
  session->data_digest = record.data_digest != 0;
  LearnPortal(connection, *session);
}

// Nobody names a connection that never came about. Its portal may be that of one session only.
void Logins::NameByPortal(Connection& connection) {
  const PortalUse* use = directory_.UseOf(connection.role, PortalOf(connection));
  if (use == nullptr || use->target.empty()) return;
  connection.initiator = use->initiator;
  series_.Assign(connection, {connection.role, use->target});
}

void Logins::Close(const Connection& connection, uint64_t time_ns) {
  sessions_.Close(connection.session, connection.cid, connection.id, connection.login.logged_out,
                  time_ns);
}

Session* Logins::SessionOf(const Connection& connection) {
  return sessions_.Find(connection.session, connection.cid, connection.id);
}

}  // namespace lunscope
