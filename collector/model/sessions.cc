// SPDX-License-Identifier: Apache-2.0
#include "collector/model/sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "collector/base/address.h"
#include "collector/model/target.h"

namespace lunscope {
namespace {

// A portal that is not known may be any.
bool IsSamePortal(const SessionKey& a, const SessionKey& b) {
  return a.portal.empty() || b.portal.empty() || a.portal == b.portal;
}

}  // namespace

const SessionKey& SessionTable::LogIn(const SessionLogin& login) {
  beginning_ = {};
  if (login.is_leading && !EndThoseInPlaceOf(login)) EndThoseThatAreBack(login);
  auto [entry, is_new] = sessions_.try_emplace(login.is_leading ? login.key : JoinedBy(login));
  Session& session = entry->second;
  if (is_new) session.name = fmt::format("{:012x}:{:04x}", login.key.isid, login.key.tsih);
  if (!is_new) beginning_.history = session.history;
  if (!is_new && !session.is_up()) EndOutage(session, login);
  session.history = beginning_.history;
  if (!session.is_up()) session.since_ns = login.time_ns;
  // A CID that is in use is taken over: connection reinstatement (RFC 7143 section 6.3.4).
  session.connections[login.cid] = login.connection;
  session.initiator_address = login.initiator_address;
  return entry->first;
}

// They lie side by side in the table, so a login does not look at all sessions.
auto SessionTable::OfInitiatorPort(const SessionKey& key) -> std::pair<Entry, Entry> {
  const Entry first =
      sessions_.lower_bound({key.role, key.target, key.initiator, key.isid, 0, "", ""});
  const Entry end = std::find_if(first, sessions_.end(), [&](const auto& entry) {
    const SessionKey& other = entry.first;
    return std::tie(other.role, other.target, other.initiator, other.isid) !=
           std::tie(key.role, key.target, key.initiator, key.isid);
  });
  return {first, end};
}

// Session reinstatement (RFC 7143 section 6.3.5): a login with TSIH 0 and an ISID that the
// initiator has a session for ends that session, up or down. The target chooses a new TSIH. One
// that is up at another portal of the group stays until its connections end, which the target
// sees to. If it does not, somebody else took the names. Returns whether there was one.
bool SessionTable::EndThoseInPlaceOf(const SessionLogin& login) {
  const SessionKey& key = login.key;
  auto [entry, end] = OfInitiatorPort(key);
  bool has_any = false;
  while (entry != end) {
    if (entry->first.portal_group != key.portal_group) {
      ++entry;
      continue;
    }
    has_any = true;
    entry->second.is_replaced = true;
    const bool stays = entry->second.is_up() && !IsSamePortal(entry->first, key);
    if (!stays) Succeed(entry->second, login);
    entry = stays ? std::next(entry) : sessions_.erase(entry);
  }
  return has_any;
}

// The login comes in the place of this session, which is about to go.
void SessionTable::Succeed(const Session& before, const SessionLogin& login) {
  SessionHistory& history = beginning_.history;
  history.relogins += before.history.relogins + 1;
  history.outages += before.history.outages;
  history.outage_ns += before.history.outage_ns;
  if (before.is_up()) {
    beginning_.taken_over_from = before.initiator_address;
    beginning_.is_from_elsewhere =
        ParseAddress(before.initiator_address).host != ParseAddress(login.initiator_address).host;
  } else {
    EndOutage(before, login);
  }
}

// This session was down, and is back with the login.
void SessionTable::EndOutage(const Session& before, const SessionLogin& login) {
  if (login.time_ns <= before.down_since_ns) return;
  const uint64_t outage_ns = login.time_ns - before.down_since_ns;
  beginning_.outage_ns = std::max(beginning_.outage_ns.value_or(0), outage_ns);
  beginning_.history.AddOutage(outage_ns);
}

// An initiator that chooses a new ISID each time is back, too. Its sessions through other portals
// are other paths, and may still be down.
void SessionTable::EndThoseThatAreBack(const SessionLogin& login) {
  const SessionKey& key = login.key;
  if (key.portal.empty() || key.initiator == kUnknownName) return;
  auto entry = sessions_.lower_bound({key.role, key.target, key.initiator, 0, 0, "", ""});
  while (entry != sessions_.end() &&
         std::tie(entry->first.role, entry->first.target, entry->first.initiator) ==
             std::tie(key.role, key.target, key.initiator)) {
    const Session& session = entry->second;
    const bool is_back = !session.is_up() && session.portal == key.portal;
    if (is_back) Succeed(session, login);
    entry = is_back ? sessions_.erase(entry) : std::next(entry);
  }
}

// A login that adds a connection need not name the portal group: the TSIH names the session. One
// that takes over a CID from another portal replaces the connection there.
const SessionKey& SessionTable::JoinedBy(const SessionLogin& login) {
  const SessionKey& key = login.key;
  for (auto [entry, end] = OfInitiatorPort(key); entry != end; ++entry) {
    const SessionKey& other = entry->first;
    if (other.tsih != key.tsih) continue;
    if (!key.portal_group.empty() && other.portal_group != key.portal_group) continue;
    if (IsSamePortal(other, key)) return other;
    entry->second.is_replaced |= entry->second.connections.contains(login.cid);
  }
  return key;
}

bool SessionTable::Has(const std::optional<SessionKey>& key, uint16_t cid,
                       uint64_t connection) const {
  if (!key) return false;
  const auto entry = sessions_.find(*key);
  if (entry == sessions_.end()) return false;
  const auto member = entry->second.connections.find(cid);
  return member != entry->second.connections.end() && member->second == connection;
}

Session* SessionTable::Find(const std::optional<SessionKey>& key, uint16_t cid,
                            uint64_t connection) {
  return Has(key, cid, connection) ? &sessions_.at(*key) : nullptr;
}

void SessionTable::Close(const std::optional<SessionKey>& key, uint16_t cid, uint64_t connection,
                         bool is_orderly, uint64_t time_ns) {
  Session* session = Find(key, cid, connection);
  if (session == nullptr) return;
  session->connections.erase(cid);
  if (session->is_up()) return;
  if (is_orderly || session->logged_out || session->is_replaced) {
    sessions_.erase(*key);
    return;
  }
  session->down_since_ns = time_ns;
  Age(time_ns);
  ForgetTheLongestDown();
}

void SessionTable::Age(uint64_t now_ns) {
  std::erase_if(sessions_, [&](const auto& entry) {
    const Session& session = entry.second;
    return !session.is_up() && now_ns > session.down_since_ns &&
           now_ns - session.down_since_ns > kMaxDownNs;
  });
}

void SessionTable::ForgetTheLongestDown() {
  const auto is_down = [](const auto& entry) { return !entry.second.is_up(); };
  if (static_cast<size_t>(std::ranges::count_if(sessions_, is_down)) <= max_down_) return;
  sessions_.erase(std::ranges::min_element(sessions_, {}, [&](const auto& entry) {
    return std::pair(!is_down(entry), entry.second.down_since_ns);
  }));
}

}  // namespace lunscope
