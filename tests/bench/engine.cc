// SPDX-License-Identifier: Apache-2.0
//
// The engine alone in the kernel, without hooks, sockets or skbs, and with all that it touches in
// the caches: nanoseconds per command up to a step, by BPF_PROG_TEST_RUN. A line for each step: its
// number (enum lunscope_step) and the median of the runs.
#include <bpf/bpf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <list>
#include <stdexcept>
#include <vector>

#include "collector/probe/probe.h"
#include "collector/replay/follower.h"
#include "tests/differential/kernel_engine.h"
#include "tests/vectors/pdu.h"

namespace lunscope {
namespace {

constexpr std::array kSteps = {LUNSCOPE_STEP_READ, LUNSCOPE_STEP_PAIR, LUNSCOPE_STEP_EMIT};
constexpr uint32_t kDepth = 8;
constexpr uint32_t kCommands = 15 * kDepth;
constexpr uint32_t kDataBytes = 4096;
constexpr int kRuns = 3000;

// A conversation of reads with a target, put into an exchange segment by segment.
class Script {
 public:
  explicit Script(exchange* exchange) : exchange_(*exchange) {
    lunscope_totals totals = {};
    ConnectionFollower follower(LUNSCOPE_ROLE_TARGET, &totals, [](const lunscope_record&) {});
    follower.Open(next_seq_[LUNSCOPE_RECEIVED], next_seq_[LUNSCOPE_SENT], 1);
    LogIn(&follower, LUNSCOPE_RECEIVED, LoginRequest());
    LogIn(&follower, LUNSCOPE_SENT, LoginResponse());
    logged_in_ = follower.connection();
    logged_in_.record.header.time_ns = 1;  // it was announced
    for (uint32_t first = 0; first < kCommands; first += kDepth) Turn(first);
  }

  // The same once more.
  void Rewind() { exchange_.connection = logged_in_; }

 private:
  void LogIn(ConnectionFollower* follower, uint32_t direction, const Bytes& pdu) {
    const auto bytes = static_cast<uint32_t>(pdu.size());
    follower->Offer(direction, {next_seq_[direction], bytes, {pdu.data(), bytes}, 1});
    next_seq_[direction] += bytes;
  }

  void Turn(uint32_t first) {
    for (uint32_t itt = first; itt < first + kDepth; itt++)
      Say(LUNSCOPE_RECEIVED, ScsiCommand(itt, Read10(), kDataBytes, kReadFlags), 0);
    for (uint32_t itt = first; itt < first + kDepth; itt++)
      Say(LUNSCOPE_SENT, DataIn(itt, 0, {}, kDataInStatus).DataSegmentLength(kDataBytes),
          kDataBytes);
  }

  // Payload is not looked at, and need not be there.
  void Say(uint32_t direction, const Bytes& header, uint32_t payload_bytes) {
    const uint32_t bytes = static_cast<uint32_t>(header.size()) + payload_bytes;
    const auto offset = static_cast<uint32_t>(exchange_.segments * header.size());
    std::memcpy(exchange_.bytes + offset, header.data(), header.size());
    exchange_.segment[exchange_.segments++] = {1000, direction, next_seq_[direction], bytes,
                                               offset};
    next_seq_[direction] += bytes;
  }

  exchange& exchange_;
  lunscope_connection logged_in_ = {};
  std::array<uint32_t, LUNSCOPE_DIRECTIONS> next_seq_ = {1000, 5000};
};

struct Measured {
  explicit Measured(lunscope_step last_step)
      : step(last_step), engine(last_step, ProbeOptions().ring_bytes), script(&engine.input()) {}

  // Returns nanoseconds per command.
  double Run() {
    uint64_t records = 0;
    script.Rewind();
    const uint64_t before = engine.run_time_ns();
    engine.Run([&](const void*, size_t) { records++; });
    if (records != (step == LUNSCOPE_STEP_EMIT ? kCommands : 0))
      throw std::runtime_error(fmt::format("{} records up to step {:d}", records, step));
    return static_cast<double>(engine.run_time_ns() - before) / kCommands;
  }

  lunscope_step step;
  KernelEngine engine;
  Script script;
  std::vector<double> times = {};
};

void Measure() {
  const int statistics = bpf_enable_stats(BPF_STATS_RUN_TIME);
  if (statistics < 0) throw std::runtime_error("the kernel does not count the time of programs");
  std::list<Measured> steps(kSteps.begin(), kSteps.end());
  // In turn, for the machine is not as fast in one second as in another.
  for (int i = 0; i < kRuns; i++) {
    for (Measured& step : steps) step.times.push_back(step.Run());
  }
  for (Measured& step : steps) {
    std::ranges::nth_element(step.times, step.times.begin() + kRuns / 2);
    fmt::print("{:d} {:.1f}\n", step.step, step.times[kRuns / 2]);
  }
  close(statistics);
}

}  // namespace
}  // namespace lunscope

int main() {
  try {
    lunscope::Measure();
  } catch (const std::exception& error) {
    fmt::print(stderr, "engine_bench: {}\n", error.what());
    return 1;
  }
}
