// SPDX-License-Identifier: Apache-2.0
#include "collector/run/observer.h"

#include <utility>

#include "collector/base/clock.h"
#include "collector/base/output.h"
#include "collector/base/record.h"
#include "collector/base/version.h"
#include "collector/probe/socket_memory.h"
#include "collector/run/command_counts.h"

namespace lunscope {

Result<std::unique_ptr<Probe>> AttachProbe(const ProbeOptions& options) {
  Result<std::unique_ptr<Probe>> probe = Probe::Attach(options);
  if (!probe.ok()) return probe;
  Result<SocketMemory> memory = RaiseSocketMemory();
  if (!memory.ok()) {
    Say(stderr, "lunscope: {}\n", memory.error().message);
  } else if (memory.value().before != memory.value().now) {
    Say(stderr, "lunscope: raised net.core.optmem_max from {} to {}, the default since Linux 6.8\n",
        memory.value().before, memory.value().now);
  }
  return probe;
}

Result<std::unique_ptr<Observer>> Observer::Start(const Sources& sources, ModelOptions model,
                                                  const ProbeOptions& options) {
  model.joins_layers = sources.iscsi && sources.midlayer;
  std::unique_ptr<Observer> observer(new Observer(sources, model, options));
  if (sources.iscsi) {
    Result<std::unique_ptr<Probe>> probe = AttachProbe(options);
    if (!probe.ok()) return probe.error();
    observer->probe_ = std::move(probe.value());
  }
  if (sources.has_layers()) {
    Result<std::unique_ptr<ScsiProbe>> layers =
        ScsiProbe::Attach({sources.midlayer, sources.target, options.ring_bytes});
    if (!layers.ok()) return layers.error();
    observer->layers_ = std::move(layers.value());
  }
  return observer;
}

void Observer::Watch(EventLoop& loop) const {
  if (probe_) loop.Watch(probe_->wakeup_fd());
  if (layers_) loop.Watch(layers_->wakeup_fd());
}

void Observer::Take(const lunscope_record& record) {
  if (const auto* nexus = RecordAs<lunscope_nexus_record>(record);
      nexus != nullptr && record.role == LUNSCOPE_ROLE_INITIATOR) {
    if (const std::string target = ReadScsiHostTarget("/sys", nexus->host); !target.empty())
      model_.NameScsiHost(nexus->host, target);
  }
  const Applied applied = TakeIn(record);
  if (listener_) listener_(record, applied);
}

// The layers' records are drained before those of the wire and taken in after them: of a command
// that both tell of, the wire's record was made first, so that it is in the model by then.
void Observer::DrainLocked() {
  drained_ns_ = MonotonicNs();
  const bool has_answer =
      host_sessions_.valid() &&
      host_sessions_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  if (has_answer) model_.SetHostSessions(host_sessions_.get());
  layer_records_.clear();
  if (layers_) {
    layers_->Drain([this](const lunscope_record& record) {
      const auto* bytes = reinterpret_cast<const char*>(&record);
      layer_records_.insert(layer_records_.end(), bytes, bytes + record.bytes);
    });
  }
  if (probe_) probe_->Drain([this](const lunscope_record& record) { Take(record); });
  for (size_t at = 0; at < layer_records_.size();) {
    const lunscope_record& record = RecordAt(&layer_records_[at]);
    Take(record);
    at += record.bytes;
  }
}

Applied Observer::TakeIn(const lunscope_record& record) {
  const Applied applied = model_.Apply(record);
  const auto* read = RecordAs<lunscope_connection_record>(record);
  if (read == nullptr || applied.connection == nullptr) return applied;
  if (applied.connection->process.id != read->process)
    model_.SetProcess(record.connection, local_processes_.Read(*read));
  return applied;
}

// A scrape of many connections and LUNs takes longer than a ring may have to wait.
void Observer::DrainIfDue() {
  constexpr uint64_t kMaxUndrainedNs = 250'000;
  if (MonotonicNs() - drained_ns_ >= kMaxUndrainedNs) DrainLocked();
}

void Observer::Drain() {
  const std::lock_guard lock(mutex_);
  DrainLocked();
}

void Observer::DrainAfterWakeup() {
  const std::lock_guard lock(mutex_);
  wakeups_++;
  DrainLocked();
}

bool Observer::WalkLocked() {
  model_.BeginWalk();
  Status walk = Nothing{};
  if (probe_) {
    walk = probe_->Walk([&](const lunscope_record& record) {
      TakeIn(record);
      DrainIfDue();
    });
  }
  Status tasks = Nothing{};
  if (layers_)
    tasks = layers_->Walk([&](const lunscope_scsi_command& task) { model_.ApplyTask(task); });
  // A walk that broke off did not look for every connection, so none of them is known to be gone.
  model_.EndWalk(walk.ok(), [this] { DrainIfDue(); });
  return walk.ok() && tasks.ok();
}

std::string Observer::Render(const std::function<std::string(const Model&)>& render) {
  const std::lock_guard lock(mutex_);
  DrainLocked();
  WalkLocked();
  return render(model_);
}

void Observer::ObserveLayers(Observation& observation) const {
  observation.layers =
      LayersObservation{layers_->Totals(), layers_->malformed_records(), sources_.midlayer,
                        sources_.target, sources_.iscsi && sources_.midlayer};
}

std::string Observer::EndLine() const {
  CommandCounts counts = probe_ ? CountCommands(probe_->Totals()) : CommandCounts();
  if (layers_) {
    const lunscope_scsi_totals totals = layers_->Totals();
    for (size_t role = 0; role < LUNSCOPE_ROLES; role++) {
      counts.reported += totals.commands_reported[role];
      for (auto reason : {LUNSCOPE_SCSI_UNREPORTED_RING_FULL, LUNSCOPE_SCSI_UNREPORTED_RING_BUSY,
                          LUNSCOPE_SCSI_UNREPORTED_TABLE_FULL})
        counts.lost += totals.commands_unreported[role][reason];
    }
  }
  return lunscope::EndLine(counts);
}

Observation Observer::Observe() {
  const uint64_t start_ns = MonotonicNs();
  const std::lock_guard lock(mutex_);
  Observation observation;
  DrainLocked();
  observation.scrape_failed = !WalkLocked();
  // Right behind the walk, which counted the commands in flight.
  if (probe_) observation.totals = probe_->Totals();
  observation.snapshot = model_.TakeSnapshot([this] { DrainIfDue(); });
  observation.has_iscsi = sources_.iscsi;
  std::vector<ProgramState> programs;
  if (probe_) {
    observation.malformed_records = probe_->malformed_records();
    programs = probe_->Programs();
  }
  if (layers_) {
    ObserveLayers(observation);
    for (ProgramState& program : layers_->Programs()) programs.push_back(std::move(program));
  }
  for (const ProgramState& program : programs) {
    observation.probes.push_back({program.name, program.attached, program.recursion_misses,
                                  program.runs, program.run_time_ns});
  }
  observation.wakeups = wakeups_;
  observation.tracked_commands_limit = inflight_limit_;
  observation.version = kVersion;
  observation.revision = kRevision;
  observation.libbpf = LibbpfVersion();
  observation.now_ns = MonotonicNs();
  observation.scrape_seconds = static_cast<double>(observation.now_ns - start_ns) / 1e9;
  return observation;
}

void SayMissing(const Observer& observer) {
  const std::string missing = observer.Missing();
  if (!missing.empty()) Say(stderr, "lunscope: not attached (yet): {}\n", missing);
}

}  // namespace lunscope
