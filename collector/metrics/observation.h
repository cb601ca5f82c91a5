// SPDX-License-Identifier: Apache-2.0
//
// All that one scrape reports, as a value of its own: the metrics are rendered from it without the
// model and without a lock.
#pragma once

#include <lunscope/totals.h>

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/endpoint_counts.h"
#include "collector/base/event_kinds.h"
#include "collector/model/model.h"

namespace lunscope {

// One BPF program.
struct ProbeState {
  std::string name;
  bool attached;
  uint64_t misses;
  uint64_t runs;
  uint64_t run_time_ns;
};

// The totals of the kernel's SCSI layers that are watched.
struct LayersObservation {
  lunscope_scsi_totals totals{};
  uint64_t malformed_records = 0;
  bool has_midlayer = false;
  bool has_target = false;
  bool joins = false;  // the mid-layer's commands are looked for on the wire
};

// The labels of a finding's series.
struct FindingLabels {
  std::string finding;
  std::string severity;
  uint8_t role = 0;
  std::string target;
  std::optional<uint64_t> lun;
  std::string initiator;
  std::string address;
  auto operator<=>(const FindingLabels&) const = default;
};

struct FindingsObservation {
  std::map<FindingLabels, bool> holds;                  // false: it has ended, of late
  std::vector<std::pair<std::string, uint64_t>> begun;  // so far, of each rule
};

struct Observation {
  bool has_iscsi = true;  // iSCSI is watched
  std::optional<LayersObservation> layers;
  // The records come from a capture file: there are no programs, no ring, and no socket to ask.
  bool is_offline = false;
  Snapshot snapshot;
  lunscope_totals totals{};
  std::vector<ProbeState> probes;
  uint64_t now_ns = 0;  // CLOCK_MONOTONIC
  uint64_t malformed_records = 0;
  uint64_t waiting_records = 0;  // drained, and not in the snapshot yet
  uint64_t wakeups = 0;
  // The HTTP endpoint counts these.
  uint64_t cut_clients = 0;
  std::array<uint64_t, kHttpRefusals> refused_requests{};
  EventCounts events;
  FindingsObservation findings;
  uint64_t tracked_commands_limit = 0;
  uint64_t connection_memory = 0;  // bytes
  uint64_t connection_memory_limit = 0;
  std::string version;
  std::string revision;
  std::string libbpf;
  bool scrape_failed = false;
  double scrape_seconds = 0;
};

}  // namespace lunscope
