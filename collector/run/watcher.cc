// SPDX-License-Identifier: Apache-2.0
#include "collector/run/watcher.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "collector/base/clock.h"
#include "collector/base/log.h"
#include "collector/base/version.h"
#include "collector/run/command_counts.h"

namespace lunscope {
namespace {

// For one source. Beyond this limit its records no longer wait.
constexpr size_t kMaxWaitingBytes = 16 << 20;
// A scrape of many connections and LUNs takes longer than a ring may have to wait.
constexpr uint64_t kMaxUndrainedNs = 250'000;
constexpr uint64_t kOverdueIntervalNs = 1'000'000'000;
// A run that was asked to end has a second for everything.
constexpr std::chrono::nanoseconds kLastPatience = std::chrono::milliseconds(400);

}  // namespace

Watcher::Watcher(SourceList sources, const ModelOptions& model, HostNames names)
    : model_(model), names_(std::move(names)) {
  for (std::unique_ptr<Source>& source : sources) inlets_.push_back({std::move(source), {}});
}

void Watcher::Watch(EventLoop& loop) const {
  for (const Inlet& inlet : inlets_) {
    if (inlet.source->wakeup_fd() >= 0) loop.Watch(inlet.source->wakeup_fd());
  }
  if (names_.wakeup_fd() >= 0) loop.Watch(names_.wakeup_fd());
}

std::string Watcher::Missing() const {
  std::string all;
  for (const Inlet& inlet : inlets_) {
    const std::string missing = inlet.source->Missing();
    if (!missing.empty()) all += (all.empty() ? "" : "; ") + missing;
  }
  return all;
}

bool Watcher::is_done() const {
  return std::ranges::all_of(inlets_, [](const Inlet& inlet) { return inlet.source->is_done(); });
}

void Watcher::Take(const lunscope_record& record) {
  LookForOverdue(record.time_ns);
  const Applied applied = model_.Apply(record);
  names_.Complete(record, model_);
  if (listener_) listener_(record, applied);
}

void Watcher::LookForOverdue(uint64_t now_ns) {
  if (!listener_ || now_ns < looked_ns_ + kOverdueIntervalNs) return;
  looked_ns_ = now_ns;
  model_.LookForOverdue(now_ns, [&](const Overdue& overdue) {
    lunscope_record record{};
    record.role = overdue.connection->role;
    record.time_ns = overdue.since_ns + kOverdueNs;
    listener_(record, {.connection = overdue.connection, .overdue = &overdue});
  });
}

void Watcher::TakeOrKeep(Inlet& inlet, const lunscope_record& record) {
  if (inlet.waiting.empty() && names_.IsReady(record, model_)) {
    Take(record);
  } else {
    inlet.waiting.Push(record, drained_ns_);
  }
}

bool Watcher::TakeWaiting(Inlet& inlet, bool is_last) {
  const uint64_t patience_ns = names_.patience().count();
  while (!inlet.waiting.empty()) {
    const lunscope_record& record = inlet.waiting.Front();
    const bool may_wait = !is_last && inlet.waiting.bytes() <= kMaxWaitingBytes &&
                          drained_ns_ - inlet.waiting.FrontTimeNs() < patience_ns;
    if (!names_.IsReady(record, model_) && may_wait) return false;
    Take(record);
    inlet.waiting.Pop();
  }
  return true;
}

// A later source is drained before those in front of it, and taken in after them. If two of them
// have a command, the one in front made its record first; so it is in the model by then.
void Watcher::DrainLocked() {
  drained_ns_ = MonotonicNs();
  names_.TakeAnswers(model_);
  for (size_t i = inlets_.size(); i-- > 1;) {
    Inlet& inlet = inlets_[i];
    inlet.source->Drain(
        [&](const lunscope_record& record) { inlet.waiting.Push(record, drained_ns_); });
  }
  Inlet& first = inlets_.front();
  if (!TakeWaiting(first)) {
    first.source->Drain(
        [&](const lunscope_record& record) { first.waiting.Push(record, drained_ns_); });
    return;
  }
  first.source->Drain([&](const lunscope_record& record) { TakeOrKeep(first, record); });
  if (!first.waiting.empty()) return;
  for (size_t i = 1; i < inlets_.size() && TakeWaiting(inlets_[i]); i++) continue;
  LookForOverdue(first.source->NowNs());
}

void Watcher::DrainIfDue() {
  if (MonotonicNs() - drained_ns_ >= kMaxUndrainedNs) DrainLocked();
}

void Watcher::Drain() {
  const std::lock_guard lock(mutex_);
  DrainLocked();
}

bool Watcher::has_waiting() {
  const std::lock_guard lock(mutex_);
  return HasWaiting();
}

bool Watcher::HasWaiting() const {
  return std::ranges::any_of(inlets_, [](const Inlet& inlet) { return !inlet.waiting.empty(); });
}

void Watcher::DrainAfterWakeup() {
  const std::lock_guard lock(mutex_);
  wakeups_++;
  DrainLocked();
}

void Watcher::Finish() {
  const std::lock_guard lock(mutex_);
  DrainLocked();
  const std::chrono::nanoseconds patience = std::min(names_.patience(), kLastPatience);
  const uint64_t end_ns = drained_ns_ + patience.count();
  while (HasWaiting() && drained_ns_ < end_ns) {
    const std::chrono::nanoseconds left(end_ns - drained_ns_);
    names_.WaitForAnswers(std::chrono::ceil<std::chrono::milliseconds>(left));
    DrainLocked();
  }
  for (Inlet& inlet : inlets_) TakeWaiting(inlet, true);
}

void Watcher::ShowOpen(const Listener& show) {
  const std::lock_guard lock(mutex_);
  DrainLocked();
  WalkLocked([&](const lunscope_record& record, const Applied& applied) {
    if (record.kind == LUNSCOPE_RECORD_COMMAND) show(record, applied);
  });
}

void Watcher::SayBroken(const Error& error) {
  if (!std::exchange(said_broken_, true))
    LogWarning("{}: open connections that are not seen again may be gone", error.message);
}

bool Watcher::WalkLocked(const Listener& show) {
  bool is_whole = true;
  model_.BeginWalk(drained_ns_);
  for (const Inlet& inlet : inlets_) {
    const Status walk = inlet.source->Walk(
        [&](const lunscope_record& record) {
          const Applied applied = model_.Apply(record);
          names_.Complete(record, model_);
          if (show) show(record, applied);
          if (listener_ && applied.troubles.any()) listener_(record, applied);
          DrainIfDue();
        },
        [this](const lunscope_scsi_command& command) { model_.ApplyInFlight(command); });
    if (!walk.ok()) SayBroken(walk.error());
    is_whole = is_whole && walk.ok();
  }
  // A walk that broke off did not look for every connection, so none of them is known to be gone.
  model_.EndWalk(is_whole, [this] { DrainIfDue(); });
  return is_whole;
}

void Watcher::Visit(const std::function<void(const Model&)>& visit) {
  const std::lock_guard lock(mutex_);
  DrainLocked();
  WalkLocked();
  visit(model_);
}

std::string Watcher::Render(const std::function<std::string(const Model&)>& render) {
  names_.FindLocalLuns();
  std::string text;
  Visit([&](const Model& model) { text = render(model); });
  return text;
}

CommandCounts Watcher::Commands() const {
  CommandCounts sum;
  for (const Inlet& inlet : inlets_) sum.Add(inlet.source->Commands());
  return sum;
}

Observation Watcher::Observe() {
  const uint64_t start_ns = MonotonicNs();
  names_.FindLocalLuns();
  const std::lock_guard lock(mutex_);
  Observation observation;
  observation.has_iscsi = false;
  DrainLocked();
  observation.scrape_failed = !WalkLocked();
  // Right behind the walk, which counted the commands in flight.
  for (const Inlet& inlet : inlets_) inlet.source->Describe(observation);
  // Commands that ended while the walk was on its way to them.
  DrainLocked();
  observation.snapshot = model_.TakeSnapshot([this] { DrainIfDue(); });
  for (const Inlet& inlet : inlets_) observation.waiting_records += inlet.waiting.size();
  observation.wakeups = wakeups_;
  observation.version = kVersion;
  observation.revision = kRevision;
  if (observation.is_offline) return observation;
  observation.now_ns = MonotonicNs();
  observation.scrape_seconds = static_cast<double>(observation.now_ns - start_ns) / 1e9;
  return observation;
}

void SayMissing(const Watcher& watcher) {
  const std::string missing = watcher.Missing();
  if (!missing.empty()) LogWarning("not attached (yet): {}", missing);
}

}  // namespace lunscope
