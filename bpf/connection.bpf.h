/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The life of a connection, and a walk over all of them. */
#ifndef LUNSCOPE_CONNECTION_BPF_H
#define LUNSCOPE_CONNECTION_BPF_H

#include "emit.bpf.h"
#include "state.bpf.h"

/* REQUIRES: the current process is the one that reads the socket. */
static __always_inline void fill_process(struct lunscope_connection_record* record) {
  record->process = bpf_get_current_pid_tgid() >> 32;
  record->cgroup = bpf_get_current_cgroup_id();
  bpf_get_current_comm(record->comm, sizeof(record->comm));
}

/* The first bytes of a connection that was open before: emit its first record. */
static __always_inline void announce_midstream(struct lunscope_connection* connection,
                                               struct lunscope_totals* totals) {
  if (connection->record.header.time_ns == 0)
    emit_connection(connection, LUNSCOPE_FLAG_OPENED | LUNSCOPE_FLAG_MIDSTREAM, totals);
}

static __always_inline void on_open(struct sock* sk, struct lunscope_totals* totals) {
  struct tcp_sock* tcp = bpf_skc_to_tcp_sock(sk);
  struct lunscope_connection* connection = bpf_sk_storage_get(&connections, sk, 0, 0);
  /* A closed socket can be connected again, and its close may have been missed. */
  if (connection) forget_connection(sk, connection);
  connection = connection_of(sk);
  if (!tcp || !connection) return;
  lunscope_connection_open(connection, tcp->rcv_nxt, tcp->snd_nxt);
  emit_connection(connection, LUNSCOPE_FLAG_OPENED, totals);
}

static __always_inline void on_close(struct sock* sk, struct lunscope_totals* totals) {
  struct lunscope_connection* connection = bpf_sk_storage_get(&connections, sk, 0, 0);
  if (!connection || (connection->record.header.flags & LUNSCOPE_FLAG_CLOSED)) return;
  lunscope_connection_close(connection, totals);
  if (lunscope_inflight_count(&connection->inflight) != 0)
    emit_swept(connection, spill_in_use(sk, connection), bpf_ktime_get_ns(), totals);
  struct lunscope_aggregates_record* table = aggregates_in_use(sk);
  if (table) emit_aggregates(connection, table, totals);
  connection->record.unread_bytes = 0;
  emit_connection(connection, LUNSCOPE_FLAG_CLOSED, totals);
  forget_connection(sk, connection);
}

static __always_inline int on_state_change(struct sock* sk, int new_state) {
  if (new_state != TCP_ESTABLISHED && new_state != TCP_CLOSE) return 0;
  /* When an accepted socket closes, it has no port any more, but it still has its state. */
  if (new_state == TCP_ESTABLISHED && !is_watched(sk)) return 0;
  struct lunscope_totals* totals = this_cpu_totals(HOOK_CONNECTION);
  if (!totals) return 0;
  if (new_state == TCP_ESTABLISHED) {
    on_open(sk, totals);
  } else {
    on_close(sk, totals);
  }
  return 0;
}

static __always_inline int on_retransmit(struct sock* sk) {
  if (!is_watched(sk)) return 0;
  struct lunscope_connection* connection = bpf_sk_storage_get(&connections, sk, 0, 0);
  if (connection) connection->record.retransmits++;
  return 0;
}

struct walk {
  union listing* listing;
  struct lunscope_connection* connection;
  struct lunscope_spill* spill;
  __u64 now_ns;
  __u32 shown;
};

/* List one place of the tables. bpf_loop() calls this, so the verifier checks one turn only. */
static long list_place(__u64 place, struct walk* walk) {
  const struct lunscope_command* command =
      lunscope_inflight_at(&walk->connection->inflight, walk->spill, place);
  if (command) lunscope_inflight_list(&walk->listing->list, command);
  return 0;
}

/* Show one place of the tables, in the same way. 1 ends the loop. */
static long show_place(__u64 place, struct walk* walk) {
  __u32 shown = walk->shown;
  const struct lunscope_command* command =
      lunscope_inflight_at(&walk->connection->inflight, walk->spill, place);
  LUNSCOPE_BOUND(shown);
  if (shown >= LUNSCOPE_SHOWN_COMMANDS) return 1;
  if (command && lunscope_fill_open_command(&walk->listing->shown[shown], walk->connection, command,
                                            walk->now_ns))
    walk->shown = shown + 1;
  return 0;
}

static __always_inline void dump_inflight(struct seq_file* seq, struct sock* sk,
                                          struct lunscope_connection* connection) {
  __u32 zero = 0;
  struct walk walk = {
      .listing = bpf_map_lookup_elem(&listings, &zero),
      .connection = connection,
      .spill = spill_in_use(sk, connection),
  };
  __u32 places = lunscope_inflight_places(walk.spill);
  if (!walk.listing) return;
  walk.listing->list.count = 0;
  bpf_loop(places, list_place, &walk, 0);
  __u32 bytes = lunscope_fill_inflight(&walk.listing->list, connection);
  LUNSCOPE_BOUND(bytes);
  if (bytes <= sizeof(walk.listing->list)) bpf_seq_write(seq, walk.listing, bytes);
  if (!shows_open) return;
  walk.now_ns = bpf_ktime_get_ns();
  bpf_loop(places, show_place, &walk, 0);
  bytes = walk.shown * sizeof(walk.listing->shown[0]);
  LUNSCOPE_BOUND(bytes);
  if (bytes <= sizeof(walk.listing->shown)) bpf_seq_write(seq, walk.listing, bytes);
}

static __always_inline void dump_aggregates(struct seq_file* seq, struct sock* sk,
                                            struct lunscope_connection* connection) {
  struct lunscope_aggregates_record* table = aggregates_in_use(sk);
  if (!table) return;
  __u32 bytes = lunscope_fill_aggregates(table, connection, 0);
  lunscope_aggregates_mark_read(table);
  LUNSCOPE_BOUND(bytes);
  if (bytes <= sizeof(*table)) bpf_seq_write(seq, table, bytes);
}

/*
 * As tcp_inq() counts (net/ipv4/tcp.c): a FIN takes a sequence number, and nobody can read it. In
 * these states one has come (tcp_fin(), net/ipv4/tcp_input.c).
 */
static __always_inline __u32 unread_bytes_of(const struct sock* sk, const struct tcp_sock* tcp) {
  __u32 bytes = tcp->rcv_nxt - tcp->copied_seq;
  __u8 state = sk->__sk_common.skc_state;
  int has_fin = state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK || state == TCP_CLOSING;
  return bytes != 0 && has_fin ? bytes - 1 : bytes;
}

/*
 * Write a live connection to the reader of the iterator: its record, the commands that were added
 * up instead of having records, and the commands in flight.
 */
static __always_inline int dump_connection(struct seq_file* seq, struct sock* sk) {
  if (!sk) return 0;
  struct lunscope_connection* connection = bpf_sk_storage_get(&connections, sk, 0, 0);
  if (!connection || connection->record.header.abi == 0) return 0;
  if (connection->record.header.flags & LUNSCOPE_FLAG_CLOSED) return 0;
  struct tcp_sock* tcp = bpf_skc_to_tcp_sock(sk);
  if (tcp) connection->record.unread_bytes = unread_bytes_of(sk, tcp);
  bpf_seq_write(seq, &connection->record, sizeof(connection->record));
  dump_aggregates(seq, sk, connection);
  if (lunscope_inflight_count(&connection->inflight) != 0) dump_inflight(seq, sk, connection);
  return 0;
}

#endif
