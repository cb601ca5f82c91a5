// SPDX-License-Identifier: Apache-2.0
#include "collector/run/resolver.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "collector/run/fact_cache.h"

namespace lunscope {

using std::chrono::steady_clock;

struct Resolver::Work {
  Work(MakeReader make, const ResolverLimits& of)
      : make_reader(std::move(make)), limits(of), known(of.facts) {}
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  ~Work() { close(fd); }

  // REQUIRES, here and below: the mutex is held.
  [[nodiscard]] bool IsLate() const {
    return busy_since && steady_clock::now() - *busy_since >= limits.deadline;
  }
  // False: the question is open already, or there is no room for it.
  bool Ask(const Question& question) {
    if (open.contains(question) || waiting.size() >= limits.questions) return false;
    open.insert(question);
    waiting.push_back(question);
    changed.notify_all();
    return true;
  }
  void Answered(const Question& question, HostFact fact) {
    known.Put(question, fact, steady_clock::now());
    open.erase(question);
    answers.push_back({question, std::move(fact)});
    const uint64_t one = 1;
    [[maybe_unused]] const auto written = write(fd, &one, sizeof(one));
    changed.notify_all();
  }

  const MakeReader make_reader;
  const ResolverLimits limits;
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Question> waiting;  // for a thread
  std::set<Question> open;       // those, and the ones that are being read
  std::vector<Answer> answers;   // that nobody has taken yet
  FactCache known;
  // The thread that takes questions. Others are late, and end with the question that they have.
  struct {
    size_t current = 0;  // its number; 0: it ends, for the resolver is gone
    size_t latest = 0;   // the number that was given last
    size_t alive = 0;
  } threads;
  std::optional<steady_clock::time_point> busy_since;  // of the current thread
};

Resolver::Resolver(MakeReader make_reader, ResolverLimits limits)
    : work_(std::make_shared<Work>(std::move(make_reader), limits)) {
  const std::lock_guard lock(work_->mutex);
  StartThread(work_);
}

Resolver::~Resolver() {
  std::unique_lock lock(work_->mutex);
  work_->threads.current = 0;
  work_->changed.notify_all();
  work_->changed.wait_for(lock, work_->limits.goodbye,
                          [this] { return work_->threads.alive == 0; });
}

// REQUIRES: the mutex is held.
void Resolver::StartThread(const std::shared_ptr<Work>& work) {
  work->threads.alive++;
  work->threads.current = ++work->threads.latest;
  work->busy_since.reset();
  std::thread([work, number = work->threads.current] { Run(work, number); }).detach();
}

void Resolver::Run(const std::shared_ptr<Work>& work, size_t number) {
  const ReadFact read = work->make_reader();
  std::unique_lock lock(work->mutex);
  const auto is_current = [&] { return work->threads.current == number; };
  while (true) {
    work->changed.wait(lock, [&] { return !is_current() || !work->waiting.empty(); });
    if (!is_current()) break;
    const Question question = work->waiting.front();
    work->waiting.pop_front();
    work->busy_since = steady_clock::now();
    lock.unlock();
    HostFact fact = read(question);
    lock.lock();
    work->Answered(question, std::move(fact));
    if (is_current()) work->busy_since.reset();
  }
  work->threads.alive--;
  work->changed.notify_all();
}

int Resolver::wakeup_fd() const { return work_->fd; }

std::optional<HostFact> Resolver::Find(const Question& question) {
  const std::lock_guard lock(work_->mutex);
  std::optional<HostFact> fact = work_->known.Find(question, steady_clock::now());
  if (!fact) work_->Ask(question);
  return fact;
}

void Resolver::Await(const Question& question, std::chrono::milliseconds longest) {
  std::unique_lock lock(work_->mutex);
  if (work_->known.Find(question, steady_clock::now()) || !work_->Ask(question)) return;
  work_->changed.wait_for(lock, longest, [&] { return !work_->open.contains(question); });
}

std::vector<Answer> Resolver::TakeAnswers() {
  const std::lock_guard lock(work_->mutex);
  if (!work_->waiting.empty() && work_->IsLate() && work_->threads.alive < work_->limits.threads)
    StartThread(work_);
  uint64_t count = 0;
  [[maybe_unused]] const auto got = read(work_->fd, &count, sizeof(count));
  return std::exchange(work_->answers, {});
}

void Resolver::WaitForAnswers(std::chrono::milliseconds longest) {
  std::unique_lock lock(work_->mutex);
  work_->changed.wait_for(lock, longest, [this] { return !work_->answers.empty(); });
}

}  // namespace lunscope
