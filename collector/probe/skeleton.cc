// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/skeleton.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <string>

#include "collector/base/printable.h"
#include "collector/probe/kernel_symbols.h"
#include "collector/probe/page_map.h"
#include "collector/probe/rings.h"

namespace lunscope {
namespace {

constexpr size_t kVerifierLogBytes = 4096;

// libbpf's last warning says more than its error number; it is kept for the message of an Error.
thread_local std::string last_warning;
// The verifier says "permission denied" as well, of a program that the kernel does not take.
thread_local bool verifier_refused = false;

int KeepWarning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char line[512];
  vsnprintf(line, sizeof(line), format, arguments);
  last_warning = line;
  while (!last_warning.empty() && last_warning.back() == '\n') last_warning.pop_back();
  return 0;
}

void ApplyOptions(const ProbeOptions& options, lunscope_bpf* skeleton) {
  auto* knobs = skeleton->rodata;
  for (uint16_t port : options.ports) knobs->target_ports[port >> 6] |= uint64_t{1} << (port & 63);
  if (!options.ports.empty() && options.ports.size() <= std::size(knobs->few_ports)) {
    knobs->has_few_ports = 1;
    std::ranges::fill(knobs->few_ports, options.ports.back());
    std::ranges::copy(options.ports, knobs->few_ports);
  }
  knobs->watch_initiators = options.watch_initiators;
  knobs->watch_targets = options.watch_targets;
  knobs->inflight_limit = options.inflight_limit;
  knobs->emit_headers = options.emit_headers;
  knobs->aggregates_commands = options.aggregates_commands;
  knobs->slow_command_ns = options.slow_command_ns;
  knobs->check_header_digests = options.check_header_digests;
  knobs->last_step = static_cast<uint8_t>(options.last_step);
  knobs->ring_mask = RingCount(skeleton->maps.rings) - 1;
  knobs->ring_high_water = options.ring_bytes / 4;
}

// Some kernels' policy refuses every iterator over the elements of a map with EPERM, whatever the
// program does; nothing but a load tells.
bool MayIterateMaps() {
  const int type = libbpf_find_vmlinux_btf_id("bpf_sk_storage_map", BPF_TRACE_ITER);
  if (type <= 0) return true;  // The real program's own load says what is wrong.
  const bpf_insn instructions[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K},  // r0 = 0
                                   {.code = BPF_JMP | BPF_EXIT}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_ITER,
              .attach_btf_id = static_cast<uint32_t>(type));
  const int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "lunscope_trial", "GPL", instructions,
                               std::size(instructions), &options);
  if (fd >= 0) close(fd);
  return fd >= 0 || (errno != EPERM && errno != EACCES);
}

Result<Skeleton> TryToLoad(const ProbeOptions& options, bool walks_skbs) {
  Skeleton skeleton(lunscope_bpf__open());
  if (!skeleton) return KernelError("opening the programs", errno);
  ApplyOptions(options, skeleton.get());
  skeleton->rodata->walks_skbs = walks_skbs;
  if (walks_skbs && !KnowPages(skeleton.get()))
    return Error{ExitCode::kUnsupported,
                 "a kernel below 6.12 has to be of x86-64 and to tell where it maps its memory "
                 "(/proc/kcore, or page_offset_base and vmemmap_base in /proc/kallsyms)"};
  const bool walks_map = MayIterateMaps();
  bpf_program__set_autoload(skeleton->progs.connection_walk, walks_map);
  bpf_program__set_autoload(skeleton->progs.socket_walk, !walks_map);
  // libbpf would ask for 16 MiB of it, and the verifier take many times as long to write that.
  std::array<char, kVerifierLogBytes> log{};
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) {
    bpf_program__set_log_buf(program, log.data(), log.size());
    if (IsLoadedApart(program)) bpf_program__set_autoload(program, false);
  }
  const int error = lunscope_bpf__load(skeleton.get());
  verifier_refused = log.front() != '\0';
  if (error != 0) return KernelError("loading the programs", -error);
  return skeleton;
}

}  // namespace

void SetUpLibbpf() {
  libbpf_set_print(&KeepWarning);
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
}

std::string KernelReason(int error) {
  return fmt::format("{} ({})", std::strerror(error), Printable(last_warning));
}

Error KernelError(const char* attempted, int error) {
  const bool is_permission = error == EPERM || (error == EACCES && !verifier_refused);
  return {is_permission ? ExitCode::kPermission : ExitCode::kUnsupported,
          fmt::format("{}: {}{}", attempted, KernelReason(error), kCheckHint)};
}

Link AttachProgram(const lunscope_bpf& skeleton, const bpf_program* program) {
  if (program != skeleton.progs.connection_walk) return Link(bpf_program__attach(program));
  bpf_iter_link_info info{};
  info.map.map_fd = static_cast<uint32_t>(bpf_map__fd(skeleton.maps.connections));
  LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info, .link_info_len = sizeof(info));
  return Link(bpf_program__attach_iter(program, &options));
}

bool KnowPages(lunscope_bpf* skeleton) {
  if (skeleton->bss->vmemmap_base != 0) return true;
  if (const auto map = ReadPageMap()) {
    skeleton->bss->page_offset_base = map->page_offset_base;
    skeleton->bss->vmemmap_base = map->vmemmap_base;
    return true;
  }
  const auto page_offset_base = FindKernelSymbol("page_offset_base");
  const auto vmemmap_base = FindKernelSymbol("vmemmap_base");
  if (!page_offset_base || !vmemmap_base) return false;
  skeleton->bss->page_offset_base_address = *page_offset_base;
  skeleton->bss->vmemmap_base_address = *vmemmap_base;
  return true;
}

bool IsWalk(const bpf_program* program) {
  return bpf_program__expected_attach_type(program) == BPF_TRACE_ITER;
}

bool IsLoadedApart(const bpf_program* program) {
  const std::string_view name = bpf_program__name(program);
  return name == "kernel_consumption" || name == "out_of_order";
}

ProgramState StateOf(const bpf_program* program) {
  bpf_prog_info info{};
  uint32_t bytes = sizeof(info);
  const bool attached = bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &bytes) == 0;
  return {bpf_program__name(program), attached,           info.recursion_misses, info.run_cnt,
          info.run_time_ns,           info.verified_insns};
}

Result<Skeleton> LoadSkeleton(const ProbeOptions& options) {
  // No version tells whether a kernel lends the programs its reader of skbs: try, then walk.
  Result<Skeleton> skeleton = TryToLoad(options, false);
  if (skeleton.ok()) return skeleton;
  Result<Skeleton> walking = TryToLoad(options, true);
  if (walking.ok()) return walking;
  return Error{skeleton.error().code,
               fmt::format("{}; {}", skeleton.error().message, walking.error().message)};
}

}  // namespace lunscope
