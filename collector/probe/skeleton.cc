// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/skeleton.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <mutex>

#include "collector/probe/kernel_error.h"
#include "collector/probe/kernel_symbols.h"
#include "collector/probe/page_map.h"
#include "collector/probe/programs.h"
#include "collector/probe/rings.h"

namespace lunscope {
namespace {

// Enough to see that the verifier has written something. libbpf would give it 16 MiB, which takes
// the verifier many times as long to fill.
constexpr size_t kVerifierLogBytes = 4096;

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
  knobs->state_limit = options.connection_memory;
  knobs->emit_headers = options.emit_headers;
  knobs->shows_open = options.shows_open;
  knobs->aggregates_commands = options.aggregates_commands;
  knobs->slow_command_ns = options.slow_command_ns;
  knobs->check_header_digests = options.check_header_digests;
  knobs->measures_phases = options.measures_phases;
  knobs->last_step = static_cast<uint8_t>(options.last_step);
  SetRingKnobs(skeleton, options.ring_bytes);
}

// Some kernels' policy refuses every iterator over the elements of a map with EPERM, whatever the
// program does. Only a load shows that, so this loads a program of two instructions.
bool MayIterateMaps() {
  const int type = libbpf_find_vmlinux_btf_id("bpf_sk_storage_map", BPF_TRACE_ITER);
  if (type <= 0) return true;  // The load of the real program will say what is wrong.
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
  Skeleton skeleton(lunscope_bpf::open());
  if (!skeleton) return KernelError("opening the programs", errno);
  LeaveOutModules(skeleton->obj);
  ApplyOptions(options, skeleton.get());
  skeleton->rodata->walks_skbs = walks_skbs;
  if (walks_skbs && !SetPageMap(skeleton.get()))
    return Error{ExitCode::kUnsupported,
                 fmt::format("a kernel below 6.12 must be of x86-64, and must show where it maps "
                             "its memory: in /proc/kcore, or as {} and {} in /proc/kallsyms",
                             kPageOffsetBase, kVmemmapBase)};
  const bool walks_map = MayIterateMaps();
  bpf_program__set_autoload(skeleton->progs.connection_walk, walks_map);
  bpf_program__set_autoload(skeleton->progs.socket_walk, !walks_map);
  std::array<char, kVerifierLogBytes> log{};
  for (bpf_program* program : SelectPrograms(skeleton->obj, IsLoaded))
    bpf_program__set_log_buf(program, log.data(), log.size());
  const int error = lunscope_bpf::load(skeleton.get());
  if (error != 0) return KernelError("loading the programs", -error, log.front() != '\0');
  return skeleton;
}

}  // namespace

bool SetPageMap(lunscope_bpf* skeleton) {
  static std::mutex one_at_a_time;  // threads that load programs apart call it, too
  const std::lock_guard lock(one_at_a_time);
  auto* known = skeleton->bss;
  if (known->vmemmap_base != 0) return true;
  if (const auto map = ReadPageMap()) {
    known->page_offset_base = map->page_offset_base;
    known->vmemmap_base = map->vmemmap_base;
    return true;
  }
  const auto page_offset_base = FindKernelSymbol(kPageOffsetBase);
  const auto vmemmap_base = FindKernelSymbol(kVmemmapBase);
  if (!page_offset_base || !vmemmap_base) return false;
  known->page_offset_base_address = *page_offset_base;
  known->vmemmap_base_address = *vmemmap_base;
  return true;
}

Result<Skeleton> LoadSkeleton(const ProbeOptions& options) {
  // No version number says whether a kernel lends its reader of packets to the programs. Try that
  // reader first, then the walk.
  Result<Skeleton> skeleton = TryToLoad(options, false);
  if (skeleton.ok()) return skeleton;
  Result<Skeleton> walking = TryToLoad(options, true);
  if (walking.ok()) return walking;
  return Error{skeleton.error().code,
               fmt::format("{}; {}", skeleton.error().message, walking.error().message)};
}

}  // namespace lunscope
