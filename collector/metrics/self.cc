// SPDX-License-Identifier: Apache-2.0
//
// lunscope itself: its programs, its rings, what it could not keep, this scrape.
#include "collector/metrics/catalogue.h"

namespace lunscope {
namespace {

using enum prometheus::MetricType;
using enum Unit;
using enum Available;

struct EachProgram {
  using Item = ProbeState;
  static constexpr std::array kLabels = {&kProgramLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const ProbeState& probe : view.observation.probes)
      visit({{kProgramLabel.name, probe.name}}, probe);
  }
};

struct Buffer {
  const char* name;
  uint64_t records;
  std::span<const uint64_t> lost;  // by lunscope_loss
  uint64_t malformed;
};

std::vector<Buffer> BuffersOf(const Observation& observation) {
  std::vector<Buffer> buffers;
  const lunscope_totals& totals = observation.totals;
  if (observation.has_iscsi) {
    buffers.push_back(
        {kIscsiBuffer, totals.records, totals.records_lost, observation.malformed_records});
  }
  if (const auto& layers = observation.layers) {
    buffers.push_back({kScsiBuffer, layers->totals.records, layers->totals.records_lost,
                       layers->malformed_records});
  }
  return buffers;
}

struct EachBuffer {
  using Item = Buffer;
  static constexpr std::array kLabels = {&kBufferLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const Buffer& buffer : BuffersOf(view.observation))
      visit({{kBufferLabel.name, buffer.name}}, buffer);
  }
};

// The records that each ring lost, by reason.
struct EachLoss {
  using Item = uint64_t;
  static constexpr std::array<const Label*, 2> kLabels = {&kBufferLabel, &kLossLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const Buffer& buffer : BuffersOf(view.observation)) {
      const auto add = [&](const char* reason, uint64_t count) {
        visit({{kBufferLabel.name, buffer.name}, {kLossLabel.name, reason}}, count);
      };
      for (size_t i = 0; i < buffer.lost.size(); i++) add(kLossLabel.value_of(i), buffer.lost[i]);
      add(kMalformed, buffer.malformed);
    }
  }
};

struct EachHttpRefusal {
  using Item = uint64_t;
  static constexpr std::array<const Label*, 1> kLabels = {&kHttpRefusalLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    const auto& refused = view.observation.refused_requests;
    for (size_t i = 0; i < refused.size(); i++)
      visit({{kHttpRefusalLabel.name, kHttpRefusalLabel.value_of(i)}}, refused[i]);
  }
};

struct EachEventKind {
  using Item = uint64_t;
  static constexpr std::array<const Label*, 2> kLabels = {&kRoleLabel, &kEventKindLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const uint8_t role : RolesOf(view)) {
      const EventCounts::OfRole& met = view.observation.events.met[role];
      for (size_t row = 0; row < met.size(); row++) {
        Labels labels = RoleLabels(role);
        labels.push_back({kEventKindLabel.name, kEventKindLabel.value_of(row)});
        visit(labels, met[row]);
      }
    }
  }
};

struct EachBuild {
  using Item = Observation;
  static constexpr std::array kLabels = {&kVersionLabel, &kRevisionLabel, &kLibbpfLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    const Observation& observation = view.observation;
    visit({{kVersionLabel.name, observation.version},
           {kRevisionLabel.name, observation.revision},
           {kLibbpfLabel.name, observation.libbpf}},
          observation);
  }
};

// Without kernel.bpf_stats_enabled the kernel counts no runs, and there is no series.
bool HasRun(const ProbeState& probe) { return probe.runs != 0; }

uint64_t UntrackedConnections(const Observation& observation) {
  return observation.totals.untracked_connections;
}
uint64_t DroppedEvents(const Observation& observation) { return observation.events.dropped; }
uint64_t UnsaidEvents(const Observation& observation) { return observation.events.unsaid; }
uint64_t DroppedSeries(const Observation& observation) {
  return observation.snapshot.dropped_series;
}

constexpr Metric kSelfMetrics[] = {
    {"probe_attached", Gauge, kFlag, kLive, "1 if the program is attached to its kernel hook.",
     Of<EachProgram, &ProbeState::attached>()},
    {"probe_misses_total", Counter, kCount, kLive,
     "Runs of a program that the kernel skipped, from bpf_prog_info.",
     Of<EachProgram, &ProbeState::misses>()},
    {"bpf_runs_total", Counter, kCount, kLive,
     "Runs of a program, while kernel.bpf_stats_enabled is set.",
     Of<Where<EachProgram, &HasRun>, &ProbeState::runs>()},
    {"bpf_run_seconds_total", Counter, kSeconds, kLive,
     "Time in a program, while kernel.bpf_stats_enabled is set.",
     Of<Where<EachProgram, &HasRun>, &ProbeState::run_time_ns>()},
    {"events_total", Counter, kCount, kLive, "Records put into the ring, from the kernel.",
     Of<EachBuffer, &Buffer::records>()},
    {"events_lost_total", Counter, kCount, kLive,
     "Records that did not get into the ring, or were malformed.", Of<EachLoss>()},
    {"untracked_connections_total", Counter, kCount, kIscsi,
     "Connections that are not watched, or were not for some time, because there was no memory for "
     "their state.",
     Of<Once, &UntrackedConnections>()},
    {"connection_memory_bytes", Gauge, kBytes, kLiveIscsi,
     "Memory that the kernel half takes for the states of connections.",
     Of<Once, &Observation::connection_memory>()},
    {"connection_memory_limit_bytes", Gauge, kBytes, kLiveIscsi,
     "The limit of that (--connection-memory).", Of<Once, &Observation::connection_memory_limit>()},
    {"waiting_records", Gauge, kCount, kLive,
     "Records out of the ring that wait, for a second at most, for a name of the host. They are "
     "counted as reported, and in no other metric yet.",
     Of<Once, &Observation::waiting_records>()},
    {"wakeups_total", Counter, kCount, kLive, "Times that the collector woke up to drain the ring.",
     Of<Once, &Observation::wakeups>()},
    {"http_clients_cut_total", Counter, kCount, kLive,
     "Clients of the HTTP endpoint that were cut off: they were too slow, or too many.",
     Of<Once, &Observation::cut_clients>()},
    {"http_requests_refused_total", Counter, kCount, kLive,
     "Requests to the HTTP endpoint that were refused before their page was looked for.",
     Of<EachHttpRefusal>()},
    {"session_events_total", Counter, kCount, kLiveIscsi,
     "Events of connections and sessions, by kind. The page /events has the last 1,000.",
     Of<EachEventKind>()},
    {"session_events_dropped_total", Counter, kCount, kLiveIscsi,
     "Events that are no longer on the page /events.", Of<Once, &DroppedEvents>()},
    {"session_events_unsaid_total", Counter, kCount, kLiveIscsi,
     "Events that --log.level asks for and standard error does not have: there were too many.",
     Of<Once, &UnsaidEvents>()},
    {"dropped_series_total", Counter, kCount, kAlways,
     "Targets, LUNs, operations and initiators that count as overflow: there was no room for them "
     "in "
     "--max-label-sets, or they were idle and gave their room to another one.",
     Of<Once, &DroppedSeries>()},
    {"build_info", Gauge, kInfo, kAlways, "Version of lunscope and libbpf; always 1.",
     InfoOf<EachBuild>()},
    {"scrape_duration_seconds", Gauge, kSeconds, kLive, "Time that this scrape took so far.",
     Of<Once, &Observation::scrape_seconds>()},
    {"scrape_errors", Gauge, kFlag, kLive,
     "1 if the live connections could not be read for this scrape.",
     Of<Once, &Observation::scrape_failed>()},
};

}  // namespace

std::span<const Metric> SelfMetrics() { return kSelfMetrics; }

}  // namespace lunscope
