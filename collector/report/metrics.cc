// SPDX-License-Identifier: Apache-2.0
#include "collector/report/metrics.h"

#include <prometheus/text_serializer.h>

#include <array>
#include <initializer_list>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "collector/report/family.h"
#include "collector/report/names.h"
#include "collector/report/process_metrics.h"
#include "collector/report/scsi_metrics.h"

namespace lunscope {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

#define LUNSCOPE_LABEL(name, label) label,
constexpr const char* kUnreportedReasons[] = {LUNSCOPE_UNREPORTED_REASONS(LUNSCOPE_LABEL)};
constexpr const char* kSyncReasons[] = {LUNSCOPE_SYNC_REASONS(LUNSCOPE_LABEL)};
constexpr const char* kLossReasons[] = {LUNSCOPE_LOSS_REASONS(LUNSCOPE_LABEL)};
#undef LUNSCOPE_LABEL
// The status class of the first LoginFailure; the others follow in the RFC's order.
constexpr uint8_t kFirstLoginFailureClass = 1;
constexpr const char* kRingName = "events";

// A target that was only ever a place for connections whose login was not seen yet.
bool IsEmpty(const TargetStatistics& target) {
  return target.luns.empty() && target.logins == 0 && target.bytes[0] == 0 &&
         target.bytes[1] == 0 && target.login_failures == decltype(target.login_failures){};
}

class Renderer {
 public:
  explicit Renderer(const Observation& observation) : observation_(observation) {}

  std::vector<MetricFamily> Render() {
    if (observation_.has_iscsi) Iscsi();
    if (observation_.layers) AddScsiLayers(observation_, out_);
    if (!observation_.is_offline) {
      Probes();
      Records();
    }
    Itself();
    if (!observation_.is_offline) Scrape();
    return std::move(out_);
  }

 private:
  using TargetVisitor = std::function<void(const Labels&, const TargetStatistics&)>;
  using LunVisitor = std::function<void(const Labels&, const LunStatistics&)>;
  using OperationVisitor = std::function<void(const Labels&, const OperationStatistics&)>;

  Family NewFamily(MetricType type, const char* name, const char* help) {
    return Family(out_, type, name, help);
  }

  void EachTarget(const TargetVisitor& visit) const {
    for (const auto& [key, target] : observation_.snapshot.targets) {
      if (key.transport.empty() && !IsEmpty(target))
        visit({{"role", RoleLabel(key.role)}, {"target", key.name}}, target);
    }
  }

  void EachLun(const LunVisitor& visit) const {
    EachTarget([&](const Labels& labels, const TargetStatistics& target) {
      for (const auto& [number, lun] : target.luns)
        visit(With(labels, "lun", LunLabel(number)), lun);
    });
  }

  void EachOperation(const OperationVisitor& visit) const {
    EachLun([&](const Labels& labels, const LunStatistics& lun) {
      for (size_t i = 0; i < lun.operations.size(); i++) {
        if (lun.operations[i])
          visit(With(labels, "operation", OperationLabel(i)), *lun.operations[i]);
      }
    });
  }

  void Iscsi() {
    Commands();
    Luns();
    Sessions();
    Connections();
    InferredConnections();
    Targets();
    Conservation();
    Streams();
  }

  void Commands() {
    {
      Family family = NewFamily(MetricType::Counter, "commands_total",
                                "SCSI commands completed, from their status PDU.");
      EachOperation([&](const Labels& labels, const OperationStatistics& operation) {
        family.Add(labels, static_cast<double>(operation.duration_ns.count()));
      });
    }
    {
      Family family = NewFamily(
          MetricType::Counter, "command_errors_total",
          "SCSI commands completed with a status other than GOOD, by status and sense key.");
      EachLun(
          [&](const Labels& labels, const LunStatistics& lun) { AddErrors(family, labels, lun); });
    }
    {
      Family family = NewFamily(MetricType::Histogram, "command_duration_seconds",
                                "Time from a command PDU to its status PDU, both as this end of "
                                "the connection saw them.");
      EachOperation([&](const Labels& labels, const OperationStatistics& operation) {
        family.AddHistogram(labels, operation.duration_ns, kNsPerSecond);
      });
    }
    Family family = NewFamily(MetricType::Histogram, "command_size_bytes",
                              "Data transferred by a command, from its data segments.");
    EachTarget([&](const Labels& labels, const TargetStatistics& target) {
      for (size_t i = 0; i < target.sizes.size(); i++) {
        if (target.sizes[i].count() != 0)
          family.AddHistogram(With(labels, "operation", OperationLabel(i)), target.sizes[i], 1);
      }
    });
  }

  void Luns() {
    AddPerLun(MetricType::Counter, "read_bytes_total",
              "Bytes in Data-In data segments of completed commands.",
              [](const LunStatistics& lun) { return static_cast<double>(lun.read_bytes); });
    AddPerLun(MetricType::Counter, "written_bytes_total",
              "Bytes in immediate and Data-Out data segments of completed commands.",
              [](const LunStatistics& lun) { return static_cast<double>(lun.written_bytes); });
    AddPerLun(MetricType::Gauge, "outstanding_commands",
              "Commands without a status at the time of the scrape, from the in-flight tables.",
              [](const LunStatistics& lun) { return static_cast<double>(lun.outstanding); });
    AddPerLun(MetricType::Gauge, "oldest_outstanding_command_seconds",
              "Age of the oldest command without a status; 0 if there is none.",
              [this](const LunStatistics& lun) {
                const uint64_t start = lun.oldest_start_ns;
                if (start == 0 || start > observation_.now_ns) return 0.0;
                return static_cast<double>(observation_.now_ns - start) / kNsPerSecond;
              });
    {
      Family family = NewFamily(MetricType::Gauge, "lun_info",
                                "What a LUN said of itself in INQUIRY data; always 1.");
      EachLun([&](const Labels& labels, const LunStatistics& lun) {
        if (lun.identity.vendor.empty()) return;
        family.Add(With(With(labels, "vendor", lun.identity.vendor), "model", lun.identity.product),
                   1);
      });
    }
    Family family = NewFamily(MetricType::Gauge, "lun_capacity_bytes",
                              "Capacity of a LUN, from READ CAPACITY data.");
    EachLun([&](const Labels& labels, const LunStatistics& lun) {
      if (lun.identity.capacity_bytes != 0)
        family.Add(labels, static_cast<double>(lun.identity.capacity_bytes));
    });
  }

  void AddPerLun(MetricType type, const char* name, const char* help,
                 const std::function<double(const LunStatistics&)>& value) {
    Family family = NewFamily(type, name, help);
    EachLun(
        [&](const Labels& labels, const LunStatistics& lun) { family.Add(labels, value(lun)); });
  }

  void Sessions() {
    // Sessions that differ in what is no label are one series: up if one of them is.
    std::map<std::vector<std::string>, bool> up;
    std::set<std::vector<std::string>> infos;
    for (const auto& [key, session] : observation_.snapshot.sessions) {
      std::vector<std::string> values = {RoleLabel(key.role), key.target, session.name};
      bool& is_up = up[values];
      is_up = is_up || session.is_up();
      values.insert(values.end(),
                    {key.initiator, session.portal, DigestLabel(session.header_digest),
                     DigestLabel(session.data_digest)});
      infos.insert(std::move(values));
    }
    {
      Family family = NewFamily(MetricType::Gauge, "session_up",
                                "1 while a session has a connection in full feature phase; 0 after "
                                "it lost its last one without a logout.");
      for (const auto& [values, is_up] : up)
        family.Add(Named({"role", "target", "session"}, values), is_up ? 1 : 0);
    }
    Family family = NewFamily(MetricType::Gauge, "session_info",
                              "Names and digests of a session, from its login; always 1.");
    for (const auto& values : infos) {
      family.Add(Named({"role", "target", "session", "initiator", "portal", "header_digest",
                        "data_digest"},
                       values),
                 1);
    }
  }

  void Connections() {
    Family family = NewFamily(MetricType::Gauge, "connections",
                              "Open connections, by the process that reads them: its name, the "
                              "guest that it runs if it is QEMU, its control group and network "
                              "namespace; empty where there is none.");
    for (const auto& [key, count] : observation_.snapshot.connections) {
      const auto& [target, process] = key;
      family.Add({{"role", RoleLabel(target.role)},
                  {"target", target.name},
                  {"comm", process.comm},
                  {"guest", process.guest},
                  {"cgroup", process.cgroup},
                  {"network_namespace", process.network_namespace}},
                 static_cast<double>(count));
    }
  }

  void InferredConnections() {
    Family family = NewFamily(MetricType::Gauge, "inferred_connections",
                              "Connections that were open before lunscope began, named by what "
                              "this host says of its sessions and not by a login.");
    for (const auto& [key, count] : observation_.snapshot.inferred_connections) {
      family.Add(
          {{"role", RoleLabel(key.first.role)}, {"target", key.first.name}, {"source", key.second}},
          static_cast<double>(count));
    }
  }

  static const char* DigestLabel(bool is_used) { return is_used ? "crc32c" : "none"; }

  static Labels Named(std::initializer_list<const char*> names,
                      const std::vector<std::string>& values) {
    Labels labels;
    for (const char* name : names) labels.push_back({name, values[labels.size()]});
    return labels;
  }

  void Targets() {
    AddPerTarget(MetricType::Counter, "logins_total", "Logins that reached the full feature phase.",
                 [](const TargetStatistics& target) { return target.logins; });
    {
      Family family = NewFamily(MetricType::Counter, "login_failures_total",
                                "Login Responses with a status class other than success.");
      EachTarget([&](const Labels& labels, const TargetStatistics& target) {
        for (size_t i = 0; i < kLoginFailures; i++) {
          const auto status_class = static_cast<uint8_t>(kFirstLoginFailureClass + i);
          family.Add(With(labels, "status_class", LoginStatusClassLabel(status_class)),
                     static_cast<double>(target.login_failures[i]));
        }
      });
    }
    AddPerTarget(MetricType::Counter, "logouts_total", "Logout Responses that report success.",
                 [](const TargetStatistics& target) { return target.logouts; });
    AddPerCode(
        "rejects_total", "Reject PDUs.", "reason", RejectLabel, 0x04,
        [](const TargetStatistics& target) -> auto& { return target.rejects; });
    AddPerCode(
        "task_management_requests_total", "Task Management Function Requests.", "function",
        TaskFunctionLabel, 1,
        [](const TargetStatistics& target) -> auto& { return target.task_functions; });
    AddPerCode(
        "async_messages_total", "Asynchronous Messages.", "event", AsyncEventLabel, 1,
        [](const TargetStatistics& target) -> auto& { return target.async_events; });
    AddPdus("pdus_sent_total", "PDUs handed to the network.", LUNSCOPE_SENT);
    AddPdus("pdus_received_total", "PDUs received, each counted once.", LUNSCOPE_RECEIVED);
    AddPerTarget(MetricType::Counter, "sent_bytes_total", "Bytes of PDUs sent, headers included.",
                 [](const TargetStatistics& target) { return target.bytes[LUNSCOPE_SENT]; });
    AddPerTarget(MetricType::Counter, "received_bytes_total",
                 "Bytes of PDUs received, headers included.",
                 [](const TargetStatistics& target) { return target.bytes[LUNSCOPE_RECEIVED]; });
    AddPerTarget(MetricType::Counter, "header_digest_errors_total",
                 "PDUs dropped because the CRC32C of their header did not fit.",
                 [](const TargetStatistics& target) { return target.header_digest_errors; });
    if (observation_.is_offline) return;
    AddPerTarget(MetricType::Counter, "tcp_retransmitted_segments_total",
                 "TCP segments sent again, from the kernel's tracepoint.",
                 [](const TargetStatistics& target) { return target.retransmits; });
    AddPerTarget(MetricType::Gauge, "unread_bytes",
                 "Bytes that have arrived and that this host has not read off its sockets yet.",
                 [](const TargetStatistics& target) { return target.unread_bytes; });
  }

  void AddPerTarget(MetricType type, const char* name, const char* help,
                    const std::function<uint64_t(const TargetStatistics&)>& value) {
    Family family = NewFamily(type, name, help);
    EachTarget([&](const Labels& labels, const TargetStatistics& target) {
      family.Add(labels, static_cast<double>(value(target)));
    });
  }

  // usual: the code whose series exists before it is first counted.
  void AddPerCode(
      const char* name, const char* help, const char* label, std::string (*label_of)(uint8_t),
      uint8_t usual,
      const std::function<const std::map<uint8_t, uint64_t>&(const TargetStatistics&)>& counts_of) {
    Family family = NewFamily(MetricType::Counter, name, help);
    EachTarget([&](const Labels& labels, const TargetStatistics& target) {
      std::map<uint8_t, uint64_t> counts = counts_of(target);
      counts.try_emplace(usual, 0);
      for (const auto& [code, count] : counts)
        family.Add(With(labels, label, label_of(code)), static_cast<double>(count));
    });
  }

  void AddPdus(const char* name, const char* help, lunscope_direction direction) {
    Family family = NewFamily(MetricType::Counter, name, help);
    for (const auto& [key, target] : observation_.snapshot.targets) {
      if (!key.transport.empty() || IsEmpty(target)) continue;
      const bool from_target = (key.role == LUNSCOPE_ROLE_TARGET) == (direction == LUNSCOPE_SENT);
      const Labels labels = {{"role", RoleLabel(key.role)}, {"target", key.name}};
      for (uint8_t i = 0; i < 32; i++) {
        const uint64_t count = target.pdus[direction][i];
        const uint8_t opcode = from_target ? i | ISCSI_OPCODE_FROM_TARGET : i;
        if (count != 0)
          family.Add(With(labels, "opcode", OpcodeLabel(opcode)), static_cast<double>(count));
      }
    }
  }

  // commands_seen = reported + unreported (by reason) + in flight
  void Conservation() {
    const lunscope_totals& totals = observation_.totals;
    AddPerRole("commands_seen_total", "SCSI Command PDUs seen, counted where PDUs are framed.",
               totals.commands_seen);
    AddPerRole("commands_reported_total",
               "Completed commands that have a record, counted where it is made.",
               totals.commands_reported);
    {
      Family family =
          NewFamily(MetricType::Counter, "commands_unreported_total",
                    "Commands seen that have no record, counted where it would be made.");
      for (uint8_t role : kRoles) {
        for (size_t i = 0; i < LUNSCOPE_UNREPORTED_COUNT; i++) {
          family.Add({{"role", RoleLabel(role)}, {"reason", kUnreportedReasons[i]}},
                     static_cast<double>(totals.commands_unreported[role][i]));
        }
      }
    }
    {
      Family family = NewFamily(MetricType::Gauge, "commands_in_flight",
                                "Commands in the in-flight tables at the time of the scrape.");
      for (uint8_t role : kRoles) {
        double in_flight = 0;
        for (const auto& [key, target] : observation_.snapshot.targets) {
          if (key.role != role || !key.transport.empty()) continue;
          for (const auto& [number, lun] : target.luns)
            in_flight += static_cast<double>(lun.outstanding);
        }
        family.Add({{"role", RoleLabel(role)}}, in_flight);
      }
    }
    AddPerRole("unmatched_responses_total", "Responses to a command that was not seen.",
               totals.unmatched_responses);
    AddGauge("tracked_commands", "Commands in all in-flight tables.",
             static_cast<double>(observation_.snapshot.tracked_commands));
    AddGauge("tracked_commands_limit",
             "Commands that one connection may have in flight and still be tracked.",
             static_cast<double>(observation_.tracked_commands_limit));
  }

  void Streams() {
    const lunscope_totals& totals = observation_.totals;
    AddPerReason("stream_gaps_total", "Times that PDU boundaries were lost.", totals.gaps, 1);
    AddPerReason("stream_resyncs_total", "Times that PDU boundaries were found again.",
                 totals.resyncs, 0);
    AddPerReason("unparsed_bytes_total", "Bytes passed over while PDU boundaries were not known.",
                 totals.unparsed_bytes, 0);
  }

  void AddPerRole(const char* name, const char* help, const uint64_t (&values)[LUNSCOPE_ROLES]) {
    Family family = NewFamily(MetricType::Counter, name, help);
    for (uint8_t role : kRoles)
      family.Add({{"role", RoleLabel(role)}}, static_cast<double>(values[role]));
  }

  void AddPerReason(const char* name, const char* help,
                    const uint64_t (&values)[LUNSCOPE_REASON_COUNT], size_t first) {
    Family family = NewFamily(MetricType::Counter, name, help);
    for (size_t i = first; i < LUNSCOPE_REASON_COUNT; i++)
      family.Add({{"reason", kSyncReasons[i]}}, static_cast<double>(values[i]));
  }

  void AddGauge(const char* name, const char* help, double value) {
    NewFamily(MetricType::Gauge, name, help).Add({}, value);
  }
  void AddCounter(const char* name, const char* help, uint64_t value) {
    NewFamily(MetricType::Counter, name, help).Add({}, static_cast<double>(value));
  }

  void Probes() {
    {
      Family family = NewFamily(MetricType::Gauge, "probe_attached",
                                "1 if the program is attached to its kernel hook.");
      for (const ProbeState& probe : observation_.probes)
        family.Add({{"probe", probe.name}}, probe.attached ? 1 : 0);
    }
    {
      Family family = NewFamily(MetricType::Counter, "probe_misses_total",
                                "Runs of a program that the kernel skipped, from bpf_prog_info.");
      for (const ProbeState& probe : observation_.probes)
        family.Add({{"probe", probe.name}}, static_cast<double>(probe.misses));
    }
    {
      Family family = NewFamily(MetricType::Counter, "bpf_runs_total",
                                "Runs of a program, while kernel.bpf_stats_enabled is set.");
      for (const ProbeState& probe : observation_.probes) {
        if (probe.runs != 0) family.Add({{"program", probe.name}}, static_cast<double>(probe.runs));
      }
    }
    Family family = NewFamily(MetricType::Counter, "bpf_run_seconds_total",
                              "Time in a program, while kernel.bpf_stats_enabled is set.");
    for (const ProbeState& probe : observation_.probes) {
      if (probe.runs != 0)
        family.Add({{"program", probe.name}},
                   static_cast<double>(probe.run_time_ns) / kNsPerSecond);
    }
  }

  struct Buffer {
    const char* name;
    uint64_t events;
    const uint64_t (&lost)[LUNSCOPE_LOSS_COUNT];
    uint64_t malformed;
  };

  void Records() {
    std::vector<Buffer> buffers;
    const lunscope_totals& totals = observation_.totals;
    if (observation_.has_iscsi) {
      buffers.push_back(
          {kRingName, totals.events, totals.events_lost, observation_.malformed_records});
    }
    if (const auto& layers = observation_.layers) {
      buffers.push_back(
          {"scsi", layers->totals.events, layers->totals.events_lost, layers->malformed_records});
    }
    {
      Family family = NewFamily(MetricType::Counter, "events_total",
                                "Records put into the ring, from the kernel.");
      for (const Buffer& buffer : buffers)
        family.Add({{"buffer", buffer.name}}, static_cast<double>(buffer.events));
    }
    Family family = NewFamily(MetricType::Counter, "events_lost_total",
                              "Records that did not get into the ring, or were malformed.");
    for (const Buffer& buffer : buffers) {
      for (size_t i = 0; i < LUNSCOPE_LOSS_COUNT; i++) {
        family.Add({{"buffer", buffer.name}, {"reason", kLossReasons[i]}},
                   static_cast<double>(buffer.lost[i]));
      }
      family.Add({{"buffer", buffer.name}, {"reason", "malformed"}},
                 static_cast<double>(buffer.malformed));
    }
  }

  void Itself() {
    if (observation_.has_iscsi) {
      AddCounter("untracked_connections_total", "Connections for whose state there was no memory.",
                 observation_.totals.untracked_connections);
    }
    if (!observation_.is_offline) {
      AddCounter("wakeups_total", "Times that the collector woke up to drain the ring.",
                 observation_.wakeups);
    }
    AddCounter("dropped_series_total",
               "Times that a label set was refused and counted as overflow instead.",
               observation_.snapshot.dropped_series);
    NewFamily(MetricType::Gauge, "build_info", "Version of lunscope and libbpf; always 1.")
        .Add({{"version", observation_.version},
              {"revision", observation_.revision},
              {"libbpf", observation_.libbpf}},
             1);
  }

  void Scrape() {
    AddGauge("scrape_duration_seconds", "Time that this scrape took so far.",
             observation_.scrape_seconds);
    AddGauge("scrape_errors", "1 if the live connections could not be read for this scrape.",
             observation_.scrape_failed ? 1 : 0);
  }

  static constexpr std::array<uint8_t, 2> kRoles = {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_ROLE_TARGET};

  const Observation& observation_;
  std::vector<MetricFamily> out_;
};

class ObservedMetrics : public prometheus::Collectable {
 public:
  explicit ObservedMetrics(std::function<Observation()> observe) : observe_(std::move(observe)) {}

  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> families = RenderMetrics(observe_());
    for (MetricFamily& family : RenderProcessMetrics()) families.push_back(std::move(family));
    return families;
  }

 private:
  std::function<Observation()> observe_;
};

}  // namespace

std::shared_ptr<prometheus::Collectable> MakeCollectable(std::function<Observation()> observe) {
  return std::make_shared<ObservedMetrics>(std::move(observe));
}

std::vector<MetricFamily> RenderMetrics(const Observation& observation) {
  return Renderer(observation).Render();
}

std::string FormatMetrics(const Observation& observation) {
  return prometheus::TextSerializer().Serialize(RenderMetrics(observation));
}

}  // namespace lunscope
