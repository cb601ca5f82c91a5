// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/event_line.h"

#include <fmt/format.h>

#include "collector/base/clock.h"
#include "collector/base/json.h"
#include "collector/base/record.h"
#include "collector/lines/shared_keys.h"
#include "collector/lines/trace_line.h"
#include "collector/names/code_table.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

// An event without its subject.
struct Happening {
  EventKind kind;
  std::string words;
  std::optional<LogLevel> raised = std::nullopt;
};
using MaybeHappening = std::optional<Happening>;

// A login that succeeded. beginning: nullptr for a discovery session.
Happening OfLogin(const SessionBeginning* beginning) {
  if (beginning == nullptr) return {"logged_in", "logged in"};
  if (!beginning->taken_over_from.empty()) {
    const std::string words =
        "logged in, in the place of its session from " + beginning->taken_over_from;
    if (!beginning->is_from_elsewhere) return {"session_reinstated", words};
    return {"session_taken_over", words + ", which is another address"};
  }
  if (!beginning->outage_ns) return {"logged_in", "logged in"};
  return {"session_restored", fmt::format("logged in again after {:.3f} s without a session",
                                          static_cast<double>(*beginning->outage_ns) / 1e9)};
}

// By the status class in the Login Response (RFC 7143 section 11.13.5).
MaybeHappening OfLoginResponse(const uint8_t* bhs, const Applied& applied) {
  const uint8_t status_class = iscsi_login_status_class(bhs);
  const uint16_t status = static_cast<uint16_t>(status_class << 8) | iscsi_login_status_detail(bhs);
  if (status_class == 0) {
    if (iscsi_login_is_complete(bhs) == 0) return std::nullopt;
    return OfLogin(applied.beginning);
  }
  const std::string words = LoginStatusText(status);
  if (status_class != 1) return Happening{"login_refused", "login refused: " + words};
  const std::string to = applied.redirected_to == nullptr ? "" : " to " + *applied.redirected_to;
  return Happening{"login_redirected", fmt::format("login redirected{}: {}", to, words)};
}

MaybeHappening OfTaskRequest(const uint8_t* bhs) {
  const uint8_t function = iscsi_task_function(bhs);
  const bool is_of_task = function == ISCSI_TASK_ABORT_TASK;
  std::string words = NameOrHex(TaskFunctionName(function), function);
  if (is_of_task) words += fmt::format(" of the command with ITT {}", iscsi_referenced_itt(bhs));
  return Happening{"task_management_requested", words + " requested"};
}

MaybeHappening OfLogoutResponse(const uint8_t* bhs) {
  const uint8_t response = iscsi_response(bhs);
  if (response == 0) return Happening{"logged_out", "logged out"};
  return Happening{"logout_refused",
                   "logout refused: " + NameOrHex(LogoutResponseName(response), response)};
}

// The data segment is the header of the rejected PDU (RFC 7143 section 11.17.3).
Happening OfReject(const lunscope_pdu_record& record) {
  const uint8_t reason = iscsi_reject_reason(record.bhs);
  std::string words = "Reject: " + NameOrHex(RejectReasonName(reason), reason);
  if (record.chunk_offset == 0 && record.chunk_bytes >= ISCSI_BHS_BYTES) {
    const uint8_t opcode = iscsi_opcode(record.chunk);
    words += fmt::format(", of a {} with ITT {}", NameOrHex(OpcodeName(opcode), opcode),
                         iscsi_itt(record.chunk));
  }
  return {"reject", std::move(words)};
}

MaybeHappening OfPdu(const lunscope_pdu_record& record, const Applied& applied) {
  const uint8_t* bhs = record.bhs;
  switch (iscsi_opcode(bhs)) {
    case ISCSI_LOGIN_RESPONSE: return OfLoginResponse(bhs, applied);
    case ISCSI_LOGOUT_RESPONSE: return OfLogoutResponse(bhs);
    case ISCSI_TASK_REQUEST: return OfTaskRequest(bhs);
    case ISCSI_TASK_RESPONSE: {
      const uint8_t response = iscsi_response(bhs);
      return Happening{
          "task_management_answered",
          "task management answered: " + NameOrHex(TaskResponseName(response), response)};
    }
    case ISCSI_REJECT: return OfReject(record);
    case ISCSI_ASYNC_MESSAGE: {
      const uint8_t event = iscsi_async_event(bhs);
      return Happening{"async_message",
                       "Asynchronous Message: " + NameOrHex(AsyncEventName(event), event)};
    }
    default: return std::nullopt;
  }
}

const char* WordsOf(lunscope_end end) {
  switch (end) {
    case LUNSCOPE_END_CLOSED_HERE: return "closed by this host";
    case LUNSCOPE_END_CLOSED_BY_PEER: return "closed by the peer";
    case LUNSCOPE_END_RESET_HERE: return "reset by this host";
    case LUNSCOPE_END_RESET_BY_PEER: return "reset by the peer";
    case LUNSCOPE_END_TIMED_OUT: return "timed out: the peer acknowledged nothing for too long";
    case LUNSCOPE_END_UNREACHABLE: return "ended: the network cannot reach the peer";
    default: return "ended, and how is not known";
  }
}

// The connection never came about. Words behind "connect to PORTAL".
const char* WordsOfFailedConnect(lunscope_end end) {
  switch (end) {
    case LUNSCOPE_END_REFUSED: return "refused: nothing listens there, or a firewall refuses it";
    case LUNSCOPE_END_UNANSWERED:
    case LUNSCOPE_END_TIMED_OUT: return "not answered: its SYN was sent again and again";
    case LUNSCOPE_END_UNREACHABLE: return "failed: the network cannot reach it";
    default: return "given up by this host before it was answered";
  }
}

const char* WordsOf(During during) {
  switch (during) {
    case During::kBeforeLogin: return ", before a login";
    case During::kUnansweredLogin:
      return ", in the middle of the login; the target had not answered the Login Request";
    case During::kLogin: return ", in the middle of the login; the initiator was to go on";
    case During::kTurnedAway: return ", after the target turned the login away";
    case During::kSession: return ", without a logout";
    case During::kAfterLogout: return ", after the logout";
    default: return "";
  }
}

bool IsInLogin(During during) {
  return during == During::kUnansweredLogin || during == During::kLogin;
}

// A warning if somebody waits in vain, or if a session ended in another way than by its initiator's
// decision. A connection that never had a session may end as it likes.
LogLevel LevelOfEnd(uint8_t role, const EndedConnection& ended) {
  if (ended.cut_off != 0 || IsInLogin(ended.during)) return LogLevel::kWarning;
  const bool had_session = ended.during == During::kSession || ended.during == During::kUnknown;
  const auto closed_by_initiator =
      role == LUNSCOPE_ROLE_INITIATOR ? LUNSCOPE_END_CLOSED_HERE : LUNSCOPE_END_CLOSED_BY_PEER;
  const bool is_ordinary = ended.end == closed_by_initiator || ended.end == LUNSCOPE_END_UNKNOWN;
  return had_session && !is_ordinary ? LogLevel::kWarning : LogLevel::kDebug;
}

Happening OfEnd(uint8_t role, const EndedConnection& ended) {
  if (ended.during == During::kConnect)
    return {"connect_failed", fmt::format("connect to {} {}", OrUnknown(ended.remote),
                                          WordsOfFailedConnect(ended.end))};
  std::string words = fmt::format("connection {}{}", WordsOf(ended.end), WordsOf(ended.during));
  if (ended.cut_off != 0)
    words += fmt::format("; {} {} no answer", ended.cut_off,
                         ended.cut_off == 1 ? "command had" : "commands had");
  return {"connection_ended", std::move(words), LevelOfEnd(role, ended)};
}

Happening OfOverdue(const Overdue& overdue) {
  const std::string late =
      fmt::format(" for {} s{}", kOverdueNs / kNsPerSecond,
                  overdue.is_answering ? ", although commands are answered" : "");
  switch (overdue.what) {
    case Overdue::What::kLogin:
      return {"login_unanswered", "the target has not answered the Login Request" + late};
    case Overdue::What::kPingOfInitiator:
      return {"ping_unanswered", "the target has not answered the initiator's ping" + late};
    default: return {"ping_unanswered", "the initiator has not answered the target's ping" + late};
  }
}

Happening OfTroubles(const Troubles& troubles) {
  if (troubles.gaps == 0)
    return {"header_digest_error",
            fmt::format("{} with a wrong header digest, which the receiver drops",
                        troubles.header_digest_errors == 1
                            ? "a PDU"
                            : fmt::format("{} PDUs", troubles.header_digest_errors))};
  return {"gap", "a gap: lunscope missed bytes, and what was in flight is in doubt"};
}

EventSubject SubjectOf(uint8_t role, const Connection& connection) {
  return {role,
          connection.target->first.name,
          connection.initiator,
          connection.local,
          connection.remote,
          &connection.process};
}

// The initiator by its name, its address and, if it is here, its guest.
std::string WhoOf(const EventSubject& subject) {
  const bool is_target = subject.role == LUNSCOPE_ROLE_TARGET;
  std::string who = fmt::format("{} at {}", OrUnknown(subject.initiator),
                                OrUnknown(is_target ? subject.remote : subject.local));
  const LocalProcess& process = *subject.process;
  if (!is_target && !process.guest.empty()) who += ", guest " + process.guest;
  return who;
}

}  // namespace

std::optional<Event> EventOf(const lunscope_record& record, const Applied& applied) {
  if (applied.ended != nullptr) {
    const EndedConnection& ended = *applied.ended;
    Happening happening = OfEnd(record.role, ended);
    return Event{
        record.time_ns,
        happening.kind,
        {record.role, ended.target, ended.initiator, ended.local, ended.remote, &ended.process},
        std::move(happening.words),
        happening.raised};
  }
  if (applied.connection == nullptr) return std::nullopt;
  MaybeHappening happening;
  const auto* pdu = RecordAs<lunscope_pdu_record>(record);
  if (applied.overdue != nullptr) happening = OfOverdue(*applied.overdue);
  if (applied.troubles.any()) happening = OfTroubles(applied.troubles);
  if (pdu != nullptr && pdu->last != 0) happening = OfPdu(*pdu, applied);
  if (!happening) return std::nullopt;
  return Event{record.time_ns, happening->kind, SubjectOf(record.role, *applied.connection),
               std::move(happening->words), happening->raised};
}

std::string EventRow(const Event& event, int64_t wall_clock_offset_ns, ShortNames& names) {
  const std::string target(event.subject.target);
  return fmt::format("{:<15} {:<3} {:<{}} {} ({})",
                     FormatTimeOfDay(static_cast<int64_t>(event.time_ns) + wall_clock_offset_ns),
                     EndName(event.subject.role), names.Of(target), kTargetColumns, event.words,
                     WhoOf(event.subject));
}

std::string EventJson(const Event& event, int64_t wall_clock_offset_ns) {
  return json::Object(FillEvent, event, wall_clock_offset_ns);
}

void FillEvent(json::Members& line, const Event& event, int64_t wall_clock_offset_ns) {
  line.String("time", FormatTime(static_cast<int64_t>(event.time_ns) + wall_clock_offset_ns));
  line.String("event", event.kind.label());
  line.String("role", RoleLabel(event.subject.role));
  line.String("initiator", OrUnknown(event.subject.initiator));
  line.String("target", event.subject.target);
  line.String("local", OrUnknown(event.subject.local));
  line.String("remote", OrUnknown(event.subject.remote));
  AddProcess(line, *event.subject.process);
  line.String("words", event.words);
}

std::string EventSentence(const Event& event) {
  return fmt::format("{}'s end of {}: {} ({})", RoleLabel(event.subject.role), event.subject.target,
                     event.words, WhoOf(event.subject));
}

}  // namespace lunscope
