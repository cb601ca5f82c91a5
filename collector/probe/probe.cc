// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/probe.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "collector/probe/kernel_initiator.h"
#include "collector/probe/preflight.h"
#include "collector/probe/rings.h"
#include "collector/probe/skeleton.h"
#include "collector/probe/totals.h"

namespace lunscope {
namespace {

class KernelProbe : public Probe {
 public:
  explicit KernelProbe(Skeleton skeleton)
      : skeleton_(std::move(skeleton)), kernel_initiator_(skeleton_.get()) {}

  Status Start(uint32_t ring_bytes) {
    Status made = rings_.Make(skeleton_->maps.rings, ring_bytes);
    if (!made.ok()) return made;
    walk_ = AttachProgram(*skeleton_, skeleton_->progs.connection_walk);
    if (!walk_) return KernelError("attaching a map walk", errno);
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
    return rings_.Drain(handler);
  }

  Status Walk(const Handler& handler) override {
    const int fd = bpf_iter_create(bpf_link__fd(walk_.get()));
    if (fd < 0) return KernelError("walking the connections", errno);
    // A read ends between two records or within one; what is left over waits for its rest.
    size_t have = 0;
    ssize_t got = 0;
    while ((got = read(fd, walk_buffer_.data() + have, walk_buffer_.size() - have)) > 0) {
      have += static_cast<size_t>(got);
      have = HandWhole(have, handler);
    }
    const int error = errno;
    close(fd);
    if (got < 0) return KernelError("reading the walk over the connections", error);
    return Nothing{};
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
  // Hand on the whole records at the start of the walk's buffer. Returns the bytes left over.
  size_t HandWhole(size_t have, const Handler& handler) {
    size_t at = 0;
    while (have - at >= sizeof(lunscope_record)) {
      lunscope_record header;
      std::memcpy(&header, walk_buffer_.data() + at, sizeof(header));
      if (header.bytes < sizeof(header) || header.bytes > have - at) break;
      rings_.Hand(walk_buffer_.data() + at, header.bytes, handler);
      at += header.bytes;
    }
    std::memmove(walk_buffer_.data(), walk_buffer_.data() + at, have - at);
    return have - at;
  }

  Skeleton skeleton_;
  KernelInitiatorProgram kernel_initiator_;
  Rings rings_;
  Link walk_;
  std::vector<Link> links_;
  std::vector<char> walk_buffer_ = std::vector<char>(1 << 16);
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
