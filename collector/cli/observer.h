// SPDX-License-Identifier: Apache-2.0
//
// A probe and the model that its records go into, under one lock: the thread that drains and the
// threads that scrape meet here and nowhere else.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <vector>

#include "collector/host/host.h"
#include "collector/host/local_processes.h"
#include "collector/model/model.h"
#include "collector/probe/probe.h"
#include "collector/report/metrics.h"

namespace lunscope {

// Attach the programs, with room for what they keep of each connection: says so where a limit of
// this host was raised for that.
Result<std::unique_ptr<Probe>> AttachProbe(const ProbeOptions& options);

class Observer {
 public:
  // Called with the lock held, after the model has taken the record in.
  using Listener = std::function<void(const lunscope_event&, const Model&)>;

  Observer(std::unique_ptr<Probe> probe, ModelOptions model, const ProbeOptions& options)
      : probe_(std::move(probe)),
        model_(model),
        inflight_limit_(options.inflight_limit),
        host_sessions_(std::async(std::launch::async, ReadHostSessions)) {}

  void set_listener(Listener listener) { listener_ = std::move(listener); }
  [[nodiscard]] int wakeup_fd() const { return probe_->wakeup_fd(); }

  // Take in what the rings hold.
  void Drain();
  // Likewise, and count it as a wakeup of this process.
  void DrainAfterWakeup();
  // Drain, walk the live connections, and copy out everything a scrape speaks of.
  Observation Observe();
  // Likewise, and render what the model knows then.
  std::string Render(const std::function<std::string(const Model&)>& render);
  [[nodiscard]] lunscope_totals Totals() const { return probe_->Totals(); }

 private:
  void DrainLocked();
  void Take(const lunscope_event& event);
  // False: the walk broke off.
  bool WalkLocked();

  std::mutex mutex_;
  const std::unique_ptr<Probe> probe_;
  Model model_;
  LocalProcesses local_processes_;
  Listener listener_;
  const uint32_t inflight_limit_;
  uint64_t wakeups_ = 0;
  // Asked once, after the probe was attached: whose login is not seen was logged in by then.
  std::future<std::vector<HostSession>> host_sessions_;
};

}  // namespace lunscope
