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
#include "collector/probe/record.h"
#include "collector/probe/skeleton.h"

namespace lunscope {
namespace {

struct RingsDeleter {
  void operator()(ring_buffer* rings) const { ring_buffer__free(rings); }
};
using Rings = std::unique_ptr<ring_buffer, RingsDeleter>;

class KernelProbe : public Probe {
 public:
  explicit KernelProbe(Skeleton skeleton)
      : skeleton_(std::move(skeleton)), kernel_initiator_(skeleton_.get()) {}

  ~KernelProbe() override {
    rings_.reset();
    for (const int fd : ring_fds_) close(fd);
  }
  KernelProbe(const KernelProbe&) = delete;
  KernelProbe& operator=(const KernelProbe&) = delete;

  Status Start(uint32_t ring_bytes) {
    for (uint32_t i = 0; i < RingCount(*skeleton_); i++) {
      if (!AddRing(i, ring_bytes)) return KernelError("making a ring buffer", errno);
    }
    walk_ = AttachProgram(*skeleton_, skeleton_->progs.connection_report);
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

  int wakeup_fd() const override { return ring_buffer__epoll_fd(rings_.get()); }

  size_t Drain(const Handler& handler) override {
    kernel_initiator_.Update();
    handler_ = &handler;
    const int records = ring_buffer__consume(rings_.get());
    handler_ = nullptr;
    return records > 0 ? static_cast<size_t>(records) : 0;
  }

  Status Report(const Handler& handler) override {
    const int fd = bpf_iter_create(bpf_link__fd(walk_.get()));
    if (fd < 0) return KernelError("walking the connections", errno);
    handler_ = &handler;
    // A read ends between two records or within one; what is left over waits for its rest.
    size_t have = 0;
    ssize_t got = 0;
    while ((got = read(fd, walk_buffer_.data() + have, walk_buffer_.size() - have)) > 0) {
      have += static_cast<size_t>(got);
      have = HandWhole(have);
    }
    const int error = errno;
    handler_ = nullptr;
    close(fd);
    if (got < 0) return KernelError("reading the walk over the connections", error);
    return Nothing{};
  }

  lunscope_totals Totals() const override {
    const auto cpus = static_cast<size_t>(libbpf_num_possible_cpus());
    constexpr size_t kWords = sizeof(lunscope_totals) / sizeof(uint64_t);
    std::vector<uint64_t> per_cpu(cpus * kWords);
    const uint32_t key = 0;
    lunscope_totals sum{};
    if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.totals), &key, per_cpu.data()) != 0)
      return sum;
    auto* words = reinterpret_cast<uint64_t*>(&sum);
    for (size_t i = 0; i < per_cpu.size(); i++) words[i % kWords] += per_cpu[i];
    return sum;
  }

  std::vector<ProgramReport> Programs() const override {
    std::vector<ProgramReport> reports;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton_->obj) {
      if (!IsWalk(program) && !IsLoadedApart(program)) reports.push_back(ReportOf(program));
    }
    if (kernel_initiator_.is_tried()) {
      const bpf_program* apart = kernel_initiator_.program();
      const char* name = bpf_program__name(skeleton_->progs.kernel_consumption);
      reports.push_back(apart != nullptr ? ReportOf(apart) : ProgramReport{.name = name});
    }
    return reports;
  }

  uint64_t malformed_records() const override { return malformed_records_; }

 private:
  // False: errno tells why.
  bool AddRing(uint32_t number, uint32_t bytes) {
    const int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "lunscope_ring", 0, 0, bytes, nullptr);
    if (fd < 0) return false;
    ring_fds_.push_back(fd);
    const int rings_fd = bpf_map__fd(skeleton_->maps.rings);
    if (bpf_map_update_elem(rings_fd, &number, &fd, BPF_ANY) != 0) return false;
    if (rings_) return ring_buffer__add(rings_.get(), fd, &OnRecord, this) == 0;
    rings_.reset(ring_buffer__new(fd, &OnRecord, this, nullptr));
    return rings_ != nullptr;
  }

  static ProgramReport ReportOf(const bpf_program* program) {
    bpf_prog_info info{};
    uint32_t bytes = sizeof(info);
    const bool attached = bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &bytes) == 0;
    return {bpf_program__name(program), attached,           info.recursion_misses, info.run_cnt,
            info.run_time_ns,           info.verified_insns};
  }

  static int OnRecord(void* self, void* data, size_t bytes) {
    static_cast<KernelProbe*>(self)->Hand(data, bytes);
    return 0;
  }

  void Hand(const void* data, size_t bytes) {
    const lunscope_event* event = CheckRecord(data, bytes);
    if (event == nullptr) {
      malformed_records_++;
    } else {
      (*handler_)(*event);
    }
  }

  // Hand on the whole records at the start of the walk's buffer. Returns the bytes left over.
  size_t HandWhole(size_t have) {
    size_t at = 0;
    while (have - at >= sizeof(lunscope_event)) {
      lunscope_event header;
      std::memcpy(&header, walk_buffer_.data() + at, sizeof(header));
      if (header.bytes < sizeof(header) || header.bytes > have - at) break;
      Hand(walk_buffer_.data() + at, header.bytes);
      at += header.bytes;
    }
    std::memmove(walk_buffer_.data(), walk_buffer_.data() + at, have - at);
    return have - at;
  }

  Skeleton skeleton_;
  KernelInitiatorProgram kernel_initiator_;
  std::vector<int> ring_fds_;
  Rings rings_;
  Link walk_;
  std::vector<Link> links_;
  const Handler* handler_ = nullptr;
  uint64_t malformed_records_ = 0;
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

}  // namespace lunscope
