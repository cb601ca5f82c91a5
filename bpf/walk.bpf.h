/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A walk over the live connections, for the reader of the iterator. Facts that only a walk has cost
 * nothing while packets pass.
 */
#ifndef LUNSCOPE_WALK_BPF_H
#define LUNSCOPE_WALK_BPF_H

#include "connection.bpf.h"
#include "skb.bpf.h"

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

/* The deepest left node of a tree of skbs. */
#define MAX_TREE_DEPTH 32

static __always_inline const struct rb_node* first_of_tree(const struct rb_node* node) {
  for (__u32 i = 0; node && i < MAX_TREE_DEPTH; i++) {
    const struct rb_node* left = BPF_CORE_READ(node, rb_left);
    if (!left) break;
    node = left;
  }
  return node;
}

/* For how long the oldest unacknowledged byte has waited: since it was first sent again, or sent.
 */
static __always_inline __u64 waited_ns(struct sock* sk, const struct tcp_sock* tcp, __u64 now_ns) {
  __u32 now_ms = now_ns / 1000000;
  if (tcp->retrans_stamp) return (__u64)(now_ms - tcp->retrans_stamp) * 1000000;
  const struct rb_node* oldest = first_of_tree(BPF_CORE_READ(sk, tcp_rtx_queue.rb_node));
  __u64 sent_ns = oldest ? BPF_CORE_READ(skb_of_node(oldest), skb_mstamp_ns) : 0;
  return sent_ns != 0 && now_ns > sent_ns ? now_ns - sent_ns : 0;
}

static __always_inline void fill_tcp(struct lunscope_tcp* facts, struct sock* sk,
                                     const struct tcp_sock* tcp) {
  facts->is_known = 1;
  facts->unacknowledged_bytes = tcp->snd_nxt - tcp->snd_una;
  facts->unsent_bytes = tcp->write_seq - tcp->snd_nxt;
  facts->smoothed_rtt_us = tcp->srtt_us >> 3;
  facts->send_window_bytes = tcp->snd_wnd;
  facts->unacknowledged_ns =
      facts->unacknowledged_bytes != 0 ? waited_ns(sk, tcp, bpf_ktime_get_ns()) : 0;
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
  if (tcp) {
    connection->record.unread_bytes = unread_bytes_of(sk, tcp);
    fill_tcp(&connection->record.tcp, sk, tcp);
  }
  lunscope_fill_window(connection, bpf_ktime_get_ns());
  lunscope_fill_statuses(connection);
  bpf_seq_write(seq, &connection->record, sizeof(connection->record));
  dump_aggregates(seq, sk, connection);
  if (lunscope_inflight_count(&connection->inflight) != 0) dump_inflight(seq, sk, connection);
  return 0;
}

#endif
