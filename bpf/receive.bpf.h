/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Received bytes. Who takes them out of the socket is followed doing so: that is when TCP has
 * accepted them, in order, and most of a connection's state stays with one CPU. What their arrival
 * is good for then is the time, which is noted. Until such a reader was seen, and for one that
 * leaves no trace (splice), what arrives is all there is to follow.
 */
#ifndef LUNSCOPE_RECEIVE_BPF_H
#define LUNSCOPE_RECEIVE_BPF_H

#include "follow.bpf.h"

/*
 * What TCP has received before it keeps, whatever this segment says there: cut that off. Returns -1
 * if nothing is left.
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

/* Follow what has arrived; it may be early, late or twice, and lies before TCP's own checks. */
static __always_inline void follow_arrival(struct sk_buff* skb, struct sock* sk,
                                           struct lunscope_connection* connection,
                                           struct segment* segment, const struct tcp_sock* tcp) {
  struct lunscope_stream* stream = &connection->streams[LUNSCOPE_RECEIVED];
  if (cut_received(segment, tcp->rcv_nxt)) return;
  enum lunscope_offer offer = lunscope_stream_offer(stream, segment->seq, segment->end);
  if (offer == LUNSCOPE_OFFER_HOLE) {
    /* What is wanted may come yet, unless it was read off the socket. */
    if (lunscope_distance(stream->next, tcp->copied_seq) <= 0) return;
    offer = give_up_hole(connection, HOOK_ARRIVAL, segment);
  }
  if (offer == LUNSCOPE_OFFER_NEW)
    follow_segment(skb, sk, connection, segment, (struct segment_facts){.hook = HOOK_ARRIVAL});
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
 * With SO_PEEK_OFF a reader looks at bytes behind those that it has yet to read: then a hole is no
 * loss. What was handed out before ends where TCP copies from now.
 */
static __always_inline int is_peeked_ahead(const struct sock* sk,
                                           const struct lunscope_stream* stream) {
  return lunscope_distance(READ_MEMBER(struct tcp_sock, sk, copied_seq), stream->next) >= 0;
}

/* TCP's bytes, in order, where somebody takes them out of the receive queue. */
static __always_inline int follow_taken(struct sk_buff* skb, struct sock* sk,
                                        struct lunscope_connection* connection, __u32 hook) {
  struct segment segment;
  segment_in_queue(skb, &segment);
  struct lunscope_stream* stream = &connection->streams[LUNSCOPE_RECEIVED];
  enum lunscope_offer offer = lunscope_stream_offer(stream, segment.seq, segment.end);
  if (offer == LUNSCOPE_OFFER_HOLE) {
    if (is_peeked_ahead(sk, stream)) return 0;
    offer = give_up_hole(connection, hook, &segment);
  }
  if (offer == LUNSCOPE_OFFER_NEW)
    follow_segment(
        skb, sk, connection, &segment,
        (struct segment_facts){
            .hook = hook, .is_noted = 1, .is_borrowed = hook == HOOK_KERNEL_CONSUMPTION});
  return 0;
}

/* The reader was not known yet. If the connection is, it is reported once more, with its process.
 */
static __always_inline void meet_reader(struct lunscope_connection* connection) {
  struct lunscope_totals* totals = this_cpu_totals(HOOK_CONSUMPTION);
  connection->record.is_read = 1;
  fill_process(&connection->record);
  if (totals && connection->record.header.time_ns != 0) emit_connection(connection, 0, totals);
}

static __noinline int on_consumption(struct sock* sk, struct sk_buff* skb) {
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection) return 0;
  if (!connection->record.is_read) meet_reader(connection);
  return follow_taken(skb, sk, connection, HOOK_CONSUMPTION);
}

/* The kernel's own initiator takes its bytes in whatever context: that is no process of its. */
static __always_inline int on_kernel_consumption(struct sk_buff* skb) {
  struct sock* sk = skb->sk;
  if (!sk || !is_watched(sk)) return 0;
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection) return 0;
  connection->record.is_read = 1;
  return follow_taken(skb, sk, connection, HOOK_KERNEL_CONSUMPTION);
}

#endif
