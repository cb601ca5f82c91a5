// SPDX-License-Identifier: Apache-2.0
//
// Sources and the model that their records go into, under one lock: the thread that drains and the
// threads that scrape meet here and nowhere else. The lock is never held while somebody waits for a
// fact of the host, but by Finish() (host_names.h). A scrape waits for such a fact before it takes
// the lock.
//
// A record whose names are awaited waits in memory, and what came behind it from the same source
// and from later ones waits with it. That is a nexus of the mid-layer, which is counted under its
// target's name, and for rows that show processes a connection that a new process reads. Such a
// record waits a second at most, mostly about a millisecond; then it is counted without the name.
// Scrapes and drains go on meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "collector/metrics/metrics.h"
#include "collector/model/model.h"
#include "collector/run/command_counts.h"
#include "collector/run/event_loop.h"
#include "collector/run/host_names.h"
#include "collector/run/record_queue.h"
#include "collector/run/source.h"

namespace lunscope {

class Watcher {
 public:
  // Called with the lock held, with a record and what the model made of it. An overdue answer comes
  // with a record that has no kind, but a time and a role.
  using Listener = std::function<void(const lunscope_record&, const Applied&)>;

  // The order of the sources is the order in which the model meets their records: an inner layer
  // before the layers around it (model/layer_join.h).
  Watcher(SourceList sources, const ModelOptions& model, HostNames names = {});

  void set_listener(Listener listener) { listener_ = std::move(listener); }
  // Have the loop wake up when there is much to drain, and when names have come.
  void Watch(EventLoop& loop) const;
  // Which of the sources are not there (yet), and why; "" if all are.
  [[nodiscard]] std::string Missing() const;
  // Nothing more will come from any source.
  [[nodiscard]] bool is_done() const;

  // Take in what the sources hold.
  void Drain();
  // Do drained records wait for names?
  [[nodiscard]] bool has_waiting();
  // As Drain(), counted as a wakeup of this process.
  void DrainAfterWakeup();
  // The last drain: what waits for names is waited for, then taken in without them.
  void Finish();
  // Drain, walk what is live, and copy out everything that a scrape speaks of.
  Observation Observe();
  // Drain and walk, and visit what the model knows then.
  void Visit(const std::function<void(const Model&)>& visit);
  // The same, and render it.
  std::string Render(const std::function<std::string(const Model&)>& render);
  // Drain and walk, and hand on a record of each command in flight (LUNSCOPE_OPEN).
  void ShowOpen(const Listener& show);
  // The fate of all commands so far, and a line about it (command_counts.h).
  [[nodiscard]] CommandCounts Commands() const;
  [[nodiscard]] std::string EndLine() const { return lunscope::EndLine(Commands()); }

 private:
  struct Inlet {
    std::unique_ptr<Source> source;
    RecordQueue waiting;  // drained, and not in the model yet
  };

  // REQUIRES, here and below: the lock is held.
  void DrainLocked();
  [[nodiscard]] bool HasWaiting() const;
  // In the middle of a scrape: the thread that scrapes does the work of the one that waits for it.
  void DrainIfDue();
  void TakeOrKeep(Inlet& inlet, const lunscope_record& record);
  // False: a record at the front of the inlet still waits.
  bool TakeWaiting(Inlet& inlet, bool is_last = false);
  void Take(const lunscope_record& record);
  // At most once a second: tell the listener which answers are overdue.
  void LookForOverdue(uint64_t now_ns);
  // A walk broke off: said once.
  void SayBroken(const Error& error);
  // False: the walk broke off.
  bool WalkLocked(const Listener& show = {});

  std::mutex mutex_;
  std::vector<Inlet> inlets_;
  Model model_;
  HostNames names_;
  Listener listener_;
  uint64_t drained_ns_ = 0;  // when the sources were last drained
  uint64_t looked_ns_ = 0;   // when overdue answers were last looked for, of the records' clock
  uint64_t wakeups_ = 0;
  bool said_broken_ = false;
};

// A source that is not there is no error, for it may come; but it is said.
void SayMissing(const Watcher& watcher);

}  // namespace lunscope
