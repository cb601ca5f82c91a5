/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The life of a command in either SCSI layer: it begins, it ends, and it is counted. */
#ifndef LUNSCOPE_SCSI_COMMAND_BPF_H
#define LUNSCOPE_SCSI_COMMAND_BPF_H

#include <lunscope/scsi.h>

#include "scsi_emit.bpf.h"

/* A layer's knowledge of a command that ends. */
struct ended_command {
  const void* cdb;
  const void* sense; /* of 96 bytes; NULL if there is no sense */
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

/* Number a new nexus. The caller announces it. */
static __always_inline __u64 new_nexus(const struct nexus_key* key, __u8 role) {
  __u64 layer = role == LUNSCOPE_ROLE_TARGET ? LUNSCOPE_NEXUS_TARGET_BIT : 0;
  __u64 nexus = LUNSCOPE_NEXUS_BIT | layer | (__sync_fetch_and_add(&nexuses_met, 1) + 1);
  bpf_map_update_elem(&scsi_nexuses, key, &nexus, BPF_ANY);
  return nexus;
}

/* Reserve the record that describes a nexus, for the caller to fill. Returns NULL if the ring has
 * no room; the next command of the nexus then tries again. */
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

static __always_inline void begin_scsi_command(__u64 address,
                                               const struct lunscope_scsi_command* command,
                                               struct lunscope_scsi_totals* totals) {
  __u32 role = command->role & LUNSCOPE_ROLE_MASK;
  totals->commands_seen[role]++;
  struct lunscope_scsi_command* before = bpf_map_lookup_elem(&scsi_commands, &address);
  if (before) {
    /* The kernel uses this memory again: the earlier command ended where there is no hook. */
    if (before->timed_out_ns) {
      totals->commands_unreported[role][LUNSCOPE_SCSI_UNREPORTED_TIMED_OUT]++;
    } else {
      totals->commands_unreported[role][LUNSCOPE_SCSI_UNREPORTED_NOT_ENDED]++;
    }
    *before = *command;
  } else if (bpf_map_update_elem(&scsi_commands, &address, command, BPF_ANY)) {
    totals->commands_unreported[role][LUNSCOPE_SCSI_UNREPORTED_TABLE_FULL]++;
  }
}

static __always_inline __u32 sense_bytes_of(const __u8* sense) {
  __u32 bytes = sense[0] == 0 ? 0 : 8 + sense[7]; /* additional sense length: SPC-5 4.4 */
  return bytes < LUNSCOPE_SENSE_BYTES ? bytes : LUNSCOPE_SENSE_BYTES;
}

/* Fill in the facts that both layers have of a command and of its end. REQUIRES: the record is
 * zeroed. */
static __always_inline void fill_scsi_command(struct lunscope_scsi_command_record* record,
                                              const struct lunscope_scsi_command* command,
                                              const struct ended_command* ended) {
  struct lunscope_command_record* filled = &record->sensed.command;
  fill_scsi_header(&filled->header, command->nexus, LUNSCOPE_RECORD_SCSI_COMMAND, command->role,
                   sizeof(*record));
  filled->lun = command->lun;
  filled->duration_ns = filled->header.time_ns - command->start_ns;
  filled->expected_bytes = command->expected_bytes;
  if (ended->direction & ISCSI_COMMAND_READ) {
    filled->read_bytes = ended->transferred_bytes;
  } else {
    filled->written_bytes = ended->transferred_bytes;
  }
  filled->residual_bytes = ended->residual_bytes;
  filled->command_flags = ended->direction;
  filled->response_flags = ended->residual_bytes ? ISCSI_RESIDUAL_UNDERFLOW : 0;
  filled->status = ended->status;
  __u32 cdb_bytes = ended->cdb_bytes < ISCSI_CDB_BYTES ? ended->cdb_bytes : ISCSI_CDB_BYTES;
  LUNSCOPE_BOUND(cdb_bytes);
  if (cdb_bytes > 0 && cdb_bytes <= ISCSI_CDB_BYTES)
    bpf_probe_read_kernel(filled->cdb, cdb_bytes, ended->cdb);
  if (ended->status == SCSI_STATUS_CHECK_CONDITION && ended->sense) {
    bpf_probe_read_kernel(record->sensed.sense, sizeof(record->sensed.sense), ended->sense);
    filled->sense_bytes = sense_bytes_of(record->sensed.sense);
  }
  record->host_status = ended->host_status;
  record->retries = command->retries;
  record->is_timeout = ended->is_timeout;
}

/* Returns 0, or 1 more than the enum lunscope_loss of the record. */
static __always_inline __u32 emit_scsi_command(const struct lunscope_scsi_command* command,
                                               const struct ended_command* ended,
                                               struct lunscope_scsi_totals* totals) {
  __u32 number = ring_number(command->nexus);
  void* ring = bpf_map_lookup_elem(&rings, &number);
  __u32 loss = 0;
  struct lunscope_scsi_command_record* record =
      reserve_record(ring, sizeof(struct lunscope_scsi_command_record), totals, &loss);
  if (!record) return loss + 1;
  __builtin_memset(record, 0, sizeof(*record)); /* the ring holds bytes of older records */
  fill_scsi_command(record, command, ended);
  bpf_ringbuf_submit(record, ring_wakeup_flags(number, ring));
  totals->records++;
  return 0;
}

/* The command at this address has ended: move it from the table into a record. */
static __always_inline int end_scsi_command(__u64 address, __u32 role,
                                            const struct ended_command* ended) {
  struct lunscope_scsi_totals* totals = this_cpu_totals();
  if (!totals) return 0;
  struct lunscope_scsi_command* found = bpf_map_lookup_elem(&scsi_commands, &address);
  if (!found) {
    totals->unmatched_completions[role]++;
    return 0;
  }
  struct lunscope_scsi_command command = *found; /* another command may take the place at once */
  bpf_map_delete_elem(&scsi_commands, &address);
  switch (emit_scsi_command(&command, ended, totals)) {
    case 0: totals->commands_reported[role]++; break;
    case LUNSCOPE_LOSS_FULL + 1:
      totals->commands_unreported[role][LUNSCOPE_SCSI_UNREPORTED_RING_FULL]++;
      break;
    default: totals->commands_unreported[role][LUNSCOPE_SCSI_UNREPORTED_RING_BUSY]++;
  }
  return 0;
}

#endif
