// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/probe.h"

#include <fmt/format.h>

#include <utility>

#include "collector/probe/healing.h"
#include "collector/probe/kernel_initiator.h"
#include "collector/probe/programs.h"
#include "collector/probe/requirements.h"
#include "collector/probe/ring_source.h"
#include "collector/probe/totals.h"
#include "collector/probe/walk.h"

namespace lunscope {
namespace {

// The programs that every host needs. They stay attached.
class HookedPrograms : public ProgramGroup {
 public:
  Status Attach(const lunscope_bpf& skeleton) {
    programs_ = SelectPrograms(skeleton.obj, IsLoadedHook);
    Result<std::vector<Link>> links = AttachPrograms(programs_);
    if (!links.ok()) return links.error();
    links_ = std::move(links.value());
    return Nothing{};
  }

  std::vector<ProgramState> States() const override {
    std::vector<ProgramState> states;
    states.reserve(programs_.size());
    for (const bpf_program* program : programs_) states.push_back(StateOf(program));
    return states;
  }

 private:
  std::vector<bpf_program*> programs_;
  std::vector<Link> links_;
};

class KernelProbe : public RingSource<Probe, lunscope_bpf> {
 public:
  explicit KernelProbe(Skeleton skeleton) : RingSource(std::move(skeleton)) {}

  Status Start(uint32_t ring_bytes) {
    Status made = MakeRings(ring_bytes);
    if (!made.ok()) return made;
    Status walks = walk_.Attach(skeleton());
    if (!walks.ok()) return walks;
    auto programs = std::make_unique<HookedPrograms>();
    Status attached = programs->Attach(skeleton());
    if (!attached.ok()) return attached;
    Add(std::move(programs));
    Add(std::make_unique<KernelInitiatorProgram>(&skeleton()));
    Add(std::make_unique<HealingProgram>(&skeleton()));
    return Nothing{};
  }

  size_t Drain(const Handler& handler) override {
    return RingSource::Drain([&](const lunscope_record& record) {
      walk_.Learn(record);
      handler(record);
    });
  }

  Status Walk(const Handler& handler) override {
    return walk_.Run([&](const void* record, size_t bytes) { HandRecord(record, bytes, handler); });
  }

  bool enters_namespaces() const override { return walk_.enters_namespaces(); }

  uint64_t connection_memory() const override {
    return __atomic_load_n(&skeleton().bss->state_bytes, __ATOMIC_RELAXED);
  }

  lunscope_totals Totals() const override {
    return SumOfReadings([this] {
      return ReadCopies<lunscope_totals>(skeleton().maps.totals, [](const lunscope_totals& copy) {
        return lunscope_totals_balance(&copy) != 0;
      });
    });
  }

 private:
  ConnectionWalk walk_;
};

}  // namespace

Result<std::unique_ptr<Probe>> Probe::Attach(const ProbeOptions& options) {
  for (const Requirement& requirement : CheckRequirements()) {
    if (!requirement.met)
      return Error{requirement.code, fmt::format("{}: {}", requirement.name, requirement.detail)};
  }
  Result<Skeleton> skeleton = LoadSkeleton(options);
  if (!skeleton.ok()) return skeleton.error();
  auto probe = std::make_unique<KernelProbe>(std::move(skeleton.value()));
  Status started = probe->Start(options.ring_bytes);
  if (!started.ok()) return started.error();
  return std::unique_ptr<Probe>(std::move(probe));
}

std::string LibbpfVersion() { return libbpf_version_string(); }

}  // namespace lunscope
