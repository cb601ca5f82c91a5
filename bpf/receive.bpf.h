/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Received bytes. We parse them when a reader copies them out of the socket. By then TCP has
 * accepted them, in order, and most of a connection's state stays with one CPU. Their arrival then
 * gives the time, which is noted. Until a reader was seen, bytes are parsed as they arrive. A
 * reader that leaves no trace (splice) is never seen.
 */
#ifndef LUNSCOPE_RECEIVE_BPF_H
#define LUNSCOPE_RECEIVE_BPF_H

#include "follow.bpf.h"

/*
 * TCP keeps the first copy of a byte. Drop the part of this segment that lies below received_to,
 * which is TCP's rcv_nxt. Returns -1 if nothing is left.
 */
static __always_inline int cut_received(struct segment* segment, __u32 received_to) {
  __s32 received = lunscope_distance(segment->seq, received_to);
  if (lunscope_distance(received_to, segment->end) <= 0) return -1;
  if (received > 0) {
    segment->seq += received;
    segment->offset += received;
  }
  return 0;
}

/* Offer received bytes. Missing ones will not come again if TCP has handed out what follows. */
static __always_inline enum lunscope_offer offer_received(struct lunscope_connection* connection,
                                                          const struct sock* sk, __u32 hook,
                                                          const struct segment* segment) {
  enum lunscope_offer offer = offer_segment(connection, hook, segment);
  if (offer != LUNSCOPE_OFFER_HOLE) return offer;
  return give_up_hole(connection, hook, segment, READ_MEMBER(struct tcp_sock, sk, copied_seq));
}

/*
 * Follow a segment as it arrives. It may be early, late or repeated, and TCP has not checked it
 * yet. A hole in front of it may still be filled, unless TCP has handed out the bytes behind the
 * hole.
 */
static __always_inline void follow_arrival(struct sk_buff* skb, struct sock* sk,
                                           struct lunscope_connection* connection,
                                           struct segment* segment, const struct tcp_sock* tcp) {
  if (cut_received(segment, tcp->rcv_nxt)) return;
  enum lunscope_offer offer = offer_received(connection, sk, HOOK_ARRIVAL, segment);
  if (offer == LUNSCOPE_OFFER_NEW)
    follow_segment(skb, sk, connection, segment,
                   (struct segment_facts){.hook = HOOK_ARRIVAL, .passed_to = segment->end});
  if (offer == LUNSCOPE_OFFER_OLD) pass_payload(sk, connection, HOOK_ARRIVAL, segment->end, 0);
}

static __noinline int on_arrival(struct sock* sk, struct sk_buff* skb) {
  struct segment segment;
  if (segment_in_arrival(skb, &segment)) return 0;
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection) return 0;
  __u32 number = lunscope_arrivals_next(&connection->arrivals);
  struct tcp_sock* tcp = bpf_skc_to_tcp_sock(sk);
  if (!tcp) return 0;
  if (!connection->record.is_read) {
    if (!checksum_is_open(skb)) follow_arrival(skb, sk, connection, &segment, tcp);
  } else if (segment.seq == tcp->rcv_nxt) {
    lunscope_arrivals_note(&connection->arrivals, number, segment.end, bpf_ktime_get_ns());
  }
  return 0;
}

/*
 * Follow TCP's bytes, in order, as somebody takes so many of them out of the receive queue (0: all
 * of this skb). tcp_recvmsg_locked() moves copied_seq behind them after this. A reader with
 * SO_PEEK_OFF looks at bytes behind those that it has yet to read. A hole is then no loss: the
 * bytes before it were not handed out.
 */
static __always_inline int follow_taken(struct sk_buff* skb, struct sock* sk,
                                        struct lunscope_connection* connection, __u32 hook,
                                        __u32 bytes) {
  struct segment segment;
  segment_in_queue(skb, &segment);
  __u32 passed_to = bytes != 0 ? READ_MEMBER(struct tcp_sock, sk, copied_seq) + bytes : segment.end;
  enum lunscope_offer offer = offer_received(connection, sk, hook, &segment);
  if (offer == LUNSCOPE_OFFER_NEW)
    follow_segment(
        skb, sk, connection, &segment,
        (struct segment_facts){
            .hook = hook, .is_borrowed = hook == HOOK_KERNEL_CONSUMPTION, .passed_to = passed_to});
  if (offer == LUNSCOPE_OFFER_OLD) pass_payload(sk, connection, hook, passed_to, 0);
  return 0;
}

/* A reader is seen for the first time. If the connection has a record, emit another one, which
 * names the reader's process. */
static __always_inline void meet_reader(struct lunscope_connection* connection) {
  struct lunscope_totals* totals = this_cpu_totals(HOOK_CONSUMPTION);
  connection->record.is_read = 1;
  fill_process(&connection->record);
  if (totals && connection->record.header.time_ns != 0) emit_connection(connection, 0, totals);
}

static __noinline int on_consumption(struct sock* sk, struct sk_buff* skb, __u32 bytes) {
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection) return 0;
  if (!connection->record.is_read) meet_reader(connection);
  return follow_taken(skb, sk, connection, HOOK_CONSUMPTION, bytes);
}

/* The kernel's own initiator takes its bytes in any context. The current process is not its own. */
static __always_inline int on_kernel_consumption(struct sk_buff* skb) {
  struct sock* sk = skb->sk;
  if (!sk || !is_watched(sk)) return 0;
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection) return 0;
  connection->record.is_read = 1;
  return follow_taken(skb, sk, connection, HOOK_KERNEL_CONSUMPTION, 0);
}

#endif
