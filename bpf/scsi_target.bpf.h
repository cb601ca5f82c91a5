/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * LIO: a fabric hands a CDB to the target core, which answers with a status. Between the two lie
 * the transfer of the data and the work of the backend. An aborted command ends without a hook.
 */
#ifndef LUNSCOPE_SCSI_TARGET_BPF_H
#define LUNSCOPE_SCSI_TARGET_BPF_H

#include "scsi_command.bpf.h"

static __always_inline void announce_target(const struct nexus_key* key, __u64 nexus,
                                            struct se_cmd* cmd,
                                            struct lunscope_scsi_totals* totals) {
  __u32 number = ring_number(nexus);
  void* ring = bpf_map_lookup_elem(&rings, &number);
  struct lunscope_nexus_record* record =
      reserve_nexus(key, nexus, LUNSCOPE_ROLE_TARGET, ring, totals);
  if (!record) return;
  struct se_session* session = cmd->se_sess;
  bpf_probe_read_kernel_str(record->transport, sizeof(record->transport), cmd->se_tfo->fabric_name);
  bpf_probe_read_kernel_str(record->target, sizeof(record->target),
                            session->se_tpg->se_tpg_wwn->wwn_group.cg_item.ci_name);
  bpf_probe_read_kernel_str(record->initiator, sizeof(record->initiator),
                            &session->se_node_acl->initiatorname);
  bpf_ringbuf_submit(record, ring_wakeup_flags(number, ring));
  totals->records++;
}

static __always_inline int on_sequencer_start(struct se_cmd* cmd) {
  struct lunscope_scsi_totals* totals = this_cpu_totals();
  if (!totals) return 0;
  struct se_node_acl* acl = cmd->se_sess->se_node_acl;
  struct nexus_key key = {.owner = (__u64)acl, .lun = cmd->orig_fe_lun, .instance = acl->acl_index};
  __u64* known = bpf_map_lookup_elem(&scsi_nexuses, &key);
  __u64 nexus = known ? *known : new_nexus(&key, LUNSCOPE_ROLE_TARGET);
  if (!known) announce_target(&key, nexus, cmd, totals);
  struct lunscope_scsi_command command = {
      .nexus = nexus,
      .lun = scsi_wire_lun(key.lun),
      .expected_bytes = cmd->data_length,
      .role = LUNSCOPE_ROLE_TARGET,
  };
  command.start_ns = bpf_ktime_get_ns();
  begin_scsi_command((__u64)cmd, &command, totals);
  return 0;
}

static __always_inline int on_complete(struct se_cmd* cmd) {
  struct ended_command ended = {};
  ended.cdb = cmd->t_task_cdb;
  ended.cdb_bytes = ISCSI_CDB_BYTES;
  ended.sense = cmd->sense_buffer;
  ended.status = cmd->scsi_status;
  ended.transferred_bytes = ended.status == SCSI_STATUS_GOOD ? cmd->data_length : 0;
  ended.residual_bytes = cmd->residual_count;
  ended.direction = direction_of(cmd->data_direction);
  return end_scsi_command((__u64)cmd, LUNSCOPE_ROLE_TARGET, &ended);
}

#endif
