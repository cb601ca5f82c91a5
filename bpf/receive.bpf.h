/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Received bytes. Who copies them out of the socket is followed doing so: that is when TCP has
 * taken them, in order, and most of a connection's state stays with one CPU. What their arrival is
 * good for then is the time, which is noted. A reader inside the kernel that does not copy (the
 * kernel's own initiator) is only seen by what arrives.
 */
#ifndef LUNSCOPE_RECEIVE_BPF_H
#define LUNSCOPE_RECEIVE_BPF_H

#include "follow.bpf.h"

/* Follow what has arrived; it may be early, late or twice, and lies before TCP's own checks. */
static __always_inline void follow_arrival(struct sk_buff* skb, struct sock* sk,
                                           struct lunscope_connection* connection,
                                           const struct segment* segment, __u32 read_to) {
  struct lunscope_stream* stream = &connection->streams[LUNSCOPE_RECEIVED];
  enum lunscope_offer offer = lunscope_stream_offer(stream, segment->seq, segment->end);
  if (offer == LUNSCOPE_OFFER_HOLE) {
    /* What is wanted may come yet, unless it was read off the socket. */
    if (lunscope_distance(stream->next, read_to) <= 0) return;
    offer = give_up_hole(connection, LUNSCOPE_RECEIVED, segment);
  }
  if (offer == LUNSCOPE_OFFER_NEW)
    follow_segment(skb, sk, connection, LUNSCOPE_RECEIVED, segment, 0, 0);
}

static __always_inline int on_arrival(struct sock* sk, struct sk_buff* skb) {
  struct segment segment;
  if (!is_watched(sk) || segment_in_arrival(skb, &segment)) return 0;
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection) return 0;
  __u32 number = lunscope_arrivals_next(&connection->arrivals);
  struct tcp_sock* tcp = bpf_skc_to_tcp_sock(sk);
  if (!tcp) return 0;
  if (!connection->report.is_copied) {
    if (!checksum_is_open(skb)) follow_arrival(skb, sk, connection, &segment, tcp->copied_seq);
  } else if (segment.seq == tcp->rcv_nxt) {
    lunscope_arrivals_note(&connection->arrivals, number, segment.end, bpf_ktime_get_ns());
  }
  return 0;
}

static __always_inline int on_consumption(struct sk_buff* skb) {
  struct segment segment;
  struct sock* sk = skb->sk;
  if (!sk || !is_watched(sk)) return 0;
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection) return 0;
  if (!connection->report.is_copied) connection->report.is_copied = 1;
  segment_in_queue(skb, &segment);
  if (offer_in_order(connection, LUNSCOPE_RECEIVED, &segment) == LUNSCOPE_OFFER_NEW)
    follow_segment(skb, sk, connection, LUNSCOPE_RECEIVED, &segment, 0, 1);
  return 0;
}

#endif
