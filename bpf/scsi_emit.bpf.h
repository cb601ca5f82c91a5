/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records of the SCSI layers into the ring. Each failure is a counter with a name. */
#ifndef LUNSCOPE_SCSI_EMIT_BPF_H
#define LUNSCOPE_SCSI_EMIT_BPF_H

#include <lunscope/records.h>

#include "ring.bpf.h"
#include "scsi_maps.bpf.h"

static __always_inline struct lunscope_scsi_totals* this_cpu_totals(void) {
  __u32 zero = 0;
  return bpf_map_lookup_elem(&scsi_totals, &zero);
}

/* Returns NULL if the ring has no room; that is counted. bytes: a constant. */
static __always_inline void* reserve_record(void* ring, __u32 bytes,
                                            struct lunscope_scsi_totals* totals, __u32* loss) {
  void* record = NULL;
  if (ring && bytes == sizeof(struct lunscope_nexus_record))
    record = bpf_ringbuf_reserve(ring, sizeof(struct lunscope_nexus_record), 0);
  else if (ring)
    record = bpf_ringbuf_reserve(ring, sizeof(struct lunscope_scsi_command_record), 0);
  if (record) return record;
  *loss = loss_of(ring, bytes);
  if (*loss == LUNSCOPE_LOSS_FULL) {
    totals->records_lost[LUNSCOPE_LOSS_FULL]++;
  } else {
    totals->records_lost[LUNSCOPE_LOSS_BUSY]++;
  }
  return NULL;
}

static __always_inline void fill_scsi_header(struct lunscope_record* header, __u64 nexus, __u8 kind,
                                             __u8 role, __u32 bytes) {
  header->connection = nexus;
  header->time_ns = bpf_ktime_get_ns();
  header->bytes = bytes;
  header->abi = LUNSCOPE_ABI;
  header->kind = kind;
  header->role = role;
}

#endif
