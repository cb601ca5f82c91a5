/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A command's way through either layer: taken, ended, accounted for. */
#ifndef LUNSCOPE_SCSI_TASK_BPF_H
#define LUNSCOPE_SCSI_TASK_BPF_H

#include <lunscope/scsi.h>

#include "scsi_emit.bpf.h"

/* What a layer's command has to say for its record, when it ends. */
struct ended_command {
  const void* cdb;
  const void* sense; /* of 96 bytes; NULL: none */
  __u32 cdb_bytes;
  __u32 transferred_bytes;
  __u32 residual_bytes;
  __u8 direction; /* ISCSI_COMMAND_READ, ISCSI_COMMAND_WRITE or 0 */
  __u8 status;
  __u8 host_status;
  __u8 is_timeout;
};

static __always_inline __u8 direction_of(enum dma_data_direction direction) {
  if (direction == DMA_FROM_DEVICE) return ISCSI_COMMAND_READ;
  return direction == DMA_TO_DEVICE ? ISCSI_COMMAND_WRITE : 0;
}

/* A number for a nexus that is new here. Whoever gets it has to announce it. */
static __always_inline __u64 new_nexus(const struct nexus_key* key) {
  __u64 nexus = LUNSCOPE_NEXUS_BIT | (__sync_fetch_and_add(&nexuses_met, 1) + 1);
  bpf_map_update_elem(&scsi_nexuses, key, &nexus, BPF_ANY);
  return nexus;
}

/* The record that says who a nexus is, to be filled. NULL: it is announced with its next command.
 */
static __always_inline struct lunscope_nexus_record* reserve_nexus(
    const struct nexus_key* key, __u64 nexus, __u8 role, void* ring,
    struct lunscope_scsi_totals* totals) {
  __u32 loss;
  struct lunscope_nexus_record* record = reserve_record(ring, sizeof(*record), totals, &loss);
  if (!record) {
    bpf_map_delete_elem(&scsi_nexuses, key);
    return NULL;
  }
  __builtin_memset(record, 0, sizeof(*record));
  fill_scsi_header(&record->header, nexus, LUNSCOPE_RECORD_NEXUS, role, sizeof(*record));
  record->lun = scsi_wire_lun(key->lun);
  record->device_type = LUNSCOPE_UNKNOWN_DEVICE_TYPE;
  return record;
}

static __always_inline void take_task(__u64 address, const struct lunscope_scsi_task* task,
                                      struct lunscope_scsi_totals* totals) {
  __u32 role = task->role & LUNSCOPE_ROLE_MASK;
  totals->commands_seen[role]++;
  struct lunscope_scsi_task* before = bpf_map_lookup_elem(&scsi_tasks, &address);
  if (before) {
    /* The same memory again: the command in it has ended where no hook is. */
    if (before->timed_out_ns) {
      totals->commands_unreported[role][LUNSCOPE_SCSI_UNREPORTED_TIMED_OUT]++;
    } else {
      totals->commands_unreported[role][LUNSCOPE_SCSI_UNREPORTED_NOT_ENDED]++;
    }
    *before = *task;
  } else if (bpf_map_update_elem(&scsi_tasks, &address, task, BPF_ANY)) {
    totals->commands_unreported[role][LUNSCOPE_SCSI_UNREPORTED_TABLE_FULL]++;
  }
}

static __always_inline __u32 sense_bytes_of(const __u8* sense) {
  __u32 bytes = sense[0] == 0 ? 0 : 8 + sense[7]; /* additional sense length: SPC-5 4.4 */
  return bytes < LUNSCOPE_SENSE_BYTES ? bytes : LUNSCOPE_SENSE_BYTES;
}

/* 0, or a LUNSCOPE_LOSS_ and 1. */
static __always_inline __u32 emit_scsi_command(const struct lunscope_scsi_task* task,
                                               const struct ended_command* ended,
                                               struct lunscope_scsi_totals* totals) {
  __u32 number = ring_number(task->nexus);
  void* ring = bpf_map_lookup_elem(&rings, &number);
  __u32 loss = 0;
  struct lunscope_scsi_command_record* record =
      reserve_record(ring, sizeof(struct lunscope_scsi_command_record), totals, &loss);
  if (!record) return loss + 1;
  __builtin_memset(record, 0, sizeof(*record)); /* the ring's old bytes are not ours to repeat */
  struct lunscope_command_record* command = &record->sensed.command;
  fill_scsi_header(&command->header, task->nexus, LUNSCOPE_RECORD_SCSI_COMMAND, task->role,
                   sizeof(*record));
  command->lun = task->lun;
  command->duration_ns = command->header.time_ns - task->start_ns;
  command->expected_bytes = task->expected_bytes;
  command->transferred_bytes = ended->transferred_bytes;
  command->residual_bytes = ended->residual_bytes;
  command->command_flags = ended->direction;
  command->response_flags = ended->residual_bytes ? ISCSI_RESIDUAL_UNDERFLOW : 0;
  command->status = ended->status;
  __u32 cdb_bytes = ended->cdb_bytes < ISCSI_CDB_BYTES ? ended->cdb_bytes : ISCSI_CDB_BYTES;
  LUNSCOPE_BOUND(cdb_bytes);
  if (cdb_bytes > 0 && cdb_bytes <= ISCSI_CDB_BYTES)
    bpf_probe_read_kernel(command->cdb, cdb_bytes, ended->cdb);
  if (ended->status == SCSI_STATUS_CHECK_CONDITION && ended->sense) {
    bpf_probe_read_kernel(record->sensed.sense, sizeof(record->sensed.sense), ended->sense);
    command->sense_bytes = sense_bytes_of(record->sensed.sense);
  }
  record->host_status = ended->host_status;
  record->retries = task->retries;
  record->is_timeout = ended->is_timeout;
  bpf_ringbuf_submit(record, ring_wakeup_flags(number, ring));
  totals->records++;
  return 0;
}

/* The command at this address has ended: out of the table, into a record. */
static __always_inline int end_task(__u64 address, __u32 role, const struct ended_command* ended) {
  struct lunscope_scsi_totals* totals = this_cpu_totals();
  if (!totals) return 0;
  struct lunscope_scsi_task* found = bpf_map_lookup_elem(&scsi_tasks, &address);
  if (!found) {
    totals->unmatched_completions[role]++;
    return 0;
  }
  struct lunscope_scsi_task task = *found; /* deleted, its place is another's */
  bpf_map_delete_elem(&scsi_tasks, &address);
  switch (emit_scsi_command(&task, ended, totals)) {
    case 0: totals->commands_reported[role]++; break;
    case LUNSCOPE_LOSS_FULL + 1:
      totals->commands_unreported[role][LUNSCOPE_SCSI_UNREPORTED_RING_FULL]++;
      break;
    default: totals->commands_unreported[role][LUNSCOPE_SCSI_UNREPORTED_RING_BUSY]++;
  }
  return 0;
}

#endif
