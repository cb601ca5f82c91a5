// SPDX-License-Identifier: Apache-2.0
//
// Names from this host for what the model meets: the process at a connection, the iSCSI target
// below a SCSI host, the sessions that were open before. Records are looked at before and after the
// model has them; what is not known is asked, and the model gets the answer when it comes.
//
// The caller serialises all calls but FindLocalLuns(). None of them waits for an answer but that
// and WaitForAnswers().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "collector/model/model.h"
#include "collector/run/resolver.h"

namespace lunscope {

class HostNames {
 public:
  // Nobody is asked: for a capture, whose host is another one.
  HostNames() = default;
  // waits_for_processes: rows show the process of a connection. after_programs: called once, by the
  // caller that takes the answers, when no program of this host is asked any more; only the
  // question for its sessions does that. patience: how long a record may wait for its names. A busy
  // host answers in some milliseconds.
  HostNames(std::unique_ptr<Resolver> resolver, bool waits_for_processes,
            std::function<void()> after_programs = {},
            std::chrono::milliseconds patience = std::chrono::seconds(1));

  // Readable when answers have come; -1: never.
  [[nodiscard]] int wakeup_fd() const { return resolver_ ? resolver_->wakeup_fd() : -1; }
  // May the model have this record? False: an answer is awaited that the record's rows or its
  // labels need. Tells the model what it must know before.
  bool IsReady(const lunscope_record& record, Model& model);
  // The model has the record now.
  void Complete(const lunscope_record& record, Model& model);
  // Give the model the answers that have come.
  void TakeAnswers(Model& model);
  // Asks for the LUNs of this host, unless that was asked a short while ago, and waits a
  // moment for the answer. An answer that is late is there for a later scrape. Any thread may call.
  void FindLocalLuns() const;
  // Wait until an answer has come, or this long.
  void WaitForAnswers(std::chrono::milliseconds longest);
  [[nodiscard]] std::chrono::nanoseconds patience() const { return patience_; }

 private:
  struct Learner;

  bool IsHostKnown(uint32_t host, Model& model);

  std::unique_ptr<Resolver> resolver_;  // nullptr: nobody is asked
  bool waits_for_processes_ = false;
  std::function<void()> after_programs_;
  std::chrono::milliseconds patience_{0};
  // Connections that get the answer when it comes.
  std::map<ProcessQuestion, std::set<uint64_t>> waiting_;
  size_t waiting_connections_ = 0;
};

}  // namespace lunscope
