// SPDX-License-Identifier: Apache-2.0
//
// Targets, their LUNs and initiators stay where they are while the series are held, so a pause
// between two of them moves nothing. Sessions and connections may go in a pause, so the copy looks
// up its place again behind it.
#include "collector/model/snapshot.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace lunscope {
namespace {

// The process that reads the connections of a target, without its id.
struct Readers {
  const Target* target;
  LocalProcess process;
};

struct ReadersOrder {
  using is_transparent = void;
  using View = std::pair<const Target*, const LocalProcess*>;

  static auto Tie(const Target* target, const LocalProcess& process) {
    return std::tuple<const Target*, const std::string&, const std::string&, const std::string&,
                      const std::string&>(target, process.comm, process.guest, process.cgroup,
                                          process.network_namespace);
  }
  static auto Tie(const Readers& readers) { return Tie(readers.target, readers.process); }
  static auto Tie(const View& view) { return Tie(view.first, *view.second); }
  bool operator()(const auto& a, const auto& b) const { return Tie(a) < Tie(b); }
};

// A pause after each kAtOnce entries: to find one's place again costs more than to copy an entry.
// Visits no more entries than there are now, because new ones could keep it busy for ever.
template <typename Key, typename Value, typename Visit>
void EachWithPauses(const std::map<Key, Value>& entries, const Pause& pause, const Visit& visit) {
  constexpr size_t kAtOnce = 32;
  auto next = entries.begin();
  for (size_t left = entries.size(); left > 0 && next != entries.end(); left--) {
    visit(next->first, next->second);
    if (left % kAtOnce != 0 || !pause) {
      ++next;
      continue;
    }
    const Key last = next->first;
    pause();
    next = entries.upper_bound(last);
  }
}

// The items, by their numbers, that have no room. Each group of items gets a place in turn, and the
// items of a group get theirs in their order. group_of: says to which group an item belongs.
template <typename GroupOf>
std::vector<size_t> WithoutRoom(size_t items, size_t limit, const GroupOf& group_of) {
  if (items <= limit) return {};
  std::map<decltype(group_of(0)), size_t> sizes;
  std::vector<std::pair<size_t, size_t>> turns;  // the turn in which an item gets its place
  for (size_t item = 0; item < items; item++) turns.emplace_back(sizes[group_of(item)]++, item);
  std::ranges::nth_element(turns, turns.begin() + static_cast<ptrdiff_t>(limit));
  std::vector<size_t> without;
  for (size_t i = limit; i < items; i++) without.push_back(turns[i].second);
  return without;
}

void LimitSessions(std::vector<SessionState>& sessions, size_t limit) {
  if (sessions.size() <= limit) return;
  std::ranges::stable_sort(sessions, {}, &SessionState::since_ns);
  for (const size_t number : WithoutRoom(sessions.size(), limit, [&](size_t i) {
         return std::pair(sessions[i].role, sessions[i].portal);
       })) {
    SessionState& session = sessions[number];
    session.name = session.initiator = kOverflowName;
    session.portal.clear();
    session.header_digest = session.data_digest = false;
  }
}

// Two guests may have one initiator name, if one is a copy of the other.
void AddGuest(const Connection& connection, size_t limit, Snapshot& snapshot) {
  const TargetKey& target = connection.target->first;
  InitiatorKey key = {target.role, target.name,
                      connection.initiator.empty() ? kUnknownName : connection.initiator};
  if (snapshot.guests.size() >= limit && !snapshot.guests.contains(key))
    key.target = key.initiator = kOverflowName;
  const auto [known, is_new] = snapshot.guests.try_emplace(key, connection.process.guest);
  if (!is_new && known->second != connection.process.guest) known->second = kSeveralGuests;
}

LocalProcess OverflowProcess() {
  LocalProcess process;
  process.comm = kOverflowName;
  return process;
}

}  // namespace

void CopyTargets(const std::map<TargetKey, TargetStatistics>& targets, const Pause& pause,
                 Snapshot& snapshot) {
  for (const auto& [key, target] : targets) {
    TargetStatistics& copy =
        snapshot.targets.emplace_hint(snapshot.targets.end(), key, TargetStatistics())->second;
    static_cast<TargetCounters&>(copy) = target;
    for (const auto& [number, lun] : target.luns) {
      copy.luns.emplace_hint(copy.luns.end(), number, lun);
      if (pause) pause();
    }
    if (pause) pause();
  }
}

void CopyInitiators(const std::map<InitiatorKey, InitiatorStatistics>& initiators,
                    const Pause& pause, Snapshot& snapshot) {
  for (const auto& [key, initiator] : initiators) {
    snapshot.initiators.emplace_hint(snapshot.initiators.end(), key, initiator);
    if (pause) pause();
  }
}

void CopySessions(const std::map<SessionKey, Session>& sessions, size_t limit, const Pause& pause,
                  Snapshot& snapshot) {
  snapshot.sessions.reserve(sessions.size());
  EachWithPauses(sessions, pause, [&](const SessionKey& key, const Session& session) {
    snapshot.sessions.push_back({key.role, key.target, session.name, key.initiator, session.portal,
                                 session.header_digest, session.data_digest, session.is_up(),
                                 session.since_ns});
  });
  LimitSessions(snapshot.sessions, limit);
}

void CountConnections(const std::map<uint64_t, Connection>& connections, size_t limit,
                      const Pause& pause, Snapshot& snapshot) {
  std::map<Readers, uint64_t, ReadersOrder> all;
  EachWithPauses(connections, pause, [&](uint64_t, const Connection& connection) {
    auto readers = all.find(ReadersOrder::View(connection.target, &connection.process));
    if (readers == all.end())
      readers = all.emplace(Readers{connection.target, connection.process}, 0).first;
    readers->second++;
    if (!connection.process.guest.empty()) AddGuest(connection, limit, snapshot);
    if (connection.has_inferred_names())
      snapshot.inferred_connections[{connection.target->first, connection.names_from}]++;
  });
  std::vector<std::pair<Readers, uint64_t>> counts(all.begin(), all.end());
  for (auto& [readers, count] : counts) readers.process.id = 0;
  for (const size_t number :
       WithoutRoom(counts.size(), limit, [&](size_t i) { return counts[i].first.target; }))
    counts[number].first.process = OverflowProcess();
  for (auto& [readers, count] : counts)
    snapshot.connections[{readers.target->first, std::move(readers.process)}] += count;
}

}  // namespace lunscope
