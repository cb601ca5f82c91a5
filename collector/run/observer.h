// SPDX-License-Identifier: Apache-2.0
//
// The probes and the model that their records go into, under one lock: the thread that drains and
// the threads that scrape meet here and nowhere else.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "collector/host/host.h"
#include "collector/host/local_processes.h"
#include "collector/metrics/metrics.h"
#include "collector/model/model.h"
#include "collector/probe/probe.h"
#include "collector/probe/scsi_probe.h"
#include "collector/run/event_loop.h"
#include "collector/run/settings.h"

namespace lunscope {

// Attach the programs, with room for what they keep of each connection: says so where a limit of
// this host was raised for that.
Result<std::unique_ptr<Probe>> AttachProbe(const ProbeOptions& options);

class Observer {
 public:
  // Called with the lock held, with what the model made of the record.
  using Listener = std::function<void(const lunscope_record&, const Applied&)>;

  // Attach to the sources.
  static Result<std::unique_ptr<Observer>> Start(const Sources& sources, ModelOptions model,
                                                 const ProbeOptions& options);

  void set_listener(Listener listener) { listener_ = std::move(listener); }
  // Have the loop wake up when there is much to drain.
  void Watch(EventLoop& loop) const;
  // Which of the sources are not there (yet), and why; "" if all are.
  [[nodiscard]] std::string Missing() const { return layers_ ? layers_->Missing() : ""; }

  // Take in what the rings hold.
  void Drain();
  // Likewise, and count it as a wakeup of this process.
  void DrainAfterWakeup();
  // Drain, walk the live connections, and copy out everything a scrape speaks of.
  Observation Observe();
  // Likewise, and render what the model knows then.
  std::string Render(const std::function<std::string(const Model&)>& render);
  // "1234 commands, 0 lost": of those whose end was seen, how many have no record.
  [[nodiscard]] std::string EndLine() const;

 private:
  Observer(const Sources& sources, ModelOptions model, const ProbeOptions& options)
      : sources_(sources),
        model_(model),
        inflight_limit_(options.inflight_limit),
        host_sessions_(std::async(std::launch::async, ReadHostSessions)) {}

  void DrainLocked();
  // In the midst of a scrape: the thread that scrapes does the work of the one that waits for it.
  void DrainIfDue();
  void Take(const lunscope_record& record);
  // The model's part of it.
  Applied TakeIn(const lunscope_record& record);
  void ObserveLayers(Observation& observation) const;
  // False: the walk broke off.
  bool WalkLocked();

  std::mutex mutex_;
  const Sources sources_;
  std::unique_ptr<Probe> probe_;       // nullptr: iSCSI is not watched
  std::unique_ptr<ScsiProbe> layers_;  // nullptr: neither SCSI layer is
  std::vector<char> layer_records_;    // drained, not yet taken in
  Model model_;
  LocalProcesses local_processes_;
  Listener listener_;
  uint64_t drained_ns_ = 0;  // when the rings were last drained
  const uint32_t inflight_limit_;
  uint64_t wakeups_ = 0;
  // Asked once, after the probe was attached: whose login is not seen was logged in by then.
  std::future<std::vector<HostSession>> host_sessions_;
};

// A source that is not there is no error: it may come.
void SayMissing(const Observer& observer);

}  // namespace lunscope
