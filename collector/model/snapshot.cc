// SPDX-License-Identifier: Apache-2.0
//
// Copying out what a scrape speaks of. Targets and their LUNs stay where they are for good, so that
// a pause between two of them moves nothing; sessions and connections are looked up anew behind it.
#include <tuple>

#include "collector/model/model.h"

namespace lunscope {
namespace {

// Who reads the connections of a target, without the id.
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

class Copy {
 public:
  Copy(Snapshot& snapshot, const Pause& pause) : snapshot_(snapshot), pause_(pause) {}

  void Targets(const std::map<TargetKey, TargetStatistics>& targets) {
    for (const auto& [key, target] : targets) {
      TargetStatistics& copy =
          snapshot_.targets.emplace_hint(snapshot_.targets.end(), key, TargetStatistics())->second;
      static_cast<TargetCounters&>(copy) = target;
      for (const auto& [number, lun] : target.luns) {
        copy.luns.emplace_hint(copy.luns.end(), number, lun);
        Breathe();
      }
      Breathe();
    }
  }

  void Sessions(const std::map<SessionKey, Session>& sessions) {
    snapshot_.sessions.reserve(sessions.size());
    Each(sessions, [&](const SessionKey& key, const Session& session) {
      snapshot_.sessions.push_back({key.role, key.target, session.name, key.initiator,
                                    session.portal, session.header_digest, session.data_digest,
                                    session.is_up()});
    });
  }

  void Connections(const std::map<uint64_t, Connection>& connections) {
    Each(connections, [&](uint64_t, const Connection& connection) { Count(connection); });
  }

  void Finish() {
    for (const auto& [readers, count] : readers_) {
      LocalProcess process = readers.process;
      process.id = 0;
      snapshot_.connections[{readers.target->first, std::move(process)}] += count;
    }
  }

 private:
  // Some at a time, for looking up where one was costs more than copying it; and no more than there
  // are now, for those that come meanwhile could go on for ever.
  template <typename Key, typename Value, typename Visit>
  void Each(const std::map<Key, Value>& entries, const Visit& visit) {
    constexpr size_t kAtOnce = 32;
    auto next = entries.begin();
    for (size_t left = entries.size(); left > 0 && next != entries.end(); left--) {
      visit(next->first, next->second);
      if (left % kAtOnce != 0 || !pause_) {
        ++next;
        continue;
      }
      const Key last = next->first;
      pause_();
      next = entries.upper_bound(last);
    }
  }

  void Count(const Connection& connection) {
    auto readers = readers_.find(ReadersOrder::View(connection.target, &connection.process));
    if (readers == readers_.end())
      readers = readers_.emplace(Readers{connection.target, connection.process}, 0).first;
    readers->second++;
    if (connection.has_inferred_names())
      snapshot_.inferred_connections[{connection.target->first, connection.names_from}]++;
  }

  void Breathe() const {
    if (pause_) pause_();
  }

  Snapshot& snapshot_;
  const Pause& pause_;
  std::map<Readers, uint64_t, ReadersOrder> readers_;
};

}  // namespace

Snapshot Model::TakeSnapshot(const Pause& pause) const {
  Snapshot snapshot;
  snapshot.dropped_series = dropped_series_;
  snapshot.tracked_commands = tracked_commands_;
  Copy copy(snapshot, pause);
  copy.Targets(targets_);
  copy.Sessions(sessions_.all());
  copy.Connections(connections_);
  copy.Finish();
  return snapshot;
}

}  // namespace lunscope
