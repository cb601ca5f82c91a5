// SPDX-License-Identifier: Apache-2.0
//
// Targets and their LUNs stay where they are while the series are held, so a pause between two of
// them moves nothing. Sessions and connections may go in a pause, so the copy looks up its place
// again behind it.
#include "collector/model/snapshot.h"

#include <tuple>

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

void CopySessions(const std::map<SessionKey, Session>& sessions, const Pause& pause,
                  Snapshot& snapshot) {
  snapshot.sessions.reserve(sessions.size());
  EachWithPauses(sessions, pause, [&](const SessionKey& key, const Session& session) {
    snapshot.sessions.push_back({key.role, key.target, session.name, key.initiator, session.portal,
                                 session.header_digest, session.data_digest, session.is_up()});
  });
}

void CountConnections(const std::map<uint64_t, Connection>& connections, const Pause& pause,
                      Snapshot& snapshot) {
  std::map<Readers, uint64_t, ReadersOrder> all;
  EachWithPauses(connections, pause, [&](uint64_t, const Connection& connection) {
    auto readers = all.find(ReadersOrder::View(connection.target, &connection.process));
    if (readers == all.end())
      readers = all.emplace(Readers{connection.target, connection.process}, 0).first;
    readers->second++;
    if (connection.has_inferred_names())
      snapshot.inferred_connections[{connection.target->first, connection.names_from}]++;
  });
  for (const auto& [readers, count] : all) {
    LocalProcess process = readers.process;
    process.id = 0;
    snapshot.connections[{readers.target->first, std::move(process)}] += count;
  }
}

}  // namespace lunscope
