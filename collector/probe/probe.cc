// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/probe.h"

#include <bpf/bpf.h>
#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "collector/probe/kernel_initiator.h"
#include "collector/probe/preflight.h"
#include "collector/probe/rings.h"
#include "collector/probe/skeleton.h"
#include "collector/probe/totals.h"
#include "collector/probe/walk.h"

namespace lunscope {
namespace {

class KernelProbe : public Probe {
 public:
  explicit KernelProbe(Skeleton skeleton)
      : skeleton_(std::move(skeleton)), kernel_initiator_(skeleton_.get()) {}

  Status Start(uint32_t ring_bytes) {
    Status made = rings_.Make(skeleton_->maps.rings, ring_bytes);
    if (!made.ok()) return made;
    Status walks = walk_.Attach(*skeleton_);
    if (!walks.ok()) return walks;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton_->obj) {
      if (IsWalk(program) || IsLoadedApart(program)) continue;
      Link link = AttachProgram(*skeleton_, program);
      if (!link) return KernelError(bpf_program__section_name(program), errno);
      links_.push_back(std::move(link));
    }
    return Nothing{};
  }

  int wakeup_fd() const override { return rings_.wakeup_fd(); }

  size_t Drain(const Handler& handler) override {
    kernel_initiator_.Update();
    return rings_.Drain([&](const lunscope_record& record) {
      walk_.Learn(record);
      handler(record);
    });
  }

  Status Walk(const Handler& handler) override {
    return walk_.Run(
        [&](const void* record, size_t bytes) { rings_.Hand(record, bytes, handler); });
  }

  lunscope_totals Totals() const override {
    return SumOfReadings([this] {
      return ReadCopies<lunscope_totals>(skeleton_->maps.totals, [](const lunscope_totals& copy) {
        return lunscope_totals_balance(&copy) != 0;
      });
    });
  }

  std::vector<ProgramState> Programs() const override {
    std::vector<ProgramState> states;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton_->obj) {
      if (!IsWalk(program) && !IsLoadedApart(program)) states.push_back(StateOf(program));
    }
    for (ProgramState& state : kernel_initiator_.States()) states.push_back(std::move(state));
    return states;
  }

  uint64_t malformed_records() const override { return rings_.malformed_records(); }

 private:
  Skeleton skeleton_;
  KernelInitiatorProgram kernel_initiator_;
  Rings rings_;
  ConnectionWalk walk_;
  std::vector<Link> links_;
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
