// SPDX-License-Identifier: Apache-2.0
//
// lunscope's programs that stop after a step, or empty ones at the same hooks: held until SIGTERM,
// which makes it say how often each ran and for how long.
//
//   steps PORT STEP [no-phases]    STEP: a number of enum lunscope_step
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "collector/probe/probe.h"
#include "collector/probe/programs.h"
#include "floor.skel.h"

namespace lunscope {
namespace {

struct FloorDeleter {
  void operator()(floor_bpf* skeleton) const { floor_bpf__destroy(skeleton); }
};

// Returns whether SIGTERM came within a second.
bool IsOver(const sigset_t& ending) {
  const timespec second = {1, 0};
  return sigtimedwait(&ending, nullptr, &second) == SIGTERM;
}

void Say(const std::vector<ProgramState>& programs) {
  for (const ProgramState& program : programs)
    fmt::print("{} {} {}\n", program.name, program.runs, program.run_time_ns);
}

void SayAttached() {
  fmt::print("attached\n");
  std::fflush(stdout);
}

int Empty(const sigset_t& ending) {
  const std::unique_ptr<floor_bpf, FloorDeleter> skeleton(floor_bpf__open_and_load());
  if (!skeleton || floor_bpf__attach(skeleton.get()) != 0) return 1;
  SayAttached();
  while (!IsOver(ending)) continue;
  std::vector<ProgramState> programs;
  const bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(skeleton->obj, const_cast<bpf_program*>(program))) !=
         nullptr)
    programs.push_back(StateOf(program));
  Say(programs);
  return 0;
}

int Upto(lunscope_step step, uint16_t port, bool measures_phases, const sigset_t& ending) {
  ProbeOptions options;
  options.ports = {port};
  options.last_step = step;
  options.measures_phases = measures_phases;
  Result<std::unique_ptr<Probe>> probe = Probe::Attach(options);
  if (!probe.ok()) {
    fmt::print(stderr, "{}\n", probe.error().message);
    return 1;
  }
  SayAttached();
  while (!IsOver(ending)) probe.value()->Drain([](const lunscope_record&) {});
  Say(probe.value()->Programs());
  return 0;
}

int Main(int argc, char** argv) {
  const bool has_no_phases = argc == 4 && std::string_view(argv[3]) == "no-phases";
  if (argc != 3 && !has_no_phases) return 2;
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigprocmask(SIG_BLOCK, &ending, nullptr);
  const auto step = static_cast<lunscope_step>(std::atoi(argv[2]));
  if (step == LUNSCOPE_STEP_NONE) return Empty(ending);
  return Upto(step, static_cast<uint16_t>(std::atoi(argv[1])), !has_no_phases, ending);
}

}  // namespace
}  // namespace lunscope

int main(int argc, char** argv) { return lunscope::Main(argc, argv); }
