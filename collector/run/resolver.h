// SPDX-License-Identifier: Apache-2.0
//
// Finds out facts of the host on a thread of its own, because a read of /proc or an answer of
// tgtadm can take seconds, and the rings do not wait. The draining thread asks, goes on, and
// takes the answers when they have come.
//
// A question that takes longer than the deadline keeps its thread, and another thread takes over
// the others; an answer that comes late is still an answer. Threads, questions and remembered facts
// are limited. A question beyond the limit is refused: it may be asked again.
//
// Rejected: to end a thread that is late. A read that hangs in the kernel cannot be ended.
//
// All functions may be called by any thread. None of them waits for a reader but Await(),
// WaitForAnswers() and the destructor, and these wait for a limited time.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "collector/run/host_fact.h"

namespace lunscope {

struct ResolverLimits {
  std::chrono::milliseconds deadline{250};
  std::chrono::milliseconds goodbye{150};  // how long the destructor waits
  size_t threads = 4;
  size_t questions = 4096;  // that wait for a thread
  size_t facts = 4096;      // that are remembered
};

class Resolver {
 public:
  explicit Resolver(MakeReader make_reader, ResolverLimits limits = {});
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  // A reader that hangs is left behind.
  ~Resolver();

  // Readable when there are answers.
  [[nodiscard]] int wakeup_fd() const;
  // The fact, if it is known. If not, the question is asked, unless it is already.
  std::optional<HostFact> Find(const Question& question);
  // Ask as Find() does, and wait until the question is answered, or this long. Does not wait for a
  // question that was open already: its reader may hang, and each scrape would wait for it.
  void Await(const Question& question, std::chrono::milliseconds longest);
  // The answers that have come since the last call.
  std::vector<Answer> TakeAnswers();
  // Wait until there is one, or this long.
  void WaitForAnswers(std::chrono::milliseconds longest);

 private:
  struct Work;  // shared with the threads, which may outlive the resolver

  static void Run(const std::shared_ptr<Work>& work, size_t number);
  static void StartThread(const std::shared_ptr<Work>& work);

  const std::shared_ptr<Work> work_;
};

}  // namespace lunscope
