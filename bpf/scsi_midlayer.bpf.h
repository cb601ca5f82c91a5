/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The SCSI mid-layer dispatches a command to a low-level driver, which refuses it or completes it.
 * Every retry is another dispatch. If the timer of a command runs out, the error handler takes the
 * command, and it ends without a hook. Some drivers set a new timer, and then it completes after
 * all.
 */
#ifndef LUNSCOPE_SCSI_MIDLAYER_BPF_H
#define LUNSCOPE_SCSI_MIDLAYER_BPF_H

#include "scsi_command.bpf.h"

/* A device that is being scanned gets another number once it has identified itself. */
#define PLACE_IDENTIFIED (1u << 31)

static __always_inline void announce_device(const struct nexus_key* key, __u64 nexus,
                                            struct scsi_device* device,
                                            struct lunscope_scsi_totals* totals) {
  __u32 number = ring_number(nexus);
  void* ring = bpf_map_lookup_elem(&rings, &number);
  struct lunscope_nexus_record* record =
      reserve_nexus(key, nexus, LUNSCOPE_ROLE_INITIATOR, ring, totals);
  if (!record) return;
  record->host = device->host->host_no;
  record->channel = device->channel;
  record->id = device->id;
  const char* driver = device->host->hostt->proc_name;
  if (!driver) driver = device->host->hostt->name;
  bpf_probe_read_kernel_str(record->transport, sizeof(record->transport), driver);
  if (key->place & PLACE_IDENTIFIED) {
    record->device_type = device->type;
    bpf_probe_read_kernel(record->vendor, INQUIRY_VENDOR_BYTES, device->vendor);
    bpf_probe_read_kernel(record->model, INQUIRY_MODEL_BYTES, device->model);
  }
  bpf_ringbuf_submit(record, ring_wakeup_flags(number, ring));
  totals->records++;
}

static __always_inline __u64 nexus_of_device(struct scsi_device* device,
                                             struct lunscope_scsi_totals* totals) {
  struct nexus_key key = {.owner = (__u64)device,
                          .lun = device->lun,
                          .instance = device->host->host_no,
                          .place = (device->channel & 0x7fff) << 16 | (device->id & 0xffff)};
  if (device->inquiry) key.place |= PLACE_IDENTIFIED;
  __u64* known = bpf_map_lookup_elem(&scsi_nexuses, &key);
  if (known) return *known;
  __u64 nexus = new_nexus(&key, LUNSCOPE_ROLE_INITIATOR);
  announce_device(&key, nexus, device, totals);
  return nexus;
}

static __always_inline int on_dispatch(struct scsi_cmnd* cmd) {
  struct lunscope_scsi_totals* totals = this_cpu_totals();
  if (!totals) return 0;
  struct lunscope_scsi_command command = {
      .nexus = nexus_of_device(cmd->device, totals),
      .lun = scsi_wire_lun(cmd->device->lun),
      .expected_bytes = cmd->sdb.length,
      .role = LUNSCOPE_ROLE_INITIATOR,
      .retries = cmd->retries < 255 ? cmd->retries : 255,
  };
  command.start_ns = bpf_ktime_get_ns();
  begin_scsi_command((__u64)cmd, &command, totals);
  return 0;
}

static __always_inline void read_ended(struct scsi_cmnd* cmd, struct ended_command* ended) {
  __u32 residual = cmd->resid_len;
  __u32 length = cmd->sdb.length;
  ended->cdb = &cmd->cmnd;
  ended->cdb_bytes = cmd->cmd_len;
  ended->sense = cmd->sense_buffer;
  ended->transferred_bytes = residual < length ? length - residual : 0;
  ended->residual_bytes = residual;
  ended->direction = direction_of(cmd->sc_data_direction);
  ended->status = cmd->result & 0xff;
  ended->host_status = cmd->result >> 16 & 0xff;
}

static __always_inline int on_done(struct scsi_cmnd* cmd) {
  struct ended_command ended = {};
  read_ended(cmd, &ended);
  return end_scsi_command((__u64)cmd, LUNSCOPE_ROLE_INITIATOR, &ended);
}

/* The command goes back into the queue and is dispatched again. */
static __always_inline int on_refusal(struct scsi_cmnd* cmd, int answer) {
  struct lunscope_scsi_totals* totals = this_cpu_totals();
  __u64 address = (__u64)cmd;
  if (!totals) return 0;
  switch (answer) {
    case SCSI_MLQUEUE_HOST_BUSY: totals->refusals[LUNSCOPE_SCSI_REFUSAL_HOST]++; break;
    case SCSI_MLQUEUE_DEVICE_BUSY: totals->refusals[LUNSCOPE_SCSI_REFUSAL_DEVICE]++; break;
    case SCSI_MLQUEUE_TARGET_BUSY: totals->refusals[LUNSCOPE_SCSI_REFUSAL_TARGET]++; break;
    default: totals->refusals[LUNSCOPE_SCSI_REFUSAL_OTHER]++;
  }
  if (bpf_map_delete_elem(&scsi_commands, &address) == 0) {
    totals->commands_unreported[LUNSCOPE_ROLE_INITIATOR][LUNSCOPE_SCSI_UNREPORTED_REFUSED]++;
  }
  return 0;
}

static __always_inline int on_timeout(struct scsi_cmnd* cmd) {
  struct lunscope_scsi_totals* totals = this_cpu_totals();
  __u64 address = (__u64)cmd;
  if (!totals) return 0;
  totals->timeouts++;
  struct lunscope_scsi_command* command = bpf_map_lookup_elem(&scsi_commands, &address);
  if (!command) return 0;
  command->timed_out_ns = bpf_ktime_get_ns();
  struct ended_command ended = {.is_timeout = 1};
  ended.cdb = &cmd->cmnd;
  ended.cdb_bytes = cmd->cmd_len;
  ended.direction = direction_of(cmd->sc_data_direction);
  struct lunscope_scsi_command copy = *command;
  emit_scsi_command(&copy, &ended, totals);
  return 0;
}

#endif
