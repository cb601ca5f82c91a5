/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps of the programs for the SCSI layers; those for iSCSI are in maps.bpf.h. */
#ifndef LUNSCOPE_SCSI_MAPS_BPF_H
#define LUNSCOPE_SCSI_MAPS_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <lunscope/layers.h>
#include <lunscope/totals.h>

/* Commands in flight by the address of the kernel's struct, which is unique among them. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16384);
  __type(key, __u64);
  __type(value, struct lunscope_scsi_command);
} scsi_commands SEC(".maps");

/*
 * The identity of a nexus. Memory that the kernel uses again has another instance, because hosts
 * and access control list entries are numbered as they are created.
 */
struct nexus_key {
  __u64 owner; /* address of the scsi_device, of the se_node_acl */
  __u64 lun;
  __u32 instance; /* host number, ACL index */
  __u32 place;    /* channel and id */
};

/* The least recently used nexus makes room. If it is met again, it gets a new number. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct nexus_key);
  __type(value, __u64);
} scsi_nexuses SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct lunscope_scsi_totals);
} scsi_totals SEC(".maps");

__u64 nexuses_met = 0;

#endif
