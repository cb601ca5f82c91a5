// SPDX-License-Identifier: Apache-2.0
#include "collector/cli/observer.h"

#include <bpf/libbpf.h>

#include "collector/base/clock.h"
#include "collector/base/output.h"
#include "collector/cli/version.h"
#include "collector/probe/socket_memory.h"

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

void Observer::DrainLocked() {
  const bool has_answer =
      host_sessions_.valid() &&
      host_sessions_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  if (has_answer) model_.SetHostSessions(host_sessions_.get());
  probe_->Drain([this](const lunscope_event& event) {
    Take(event);
    if (listener_) listener_(event, model_);
  });
}

void Observer::Take(const lunscope_event& event) {
  model_.Apply(event);
  if (event.kind != LUNSCOPE_EVENT_CONNECTION) return;
  const auto& record = reinterpret_cast<const lunscope_connection_event&>(event);
  const Connection* connection = model_.FindConnection(event.connection);
  if (connection != nullptr && connection->process.id != record.process)
    model_.SetProcess(event.connection, local_processes_.Read(record));
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
  model_.BeginReport();
  Status report = probe_->Report([&](const lunscope_event& event) { Take(event); });
  // A walk that broke off did not look for every connection, so none of them is known to be gone.
  if (report.ok()) model_.EndReport();
  return report.ok();
}

std::string Observer::Render(const std::function<std::string(const Model&)>& render) {
  const std::lock_guard lock(mutex_);
  DrainLocked();
  WalkLocked();
  return render(model_);
}

Observation Observer::Observe() {
  const uint64_t start_ns = MonotonicNs();
  const std::lock_guard lock(mutex_);
  Observation observation;
  DrainLocked();
  observation.scrape_failed = !WalkLocked();
  observation.snapshot = model_.TakeSnapshot();
  observation.totals = probe_->Totals();
  for (const ProgramReport& program : probe_->Programs()) {
    observation.probes.push_back({program.name, program.attached, program.recursion_misses,
                                  program.runs, program.run_time_ns});
  }
  observation.malformed_records = probe_->malformed_records();
  observation.wakeups = wakeups_;
  observation.tracked_commands_limit = inflight_limit_;
  observation.version = kVersion;
  observation.revision = kRevision;
  observation.libbpf = libbpf_version_string();
  observation.now_ns = MonotonicNs();
  observation.scrape_seconds = static_cast<double>(observation.now_ns - start_ns) / 1e9;
  return observation;
}

}  // namespace lunscope
