/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Table of contents of the SCSI layers: every program, where it hooks in, and the handler that it
 * calls. The tracepoints are those of scsi_mod and target_core_mod, which may come later than the
 * collector or never: it loads and attaches the programs of each layer when that is there. No layer
 * calls its tracepoints with NULL, but some verifiers (Linux 6.12.y) want to see that asked.
 */
#include "scsi_kernel.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "scsi_midlayer.bpf.h"
#include "scsi_target.bpf.h"

SEC("tp_btf/scsi_dispatch_cmd_start")
int BPF_PROG(scsi_dispatch, struct scsi_cmnd* cmd) { return cmd ? on_dispatch(cmd) : 0; }

SEC("tp_btf/scsi_dispatch_cmd_done")
int BPF_PROG(scsi_done, struct scsi_cmnd* cmd) { return cmd ? on_done(cmd) : 0; }

SEC("tp_btf/scsi_dispatch_cmd_error")
int BPF_PROG(scsi_refusal, struct scsi_cmnd* cmd, int answer) {
  return cmd ? on_refusal(cmd, answer) : 0;
}

SEC("tp_btf/scsi_dispatch_cmd_timeout")
int BPF_PROG(scsi_timeout, struct scsi_cmnd* cmd) { return cmd ? on_timeout(cmd) : 0; }

SEC("tp_btf/target_sequencer_start")
int BPF_PROG(target_start, struct se_cmd* cmd) { return cmd ? on_sequencer_start(cmd) : 0; }

SEC("tp_btf/target_cmd_complete")
int BPF_PROG(target_complete, struct se_cmd* cmd) { return cmd ? on_complete(cmd) : 0; }

char program_license[] SEC("license") = "Dual BSD/GPL";
