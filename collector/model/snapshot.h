// SPDX-License-Identifier: Apache-2.0
//
// A copy of what a scrape exports: a value of its own, which is rendered without the model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/local_lun.h"
#include "collector/base/local_process.h"
#include "collector/model/connection.h"
#include "collector/model/pause.h"
#include "collector/model/sessions.h"
#include "collector/model/target.h"

namespace lunscope {

// Stands for the names of guests that have one initiator name.
inline constexpr const char* kSeveralGuests = "several";

struct SessionState {
  uint8_t role = 0;
  std::string target;
  std::string name;
  std::string initiator;
  std::string portal;
  bool header_digest = false;
  bool data_digest = false;
  bool is_up = false;
  uint64_t since_ns = 0;
};

struct Snapshot {
  std::map<TargetKey, TargetStatistics> targets;
  std::map<InitiatorKey, InitiatorStatistics> initiators;
  std::vector<SessionState> sessions;  // in the order of their keys
  bool has_profiles = false;
  uint64_t dropped_series = 0;
  uint64_t tracked_commands = 0;  // in all in-flight tables, as of the last walk
  // Connections whose names no login gave, by target and by the source of the names.
  std::map<std::pair<TargetKey, std::string>, uint64_t> inferred_connections;
  // Connections by target and by the process that reads them. Its id is 0: it is no label.
  std::map<std::pair<TargetKey, LocalProcess>, uint64_t> connections;
  // The LUNs on this host. A LUN with several paths has several disks.
  std::map<TargetKey, std::set<std::pair<uint64_t, LocalLun>>> local_luns;
  // The guests that run the initiators of open connections.
  std::map<InitiatorKey, std::string> guests;
};

// Each LUN, session and connection is as of one moment. Not all are as of the same one, because a
// pause may apply records in between.
//
// limit: so many sessions, and so many processes, keep their names. Portals share the room for
// sessions, and targets that for processes: each gets as much as every other, so that many of one
// leave room for the others. Those without room are the overflow of their target, so that sums stay
// right. Older sessions get their place first. So many initiators have the name of their guest.
void CopyTargets(const std::map<TargetKey, TargetStatistics>& targets, const Pause& pause,
                 Snapshot& snapshot);
void CopyInitiators(const std::map<InitiatorKey, InitiatorStatistics>& initiators,
                    const Pause& pause, Snapshot& snapshot);
void CopySessions(const std::map<SessionKey, Session>& sessions, size_t limit, const Pause& pause,
                  Snapshot& snapshot);
void CountConnections(const std::map<uint64_t, Connection>& connections, size_t limit,
                      const Pause& pause, Snapshot& snapshot);

}  // namespace lunscope
