/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Knobs, which user space sets before it loads the programs, and every map but the rings
 * (ring.bpf.h). */
#ifndef LUNSCOPE_MAPS_BPF_H
#define LUNSCOPE_MAPS_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <lunscope/aggregate.h>
#include <lunscope/connection.h>

/* The TCP ports of targets, if there are few. They share a cache line with the knobs behind them,
 * because every packet of the host is compared. Unused places repeat a port. */
#define FEW_PORTS 4
const volatile __u16 few_ports[FEW_PORTS] __attribute__((aligned(LUNSCOPE_CACHE_LINE)));
const volatile __u8 has_few_ports = 0;
/* Which role of the host is watched: as initiator, as target. */
const volatile __u8 watch_initiators = 1;
const volatile __u8 watch_targets = 1;
/* A bit for each port, used if there are more than FEW_PORTS. */
const volatile __u64 target_ports[65536 / 64];
/* Commands in flight that one connection may have tracked. */
const volatile __u32 inflight_limit = LUNSCOPE_TRACKED_COMMANDS;
/* 1: emit a record of the header of each PDU. */
const volatile __u8 emit_headers = 0;
/* 1: a walk shows each command in flight, up to LUNSCOPE_SHOWN_COMMANDS of a connection. */
const volatile __u8 shows_open = 0;
/* 1: compute the CRC of headers that have a digest. */
const volatile __u8 check_header_digests = 1;
/* 1: commands have phases (lunscope/phases.h). */
const volatile __u8 measures_phases = 1;
/* 1: add completed commands up in the kernel. Failures, and commands that take this long, still
 * have records. */
const volatile __u8 aggregates_commands = 0;
const volatile __u64 slow_command_ns = ~0ull;
/* Bytes that the states of all connections may take together (state.bpf.h). */
const volatile __u64 state_limit = ~0ull;
/* For benchmarks: enum lunscope_step. */
const volatile __u8 last_step = LUNSCOPE_STEP_EMIT;
/* How the bytes of an skb are read: 0: by bpf_dynptr_from_skb(); 1: piece by piece. */
const volatile __u8 walks_skbs = 0;

/* The program that heals a hole in sent bytes, if `heals` is set. */
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(__u32));
} healing SEC(".maps");

/* State that is freed with its socket. */
struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct lunscope_connection);
} connections SEC(".maps");

/* The second table of the few connections that have more commands in flight than their own table
 * holds. */
struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct lunscope_spill);
} spills SEC(".maps");

/* Completed commands that are added up instead of having records. */
struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct lunscope_aggregates_record);
} aggregates SEC(".maps");

/* The connections that have no state, because there was no memory for it: each is counted once. */
struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, __u8);
} untracked SEC(".maps");

/* Scratch memory for what a walk writes of a connection; one walk runs at a time. */
union listing {
  struct lunscope_inflight_record list;
  struct lunscope_command_record shown[LUNSCOPE_SHOWN_COMMANDS];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, union listing);
} listings SEC(".maps");

/* Which hook counts. The lowest bit is the direction of the bytes that it sees. */
enum hook {
  HOOK_ARRIVAL = LUNSCOPE_RECEIVED,
  HOOK_TRANSMIT = LUNSCOPE_SENT,
  HOOK_CONSUMPTION = 2 + LUNSCOPE_RECEIVED,
  HOOK_KERNEL_CONSUMPTION = 4 + LUNSCOPE_RECEIVED,
  HOOK_OUT_OF_ORDER = 6 + LUNSCOPE_RECEIVED,
  HOOK_CONNECTION = 7,
  HOOK_RETRANSMIT = 8,
  HOOKS,
};

static __always_inline __u32 direction_at(__u32 hook) { return hook & 1; }

/*
 * A copy for each program. A program may interrupt another one on its CPU between a read and a
 * write of a count, so it has counts of its own. The kernel lets no program interrupt itself.
 */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, HOOKS);
  __type(key, __u32);
  __type(value, struct lunscope_totals);
} totals SEC(".maps");

/* 0, which the verifier does not know. A loop that begins with a known value is followed once for
 * that value, and once more for all others. */
__u32 unknown_zero = 0;

/* Connections are numbered as they are met: the verifier does not take the socket of every hook for
 * bpf_get_socket_cookie(). */
__u64 connections_met = 0;

/* Bytes that the states of all connections take. */
__u64 state_bytes = 0;

/* Two variables of the kernel (compat.bpf.h): their values, or else their addresses. User space
 * sets them before it loads a program that walks skbs. */
__u64 page_offset_base = 0;
__u64 vmemmap_base = 0;
__u64 page_offset_base_address = 0;
__u64 vmemmap_base_address = 0;

/* 1: sent bytes that were missed are read from TCP's retransmit queue. User space sets it when the
 * map `healing` has its program. */
__u8 heals = 0;

static __always_inline struct lunscope_totals* this_cpu_totals(__u32 hook) {
  return bpf_map_lookup_elem(&totals, &hook);
}

#endif
