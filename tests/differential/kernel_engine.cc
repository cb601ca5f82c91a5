// SPDX-License-Identifier: Apache-2.0
#include "tests/differential/kernel_engine.h"

#include <bpf/bpf.h>

namespace lunscope {

KernelEngine::KernelEngine(lunscope_step last_step, uint32_t ring_bytes) {
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  skeleton_ = exchange_bpf__open();
  Check(skeleton_ != nullptr, "opening the program");
  skeleton_->rodata->last_step = static_cast<uint8_t>(last_step);
  // The object has no hooks, so it needs no BTF of the kernel. The hooks are not tested here.
  Check(exchange_bpf__load(skeleton_) == 0, "loading the program: see what libbpf said");
  const int ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, ring_bytes, nullptr);
  const uint32_t zero = 0;
  Check(ring >= 0 &&
            bpf_map_update_elem(bpf_map__fd(skeleton_->maps.rings), &zero, &ring, BPF_ANY) == 0,
        "making the ring");
  rings_ = ring_buffer__new(ring, &OnRecord, this, nullptr);
  Check(rings_ != nullptr, "reading the ring");
  exchange_.Map(skeleton_->maps.exchanges);
}

KernelEngine::~KernelEngine() {
  ring_buffer__free(rings_);
  exchange_bpf__destroy(skeleton_);
}

void KernelEngine::Run(const Handler& take) {
  TestRun(skeleton_->progs.exchange);
  take_ = take;
  ring_buffer__consume(rings_);
}

uint64_t KernelEngine::run_time_ns() const {
  bpf_prog_info info = {};
  uint32_t bytes = sizeof(info);
  Check(bpf_obj_get_info_by_fd(bpf_program__fd(skeleton_->progs.exchange), &info, &bytes) == 0,
        "asking for the program's time");
  return info.run_time_ns;
}

int KernelEngine::OnRecord(void* self, void* record, size_t bytes) {
  static_cast<KernelEngine*>(self)->take_(record, bytes);
  return 0;
}

}  // namespace lunscope
