// SPDX-License-Identifier: Apache-2.0
//
// The collector's ceiling: records through the model, and through rings and model; a scrape, and
// what it keeps from being drained meanwhile. Times are this thread's CPU time.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "collector/diagnosis/diagnosis.h"
#include "collector/metrics/metrics.h"
#include "collector/probe/probe.h"
#include "tests/bench/cpu_time.h"
#include "tests/bench/ring_producer.h"
#include "tests/bench/workload.h"

namespace lunscope {
namespace {

constexpr Shape kHotLun = {1, 1, 1, 1};
constexpr Shape kVaried = {16, 4, 16, 4};
// A ring wakes serve's collector when it is a quarter full.
constexpr uint32_t kBatch = 1300;

void Count(benchmark::State& state, double records) {
  state.SetItemsProcessed(static_cast<int64_t>(records * static_cast<double>(state.iterations())));
}

// A model that has met all of a shape. It is the same for all benchmarks of that shape: to make one
// takes longer than to measure it.
Model& ModelOf(const Shape& shape, bool profiles = false) {
  static std::map<std::pair<const Shape*, bool>, Model> models;
  const auto [entry, is_new] =
      models.try_emplace({&shape, profiles}, ModelOptions{.profiles = profiles});
  Model& model = entry->second;
  if (is_new) Begin(shape, [&](const lunscope_record& record) { model.Apply(record); });
  return model;
}

void PlayCommands(benchmark::State& state, const Shape* shape, bool profiles) {
  Model& model = ModelOf(*shape, profiles);
  const Tape tape = Commands(*shape, PRODUCER_RECORDS);
  for (auto _ : state) {
    const double start = ThreadCpuSeconds();
    tape.Play([&](const lunscope_record& record) { model.Apply(record); });
    state.SetIterationTime(ThreadCpuSeconds() - start);
  }
  Count(state, PRODUCER_RECORDS);
}

void BM_Model(benchmark::State& state, const Shape* shape) { PlayCommands(state, shape, false); }
BENCHMARK_CAPTURE(BM_Model, hot_lun, &kHotLun)->UseManualTime();
BENCHMARK_CAPTURE(BM_Model, varied, &kVaried)->UseManualTime();
BENCHMARK_CAPTURE(BM_Model, connections_10k, &kManySeries)->UseManualTime();

// With a profile of each LUN.
void BM_Profile(benchmark::State& state, const Shape* shape) { PlayCommands(state, shape, true); }
BENCHMARK_CAPTURE(BM_Profile, hot_lun, &kHotLun)->UseManualTime();
BENCHMARK_CAPTURE(BM_Profile, varied, &kVaried)->UseManualTime();
BENCHMARK_CAPTURE(BM_Profile, connections_10k, &kManySeries)->UseManualTime();

void BM_RingAndModel(benchmark::State& state, const Shape* shape) {
  Model& model = ModelOf(*shape);
  RingProducer producer(Commands(*shape, PRODUCER_RECORDS), ProbeOptions().ring_bytes);
  const Probe::Handler take = [&](const lunscope_record& record) { model.Apply(record); };
  uint64_t drained = 0;
  for (auto _ : state) {
    producer.Produce(kBatch);
    const double start = ThreadCpuSeconds();
    drained += producer.rings().Drain(take);
    state.SetIterationTime(ThreadCpuSeconds() - start);
  }
  if (drained != kBatch * static_cast<uint64_t>(state.iterations()))
    state.SkipWithError("records are missing");
  Count(state, kBatch);
}
BENCHMARK_CAPTURE(BM_RingAndModel, hot_lun, &kHotLun)->UseManualTime();
BENCHMARK_CAPTURE(BM_RingAndModel, varied, &kVaried)->UseManualTime();
BENCHMARK_CAPTURE(BM_RingAndModel, connections_10k, &kManySeries)->UseManualTime();

// Rings alone, to see what is left for the model.
void BM_Ring(benchmark::State& state) {
  RingProducer producer(Commands(kVaried, PRODUCER_RECORDS), ProbeOptions().ring_bytes);
  uint64_t sum = 0;
  const Probe::Handler take = [&](const lunscope_record& record) { sum += record.connection; };
  for (auto _ : state) {
    producer.Produce(kBatch);
    const double start = ThreadCpuSeconds();
    producer.rings().Drain(take);
    state.SetIterationTime(ThreadCpuSeconds() - start);
  }
  benchmark::DoNotOptimize(sum);
  Count(state, kBatch);
}
BENCHMARK(BM_Ring)->UseManualTime();

// 10,000 LUNs.
constexpr Shape kDiagnosed = {1'000, 40, 250, 2};
constexpr size_t kCommandsASecond = 50'000;
constexpr uint64_t kSecond = 1'000'000'000;

// Records of later seconds: the same ones, at later times.
class Clock {
 public:
  template <typename Take>
  void Play(const Tape& tape, const Take& take) {
    tape.Play([&](const lunscope_record& record) {
      std::vector<char>& later = records_;
      later.resize(std::max<size_t>(later.size(), record.bytes));
      std::memcpy(later.data(), &record, record.bytes);
      auto& shifted = *reinterpret_cast<lunscope_record*>(later.data());
      shifted.time_ns += seconds_ * kSecond;
      latest_ns_ = std::max(latest_ns_, shifted.time_ns);
      take(shifted);
    });
  }
  void GoOn() { seconds_++; }
  [[nodiscard]] uint64_t now_ns() const { return latest_ns_; }

 private:
  std::vector<char> records_;
  uint64_t seconds_ = 0;
  uint64_t latest_ns_ = 0;
};

// A second of serve: what the diagnosis takes from each record, and its look at all sessions.
void BM_Diagnosis(benchmark::State& state) {
  Model& model = ModelOf(kDiagnosed);
  Diagnosis diagnosis;
  const Tape commands = Commands(kDiagnosed, kCommandsASecond);
  Tape walk;
  Walk(kDiagnosed, [&](const lunscope_record& record) { walk.Add(record); });
  Clock clock;
  double applied = 0, taken = 0, looked = 0;
  for (auto _ : state) {
    clock.GoOn();
    const double start = ThreadCpuSeconds();
    clock.Play(commands, [&](const lunscope_record& record) { model.Apply(record); });
    const double without = ThreadCpuSeconds();
    clock.GoOn();
    clock.Play(commands,
               [&](const lunscope_record& record) { diagnosis.Take(record, model.Apply(record)); });
    const double with_it = ThreadCpuSeconds();
    model.BeginWalk(clock.now_ns());
    clock.Play(walk, [&](const lunscope_record& record) { model.Apply(record); });
    model.EndWalk();
    const double walked = ThreadCpuSeconds();
    diagnosis.Look(model, clock.now_ns());
    const double end = ThreadCpuSeconds();
    applied += without - start;
    taken += with_it - without;
    looked += end - walked;
    state.SetIterationTime(end - walked);
  }
  const auto average = [&](double seconds, double scale) {
    return benchmark::Counter(scale * seconds, benchmark::Counter::kAvgIterations);
  };
  state.counters["record_ns"] = average(taken - applied, 1e9 / kCommandsASecond);
  state.counters["look_ms"] = average(looked, 1e3);
  state.counters["findings"] = static_cast<double>(diagnosis.All().size());
}
BENCHMARK(BM_Diagnosis)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(40);

double SeriesOf(const std::string& page) {
  double series = 0;
  for (size_t at = 0; at < page.size(); at = page.find('\n', at) + 1) series += page[at] != '#';
  return series;
}

// Walk, snapshot and page: all that a scrape is but for the kernel's part of the walk.
void BM_Scrape(benchmark::State& state, const Shape* shape) {
  Model& model = ModelOf(*shape);
  Tape walk;
  Walk(*shape, [&](const lunscope_record& record) { walk.Add(record); });
  double walked = 0, copied = 0, rendered = 0, series = 0;
  for (auto _ : state) {
    const double start = ThreadCpuSeconds();
    model.BeginWalk(0);
    walk.Play([&](const lunscope_record& record) { model.Apply(record); });
    model.EndWalk();
    const double walk_end = ThreadCpuSeconds();
    Observation observation;
    observation.snapshot = model.TakeSnapshot();
    const double copy_end = ThreadCpuSeconds();
    const std::string page = FormatMetrics(observation);
    const double end = ThreadCpuSeconds();
    state.SetIterationTime(end - start);
    walked += walk_end - start;
    copied += copy_end - walk_end;
    rendered += end - copy_end;
    state.PauseTiming();
    series = SeriesOf(page);
    state.counters["page_bytes"] = static_cast<double>(page.size());
    state.ResumeTiming();
  }
  const auto average = [&](double seconds) {
    return benchmark::Counter(1e3 * seconds, benchmark::Counter::kAvgIterations);
  };
  state.counters["series"] = series;
  state.counters["walk_ms"] = average(walked);
  state.counters["copy_ms"] = average(copied);
  state.counters["render_ms"] = average(rendered);
}
void ScrapeOptions(benchmark::internal::Benchmark* scrape) {
  scrape->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(10);
}
BENCHMARK_CAPTURE(BM_Scrape, connections_100, &kFewSeries)->Apply(ScrapeOptions);
BENCHMARK_CAPTURE(BM_Scrape, connections_1k, &kSomeSeries)->Apply(ScrapeOptions);
BENCHMARK_CAPTURE(BM_Scrape, connections_10k, &kManySeries)->Apply(ScrapeOptions);

// The longest time that records wait in a scrape of kManySeries, where a command comes each 2 us:
// the same walk and copy, with pauses as collector/run/watcher has them.
void BM_Stall(benchmark::State& state) {
  constexpr double kDue = 250e-6;
  constexpr size_t kArrived = 125;
  Model& model = ModelOf(kManySeries);
  Tape walk;
  Walk(kManySeries, [&](const lunscope_record& record) { walk.Add(record); });
  const Tape commands = Commands(kManySeries, kArrived);
  std::vector<double> stalls;
  for (auto _ : state) {
    double drained = ThreadCpuSeconds();
    const auto drain = [&] {
      const double now = ThreadCpuSeconds();
      if (now - drained < kDue) return;
      stalls.push_back(now - drained);
      drained = now;
      commands.Play([&](const lunscope_record& record) { model.Apply(record); });
    };
    const double start = ThreadCpuSeconds();
    model.BeginWalk(0);
    walk.Play([&](const lunscope_record& record) {
      model.Apply(record);
      drain();
    });
    model.EndWalk(true, drain);
    benchmark::DoNotOptimize(model.TakeSnapshot(drain));
    state.SetIterationTime(ThreadCpuSeconds() - start);
  }
  std::ranges::sort(stalls);
  const auto quantile = [&](double share) {
    return 1e3 * stalls.at(static_cast<size_t>(share * static_cast<double>(stalls.size() - 1)));
  };
  state.counters["p50_ms"] = quantile(0.5);
  state.counters["p99_ms"] = quantile(0.99);
  state.counters["max_ms"] = quantile(1);
}
BENCHMARK(BM_Stall)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(20);

}  // namespace
}  // namespace lunscope

BENCHMARK_MAIN();
