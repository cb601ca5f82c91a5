/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fills the collector's rings as fast as it can, with records from a map: reserve, fill, submit, as
 * the hooks do. Run by BPF_PROG_TEST_RUN.
 */
#include "../../bpf/kernel.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../../bpf/ring.bpf.h"
#include "producer.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct producer);
} producers SEC(".maps");

/* bpf_loop() calls this: 1 ends the loop. */
static long put_record(__u64 i, struct producer** producer) {
  struct producer* from = *producer;
  const struct lunscope_command_record* source =
      &from->records[(from->next + i) & (PRODUCER_RECORDS - 1)];
  __u32 number = source->header.connection & from->ring_mask & (MAX_RINGS - 1);
  void* ring = bpf_map_lookup_elem(&rings, &number);
  struct lunscope_command_record* record =
      ring ? bpf_ringbuf_reserve(ring, sizeof(*record), 0) : NULL;
  if (!record) {
    from->refused++;
    return 1;
  }
  __builtin_memcpy(record, source, sizeof(*record));
  bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
  return 0;
}

SEC("syscall")
int produce(void* context) {
  __u32 zero = 0;
  struct producer* producer = bpf_map_lookup_elem(&producers, &zero);
  if (!producer) return 1;
  bpf_loop(producer->count, put_record, &producer, 0);
  producer->next += producer->count;
  return 0;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
