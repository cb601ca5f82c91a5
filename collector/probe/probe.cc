// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "collector/probe/preflight.h"
#include "collector/probe/record.h"
#include "lunscope.skel.h"

namespace lunscope {
namespace {

struct SkeletonDeleter {
  void operator()(lunscope_bpf* skeleton) const { lunscope_bpf__destroy(skeleton); }
};
struct RingDeleter {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};
struct LinkDeleter {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Skeleton = std::unique_ptr<lunscope_bpf, SkeletonDeleter>;
using Ring = std::unique_ptr<ring_buffer, RingDeleter>;
using Link = std::unique_ptr<bpf_link, LinkDeleter>;

// libbpf's last warning says more than its error number; it is kept for the message of an Error.
thread_local std::string last_warning;

int KeepWarning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char line[512];
  vsnprintf(line, sizeof(line), format, arguments);
  if (std::strstr(line, "BEGIN PROG LOAD LOG") != nullptr) return 0;
  last_warning = line;
  while (!last_warning.empty() && last_warning.back() == '\n') last_warning.pop_back();
  return 0;
}

Error KernelError(const char* attempted, int error) {
  const bool is_permission = error == EPERM || error == EACCES;
  return {is_permission ? ExitCode::kPermission : ExitCode::kUnsupported,
          fmt::format("{}: {} ({}); 'lunscope check' tells what is missing", attempted,
                      std::strerror(error), last_warning)};
}

void ApplyOptions(const ProbeOptions& options, lunscope_bpf* skeleton) {
  auto* knobs = skeleton->rodata;
  for (uint16_t port : options.ports) knobs->target_ports[port >> 6] |= uint64_t{1} << (port & 63);
  knobs->watch_initiators = options.watch_initiators;
  knobs->watch_targets = options.watch_targets;
  knobs->inflight_limit = options.inflight_limit;
  knobs->ring_high_water = options.ring_bytes / 4;
  bpf_map__set_max_entries(skeleton->maps.events, options.ring_bytes);
}

// A program, its counterpart of the kernel's walk over one map.
Link AttachWalk(const bpf_program* program, const bpf_map* map) {
  bpf_iter_link_info info{};
  info.map.map_fd = static_cast<uint32_t>(bpf_map__fd(map));
  LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info, .link_info_len = sizeof(info));
  return Link(bpf_program__attach_iter(program, &options));
}

class KernelProbe : public Probe {
 public:
  explicit KernelProbe(Skeleton skeleton) : skeleton_(std::move(skeleton)) {}

  Status Start() {
    ring_.reset(ring_buffer__new(bpf_map__fd(skeleton_->maps.events), &KernelProbe::OnRecord, this,
                                 nullptr));
    if (!ring_) return KernelError("mapping the ring buffer", errno);
    connection_walk_ = AttachWalk(skeleton_->progs.connection_report, skeleton_->maps.connections);
    inflight_walk_ = AttachWalk(skeleton_->progs.inflight_report, skeleton_->maps.inflights);
    if (!connection_walk_ || !inflight_walk_) return KernelError("attaching a map walk", errno);
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton_->obj) {
      if (IsWalk(program)) continue;
      Link link(bpf_program__attach(program));
      if (!link) return KernelError(bpf_program__section_name(program), errno);
      links_.push_back(std::move(link));
    }
    return Nothing{};
  }

  int wakeup_fd() const override { return ring_buffer__epoll_fd(ring_.get()); }

  size_t Drain(const Handler& handler) override {
    handler_ = &handler;
    const int records = ring_buffer__consume(ring_.get());
    handler_ = nullptr;
    return records > 0 ? static_cast<size_t>(records) : 0;
  }

  Status Report(const Handler& handler) override {
    for (const Link* walk : {&connection_walk_, &inflight_walk_}) {
      Status status = Walk(walk->get(), handler);
      if (!status.ok()) return status;
    }
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
      if (IsWalk(program)) continue;
      bpf_prog_info info{};
      uint32_t bytes = sizeof(info);
      const bool attached = bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &bytes) == 0;
      reports.push_back({bpf_program__name(program), attached, info.recursion_misses, info.run_cnt,
                         info.run_time_ns, info.verified_insns});
    }
    return reports;
  }

  uint64_t malformed_records() const override { return malformed_records_; }

 private:
  static bool IsWalk(const bpf_program* program) {
    return bpf_program__expected_attach_type(program) == BPF_TRACE_ITER;
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

  Status Walk(bpf_link* walk, const Handler& handler) {
    const int fd = bpf_iter_create(bpf_link__fd(walk));
    if (fd < 0) return KernelError("walking a map", errno);
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
    if (got < 0) return KernelError("reading a map walk", error);
    return Nothing{};
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
  Ring ring_;
  Link connection_walk_;
  Link inflight_walk_;
  std::vector<Link> links_;
  const Handler* handler_ = nullptr;
  uint64_t malformed_records_ = 0;
  std::vector<char> walk_buffer_ = std::vector<char>(1 << 16);
};

}  // namespace

Result<std::unique_ptr<Probe>> Probe::Attach(const ProbeOptions& options) {
  libbpf_set_print(&KeepWarning);
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  for (const Requirement& requirement : CheckRequirements()) {
    if (!requirement.met)
      return Error{requirement.code, fmt::format("{}: {}", requirement.name, requirement.detail)};
  }
  Skeleton skeleton(lunscope_bpf__open());
  if (!skeleton) return KernelError("opening the programs", errno);
  ApplyOptions(options, skeleton.get());
  if (const int error = lunscope_bpf__load(skeleton.get()); error != 0)
    return KernelError("loading the programs", -error);
  auto probe = std::make_unique<KernelProbe>(std::move(skeleton));
  Status started = probe->Start();
  if (!started.ok()) return started.error();
  return std::unique_ptr<Probe>(std::move(probe));
}

}  // namespace lunscope
