/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a socket to its state. The state is made when a connection is met, and goes when it closes.
 *
 * Everybody who reaches a watched port can open connections, and the kernel charges their state to
 * the control group of the collector. So all states together have a limit (state_limit). A
 * connection beyond it is not watched, and is counted once.
 */
#ifndef LUNSCOPE_STATE_BPF_H
#define LUNSCOPE_STATE_BPF_H

#include "watched.bpf.h"

/* The kernel allocates a power of two for each kind of state. */
#define CONNECTION_BYTES (16 << 10)
#define SPILL_BYTES (64 << 10)
#define AGGREGATES_BYTES (16 << 10)

/* Take memory from what is left. Returns 0 if there is not enough. */
static __always_inline int take_memory(__u64 bytes) {
  if (state_bytes + bytes > state_limit) return 0; /* no write that all CPUs would wait for */
  if (__sync_fetch_and_add(&state_bytes, bytes) + bytes <= state_limit) return 1;
  __sync_fetch_and_add(&state_bytes, -bytes);
  return 0;
}

static __always_inline void give_memory(__u64 bytes) { __sync_fetch_and_add(&state_bytes, -bytes); }

static __always_inline void fill_addresses(struct lunscope_connection_record* record,
                                           const struct sock* sk) {
  record->local_port = sk->__sk_common.skc_num;
  record->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
  record->is_ipv6 = sk->__sk_common.skc_family == AF_INET6;
  if (record->is_ipv6) {
    bpf_core_read(record->local_address, 16, &sk->__sk_common.skc_v6_rcv_saddr);
    bpf_core_read(record->remote_address, 16, &sk->__sk_common.skc_v6_daddr);
  } else {
    bpf_core_read(record->local_address, 4, &sk->__sk_common.skc_rcv_saddr);
    bpf_core_read(record->remote_address, 4, &sk->__sk_common.skc_daddr);
  }
}

/* Count a connection that has no state, once. It is met again when memory is given back. */
static __always_inline void count_untracked(struct sock* sk) {
  if (bpf_sk_storage_get(&untracked, sk, 0, 0)) return;
  bpf_sk_storage_get(&untracked, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  struct lunscope_totals* totals = this_cpu_totals(HOOK_CONNECTION);
  if (totals) __sync_fetch_and_add(&totals->untracked_connections, 1); /* by any program */
}

/* Fill in what stays the same while the connection is open. */
static __always_inline void begin_state(struct lunscope_connection* connection,
                                        const struct sock* sk) {
  struct lunscope_connection_record* record = &connection->record;
  record->header.kind = LUNSCOPE_RECORD_CONNECTION;
  record->header.bytes = sizeof(*record);
  record->header.connection = __sync_fetch_and_add(&connections_met, 1) + 1;
  record->header.role = role_by_port(sk);
  record->network_namespace = sk->__sk_common.skc_net.net->ns.inum;
  fill_addresses(record, sk);
  connection->inflight.limit = inflight_limit;
  connection->checks_header_digest = check_header_digests;
  connection->skips_phases = !measures_phases;
  connection->streams[LUNSCOPE_RECEIVED].shows_headers = emit_headers;
  connection->streams[LUNSCOPE_SENT].shows_headers = emit_headers;
  record->header.abi = LUNSCOPE_ABI;
}

/* Make the state of a connection. Returns NULL if there is no memory for it (counted), or if
 * another CPU is making it. */
static __noinline struct lunscope_connection* meet_connection(struct sock* sk) {
  struct lunscope_connection* connection = NULL;
  if (take_memory(CONNECTION_BYTES)) {
    connection = bpf_sk_storage_get(&connections, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (connection && !__sync_lock_test_and_set(&connection->is_met, 1)) {
      begin_state(connection, sk);
      return connection;
    }
    give_memory(CONNECTION_BYTES);
  }
  if (!connection) count_untracked(sk);
  return NULL;
}

/* The state of a watched socket, made on first use. Returns NULL if the connection has closed, has
 * no state, or if another CPU is making it. */
static __always_inline struct lunscope_connection* connection_of(struct sock* sk) {
  if (last_step < LUNSCOPE_STEP_STORAGE) return NULL;
  struct lunscope_connection* connection = bpf_sk_storage_get(&connections, sk, 0, 0);
  if (!connection) return meet_connection(sk);
  const struct lunscope_record* header = &connection->record.header;
  if (header->abi == 0 || (header->flags & LUNSCOPE_FLAG_CLOSED)) connection = NULL;
  /* Without this clang compares the flag again instead, and older verifiers do not see a NULL. */
  LUNSCOPE_BOUND(connection);
  return connection;
}

/* The spill of a connection, or NULL if none is in use. */
static __always_inline struct lunscope_spill* spill_in_use(
    struct sock* sk, const struct lunscope_connection* connection) {
  return connection->inflight.spilled != 0 ? bpf_sk_storage_get(&spills, sk, 0, 0) : NULL;
}

/* The spill of a connection that needs one, or NULL if there is no memory for it. */
static __always_inline struct lunscope_spill* make_spill(struct sock* sk) {
  struct lunscope_spill* spill = bpf_sk_storage_get(&spills, sk, 0, 0);
  if (spill || !take_memory(SPILL_BYTES)) return spill;
  spill = bpf_sk_storage_get(&spills, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!spill) give_memory(SPILL_BYTES);
  return spill;
}

static __always_inline struct lunscope_aggregates_record* aggregates_in_use(struct sock* sk) {
  return aggregates_commands ? bpf_sk_storage_get(&aggregates, sk, 0, 0) : NULL;
}

/*
 * The table of commands that are added up. Returns NULL if aggregation is off, if no command has
 * begun, or if there is no memory for it; the caller then emits a record per command.
 */
static __always_inline struct lunscope_aggregates_record* aggregates_of(
    struct sock* sk, struct lunscope_connection* connection) {
  struct lunscope_aggregates_record* table = aggregates_in_use(sk);
  if (!aggregates_commands) return NULL;
  if (table || connection->inflight.begun == 0 || !take_memory(AGGREGATES_BYTES)) return table;
  table = bpf_sk_storage_get(&aggregates, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!table || __sync_lock_test_and_set(&connection->has_aggregates, 1))
    give_memory(AGGREGATES_BYTES);
  return table;
}

/* The connection is over: give back all of its memory. */
static __always_inline void forget_connection(struct sock* sk,
                                              struct lunscope_connection* connection) {
  __u64 bytes = __sync_lock_test_and_set(&connection->is_met, 0) ? CONNECTION_BYTES : 0;
  if (__sync_lock_test_and_set(&connection->has_aggregates, 0)) bytes += AGGREGATES_BYTES;
  if (!bpf_sk_storage_delete(&spills, sk)) bytes += SPILL_BYTES;
  if (aggregates_commands) bpf_sk_storage_delete(&aggregates, sk);
  bpf_sk_storage_delete(&connections, sk);
  give_memory(bytes);
}

#endif
