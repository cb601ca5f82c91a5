// SPDX-License-Identifier: Apache-2.0
#include "collector/run/live_sources.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/log.h"
#include "collector/probe/scsi_probe.h"
#include "collector/probe/socket_memory.h"
#include "collector/probe/totals.h"

namespace lunscope {
namespace {

void AddPrograms(const std::vector<ProgramState>& programs, Observation& observation) {
  for (const ProgramState& program : programs) {
    observation.probes.push_back({program.name, program.attached, program.recursion_misses,
                                  program.runs, program.run_time_ns});
  }
}

class IscsiSource : public Source {
 public:
  IscsiSource(std::unique_ptr<Probe> probe, const ProbeOptions& options)
      : probe_(std::move(probe)),
        inflight_limit_(options.inflight_limit),
        memory_limit_(options.connection_memory) {}

  [[nodiscard]] int wakeup_fd() const override { return probe_->wakeup_fd(); }
  void Drain(const Handler& handler) override { probe_->Drain(handler); }
  Status Walk(const Handler& on_record, const CommandHandler& /*on_command*/) override {
    return probe_->Walk(on_record);
  }
  void Describe(Observation& observation) const override {
    observation.has_iscsi = true;
    observation.totals = probe_->Totals();
    observation.malformed_records = probe_->malformed_records();
    observation.tracked_commands_limit = inflight_limit_;
    observation.connection_memory = probe_->connection_memory();
    observation.connection_memory_limit = memory_limit_;
    observation.libbpf = LibbpfVersion();
    AddPrograms(probe_->Programs(), observation);
  }
  [[nodiscard]] CommandCounts Commands() const override { return CountCommands(probe_->Totals()); }
  [[nodiscard]] std::string AdminUse() const override {
    return probe_->enters_namespaces() ? "walk the connections of other network namespaces" : "";
  }

 private:
  const std::unique_ptr<Probe> probe_;
  const uint32_t inflight_limit_;
  const uint64_t memory_limit_;
};

class LayerSource : public Source {
 public:
  LayerSource(std::unique_ptr<ScsiProbe> probe, const ScsiProbeOptions& options, bool joins)
      : probe_(std::move(probe)), options_(options), joins_(joins) {}

  [[nodiscard]] int wakeup_fd() const override { return probe_->wakeup_fd(); }
  void Drain(const Handler& handler) override { probe_->Drain(handler); }
  Status Walk(const Handler& /*on_record*/, const CommandHandler& on_command) override {
    return probe_->Walk(on_command);
  }
  void Describe(Observation& observation) const override {
    LayersObservation& layers =
        observation.layers ? *observation.layers : observation.layers.emplace();
    layers.totals = SumOf<lunscope_scsi_totals>(std::array{layers.totals, probe_->Totals()});
    layers.malformed_records += probe_->malformed_records();
    layers.has_midlayer |= options_.midlayer;
    layers.has_target |= options_.target;
    layers.joins |= options_.midlayer && joins_;
    observation.libbpf = LibbpfVersion();
    AddPrograms(probe_->Programs(), observation);
  }
  [[nodiscard]] CommandCounts Commands() const override { return CountCommands(probe_->Totals()); }
  [[nodiscard]] std::string Missing() const override { return probe_->Missing(); }
  [[nodiscard]] std::string AdminUse() const override {
    return "attach to modules of the SCSI layers that are loaded later";
  }

 private:
  const std::unique_ptr<ScsiProbe> probe_;
  const ScsiProbeOptions options_;
  const bool joins_;
};

// The state of a connection with many commands in flight needs more than old kernels allow.
void MakeRoomInSockets() {
  Result<SocketMemory> memory = RaiseSocketMemory();
  if (!memory.ok()) {
    LogWarning("{}", memory.error().message);
  } else if (memory.value().before != memory.value().now) {
    LogInfo("raised net.core.optmem_max from {} to {}, the default since Linux 6.8",
            memory.value().before, memory.value().now);
  }
}

// The use that these sources go on to have for CAP_SYS_ADMIN (Source::AdminUse()).
std::string AdminUse(const SourceList& sources) {
  std::string all;
  for (const auto& source : sources) {
    const std::string use = source->AdminUse();
    if (!use.empty()) all += (all.empty() ? "" : " and ") + use;
  }
  return all;
}

Status AttachLayer(const ScsiProbeOptions& options, bool joins, SourceList& list) {
  Result<std::unique_ptr<ScsiProbe>> probe = ScsiProbe::Attach(options);
  if (!probe.ok()) return probe.error();
  list.push_back(std::make_unique<LayerSource>(std::move(probe.value()), options, joins));
  return Nothing{};
}

// The innermost layer comes first, as Watcher wants it: LIO, the wire, the mid-layer.
Result<SourceList> Attach(const Sources& sources, const ProbeOptions& options) {
  SourceList list;
  if (sources.target) {
    Status attached = AttachLayer({.target = true, .ring_bytes = options.ring_bytes},
                                  sources.joins().target, list);
    if (!attached.ok()) return attached.error();
  }
  if (sources.iscsi) {
    Result<std::unique_ptr<Probe>> probe = Probe::Attach(options);
    if (!probe.ok()) return probe.error();
    MakeRoomInSockets();
    list.push_back(std::make_unique<IscsiSource>(std::move(probe.value()), options));
  }
  if (sources.midlayer) {
    Status attached = AttachLayer({.midlayer = true, .ring_bytes = options.ring_bytes},
                                  sources.joins().midlayer, list);
    if (!attached.ok()) return attached.error();
  }
  return list;
}

}  // namespace

Result<SourceList> AttachSources(const Sources& sources, const ProbeOptions& options,
                                 const PrivilegeOptions& privileges, const EventLoop& loop,
                                 bool removes_files) {
  std::optional<EventLoop::EndingAtOnce> attaching;
  if (!removes_files) attaching.emplace(loop);
  if (Status prepared = privileges.Prepare(); !prepared.ok()) return prepared.error();
  Result<SourceList> attached = Attach(sources, options);
  if (!attached.ok()) return attached;
  Status given_up = privileges.GiveUp(AdminUse(attached.value()), removes_files);
  if (!given_up.ok()) return given_up.error();
  return attached;
}

}  // namespace lunscope
