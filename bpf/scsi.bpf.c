/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Table of contents of the SCSI layers: every program, its hook, and the handler that it calls. The
 * tracepoints lie in scsi_mod and target_core_mod, modules that may be loaded after the collector
 * started, or never. The collector attaches the programs of a layer when its module is there.
 */
#include "scsi_kernel.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "compat.bpf.h"
#include "scsi_midlayer.bpf.h"
#include "scsi_target.bpf.h"

SEC("?tp_btf/scsi_dispatch_cmd_start")
int BPF_PROG(scsi_dispatch, struct scsi_cmnd* cmd) { return IF_NOT_NULL(cmd, on_dispatch(cmd)); }

SEC("?tp_btf/scsi_dispatch_cmd_done")
int BPF_PROG(scsi_done, struct scsi_cmnd* cmd) { return IF_NOT_NULL(cmd, on_done(cmd)); }

SEC("?tp_btf/scsi_dispatch_cmd_error")
int BPF_PROG(scsi_refusal, struct scsi_cmnd* cmd, int answer) {
  return IF_NOT_NULL(cmd, on_refusal(cmd, answer));
}

SEC("?tp_btf/scsi_dispatch_cmd_timeout")
int BPF_PROG(scsi_timeout, struct scsi_cmnd* cmd) { return IF_NOT_NULL(cmd, on_timeout(cmd)); }

SEC("?tp_btf/target_sequencer_start")
int BPF_PROG(target_start, struct se_cmd* cmd) { return IF_NOT_NULL(cmd, on_sequencer_start(cmd)); }

SEC("?tp_btf/target_cmd_complete")
int BPF_PROG(target_complete, struct se_cmd* cmd) { return IF_NOT_NULL(cmd, on_complete(cmd)); }

char program_license[] SEC("license") = "Dual BSD/GPL";
