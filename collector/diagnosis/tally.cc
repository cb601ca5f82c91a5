// SPDX-License-Identifier: Apache-2.0
#include "collector/diagnosis/tally.h"

#include <lunscope/iscsi.h>

#include <algorithm>
#include <optional>

#include "collector/base/record.h"
#include "collector/lines/event_line.h"

namespace lunscope {
namespace {

bool IsTarget(uint8_t role) { return role == LUNSCOPE_ROLE_TARGET; }

Subject InitiatorOf(const Connection& connection) {
  const std::string& address = IsTarget(connection.role) ? connection.remote : connection.local;
  return {connection.role, connection.target->first.name, connection.initiator, HostOf(address)};
}

Subject InitiatorOf(uint8_t role, const EndedConnection& ended) {
  return {role, ended.target, ended.initiator, HostOf(IsTarget(role) ? ended.remote : ended.local)};
}

bool IsByTarget(uint8_t role, lunscope_end end) {
  return IsTarget(role) ? end == LUNSCOPE_END_CLOSED_HERE || end == LUNSCOPE_END_RESET_HERE
                        : end == LUNSCOPE_END_CLOSED_BY_PEER || end == LUNSCOPE_END_RESET_BY_PEER;
}

// A FIN of the initiator behind a session is how tools end that never log out.
bool IsOrdinary(uint8_t role, const EndedConnection& ended) {
  const auto by_initiator = IsTarget(role) ? LUNSCOPE_END_CLOSED_BY_PEER : LUNSCOPE_END_CLOSED_HERE;
  return ended.end == by_initiator && ended.cut_off == 0;
}

}  // namespace

void TallyEntry::Add(uint64_t time_ns) {
  if (count == 0) first_ns = time_ns;
  times[count++ % kKeptTimes] = time_ns;
  last_ns = std::max(last_ns, time_ns);
}

size_t TallyEntry::Since(uint64_t time_ns) const {
  const size_t kept = std::min<uint64_t>(count, kKeptTimes);
  return static_cast<size_t>(std::count_if(times.begin(), times.begin() + kept,
                                           [&](uint64_t time) { return time >= time_ns; }));
}

std::vector<std::string> TallyEntry::Evidence() const {
  if (example.empty()) return {};
  return {"The last time: " + example + "."};
}

const TallyEntry* Tally::Find(const TallyKey& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void Tally::Take(const lunscope_record& record, const Applied& applied) {
  if (applied.ended != nullptr) {
    TakeEnd(record, applied);
    return;
  }
  if (applied.connection == nullptr) return;
  if (const Overdue* overdue = applied.overdue; overdue != nullptr) {
    const uint16_t code = overdue->is_answering ? 1 : 0;
    const auto what = overdue->what == Overdue::What::kLogin ? Happening::kLoginUnanswered
                      : overdue->what == Overdue::What::kPingOfInitiator
                          ? Happening::kTargetIsSilent
                          : Happening::kInitiatorIsSilent;
    Add({what, code, InitiatorOf(*applied.connection)}, record, applied);
  }
  if (applied.troubles.header_digest_errors != 0)
    Add({Happening::kWrongDigest, 0, InitiatorOf(*applied.connection)}, record, applied);
  if (const auto* pdu = RecordAs<lunscope_pdu_record>(record); pdu != nullptr && pdu->last != 0)
    TakePdu(*pdu, applied);
}

void Tally::TakePdu(const lunscope_pdu_record& pdu, const Applied& applied) {
  const uint8_t* bhs = pdu.bhs;
  Subject subject = InitiatorOf(*applied.connection);
  switch (iscsi_opcode(bhs)) {
    case ISCSI_LOGIN_RESPONSE: TakeLogin(pdu, applied); break;
    case ISCSI_TASK_REQUEST: {
      const uint8_t function = iscsi_task_function(bhs);
      // The functions of a target have no LUN (RFC 7143 section 11.5.1).
      if (function <= ISCSI_TASK_LUN_RESET) subject.lun = CanonicalLun(iscsi_lun(bhs));
      Add({Happening::kTaskRequested, function, subject}, pdu.header, applied);
      break;
    }
    case ISCSI_TASK_RESPONSE:
      Add({Happening::kTaskAnswered, iscsi_response(bhs), subject}, pdu.header, applied);
      break;
    case ISCSI_REJECT:
      Add({Happening::kRejected, iscsi_reject_reason(bhs), subject}, pdu.header, applied);
      break;
    default: break;
  }
}

void Tally::TakeLogin(const lunscope_pdu_record& pdu, const Applied& applied) {
  const Subject subject = InitiatorOf(*applied.connection);
  const uint8_t status_class = iscsi_login_status_class(pdu.bhs);
  if (status_class > 1) {
    const auto status =
        static_cast<uint16_t>(status_class << 8 | iscsi_login_status_detail(pdu.bhs));
    Add({Happening::kLoginRefused, status, subject}, pdu.header, applied);
    return;
  }
  if (status_class != 0 || iscsi_login_is_complete(pdu.bhs) == 0) return;
  Add({Happening::kLoggedIn, 0, subject}, pdu.header, applied);
  if (applied.beginning != nullptr && applied.beginning->is_from_elsewhere)
    Add({Happening::kTakenOver, 0, subject}, pdu.header, applied);
}

void Tally::TakeEnd(const lunscope_record& record, const Applied& applied) {
  const EndedConnection& ended = *applied.ended;
  const Subject initiator = InitiatorOf(record.role, ended);
  if (ended.during == During::kConnect) {
    const auto what = ended.end == LUNSCOPE_END_REFUSED ? Happening::kConnectRefused
                                                        : Happening::kConnectUnanswered;
    Add({what, 0, {record.role, ended.target, "", ended.remote}}, record, applied);
  } else if (ended.during == During::kUnansweredLogin && IsByTarget(record.role, ended.end)) {
    Add({Happening::kLoginCut, 0, initiator}, record, applied);
  } else if (ended.during == During::kSession && !IsOrdinary(record.role, ended)) {
    Add({Happening::kDropped, static_cast<uint16_t>(ended.end), initiator}, record, applied);
  }
}

void Tally::Add(const TallyKey& key, const lunscope_record& record, const Applied& applied) {
  if (entries_.size() >= kMaxEntries && !entries_.contains(key)) GiveUpTheQuietest();
  TallyEntry& entry = entries_[key];
  entry.Add(record.time_ns);
  if (const std::optional<Event> event = EventOf(record, applied)) entry.example = event->words;
}

void Tally::GiveUpTheQuietest() {
  const auto quietest = std::ranges::min_element(
      entries_, {}, [](const auto& entry) { return entry.second.last_ns; });
  left_out_ += quietest->second.count;
  entries_.erase(quietest);
}

void Tally::Age(uint64_t now_ns) {
  std::erase_if(entries_,
                [&](const auto& entry) { return entry.second.last_ns + kKeptNs < now_ns; });
}

}  // namespace lunscope
