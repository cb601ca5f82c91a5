// SPDX-License-Identifier: Apache-2.0
//
// A source that a test writes the script of, and a reader of the host's facts that a test can stop.
//
//   ScriptedSource source;
//   Host host;
//   source.Records(host);
//   host.Opens(1).Completes(Read16(0, 8));   // two records are ready to be drained
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "collector/run/host_fact.h"
#include "collector/run/record_queue.h"
#include "collector/run/source.h"
#include "tests/model/host.h"

namespace lunscope {

// The records of a scripted source. Shared, because the watcher owns the source.
struct Script {
  // The records of this host from now on are ready to be drained.
  void Record(Host& host) {
    host.HandOn([this](const lunscope_record& record) { ready.Push(record, 0); });
  }
  template <typename Record>
  void Add(const Record& record) {
    ready.Push(reinterpret_cast<const lunscope_record&>(record), 0);
  }

  RecordQueue ready;
  std::vector<lunscope_connection_record> live;  // that a walk finds
  std::vector<lunscope_scsi_command> in_flight;  // that a walk finds, too
  std::function<void()> in_walk = [] {};         // called before each record of a walk
  bool walk_fails = false;
  bool is_done = false;
  std::string missing;
  CommandCounts commands;
  std::vector<std::string>* diary = nullptr;  // where calls are written down
  std::string name = "source";
};

class ScriptedSource : public Source {
 public:
  explicit ScriptedSource(std::shared_ptr<Script> script) : script_(std::move(script)) {}

  void Drain(const Handler& handler) override {
    Note("drain");
    while (!script_->ready.empty()) {
      handler(script_->ready.Front());
      script_->ready.Pop();
    }
  }
  Status Walk(const Handler& on_record, const CommandHandler& on_command) override {
    Note("walk");
    for (const lunscope_connection_record& record : script_->live) {
      script_->in_walk();
      on_record(record.header);
    }
    for (const lunscope_scsi_command& command : script_->in_flight) on_command(command);
    if (script_->walk_fails) return Error{ExitCode::kFailure, "the walk broke off"};
    return Nothing{};
  }
  void Describe(Observation& observation) const override {
    Note("describe");
    observation.has_iscsi = true;
    observation.probes.push_back({script_->name, true, 0, 0, 0});
  }
  [[nodiscard]] CommandCounts Commands() const override { return script_->commands; }
  [[nodiscard]] std::string Missing() const override { return script_->missing; }
  [[nodiscard]] bool is_done() const override { return script_->is_done; }

 private:
  void Note(const char* what) const {
    if (script_->diary != nullptr) script_->diary->push_back(script_->name + " " + what);
  }

  const std::shared_ptr<Script> script_;
};

// A door that readers of facts stand before while it is closed.
class Door {
 public:
  void Close() { Set(false); }
  void Open() { Set(true); }
  // Called by a reader.
  void Pass() {
    std::unique_lock lock(mutex_);
    standing_++;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
    standing_--;
    changed_.notify_all();
  }
  // Wait until this many readers stand before it. False: they do not come.
  bool AwaitStanding(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return standing_ == count; });
  }
  [[nodiscard]] size_t standing() {
    const std::lock_guard lock(mutex_);
    return standing_;
  }

 private:
  void Set(bool is_open) {
    const std::lock_guard lock(mutex_);
    is_open_ = is_open;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = true;
  size_t standing_ = 0;
};

// The facts of a host, behind a door: process 7 is called "reader7"; the SCSI host 7 has the target
// "iqn.host7", and an even one has none; LUN 0 of kDisk is sdb. There are no sessions, and that
// answer comes at once.
inline MakeReader HostBehind(const std::shared_ptr<Door>& door) {
  struct Read {
    Door& door;

    HostFact operator()(const SessionsQuestion& /*question*/) const {
      return std::vector<HostSession>();
    }
    HostFact operator()(const LocalLunsQuestion& /*question*/) const {
      door.Pass();
      HostSession session{LUNSCOPE_ROLE_INITIATOR, kDisk, kHost,
                          {{"192.0.2.2", 3260}},   {},    "sysfs"};
      session.luns[0].device = "sdb";
      return std::vector<HostSession>{session};
    }
    HostFact operator()(const ScsiHostQuestion& question) const {
      door.Pass();
      return question.host % 2 == 0 ? std::string() : fmt::format("iqn.host{}", question.host);
    }
    HostFact operator()(const ProcessQuestion& question) const {
      door.Pass();
      LocalProcess process;
      process.id = question.process;
      process.comm = fmt::format("reader{}", question.process);
      return process;
    }
  };
  return [door] {
    return [door](const Question& question) { return std::visit(Read{*door}, question); };
  };
}

}  // namespace lunscope
