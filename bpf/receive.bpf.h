/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Received bytes, offered twice: when they arrive, which tells the time, and when somebody copies
 * them out of the receive queue, which tells that TCP took them, in order. Arrival alone sees what
 * the kernel's own initiator reads; consumption makes up for loss, reordering and missed runs.
 */
#ifndef LUNSCOPE_RECEIVE_BPF_H
#define LUNSCOPE_RECEIVE_BPF_H

#include "follow.bpf.h"

/*
 * read_to: the position up to which bytes have been read off the socket. What is wanted and lies
 * before it was seen by no hook, and will not come again.
 */
static __always_inline void receive(struct sock* sk, struct sk_buff* skb,
                                    struct lunscope_connection* connection,
                                    const struct segment* segment, __u32 read_to) {
  struct lunscope_stream* stream = &connection->streams[LUNSCOPE_RECEIVED];
  enum lunscope_offer offer = lunscope_stream_offer(stream, segment->seq, segment->end);
  if (offer == LUNSCOPE_OFFER_HOLE) {
    if (lunscope_distance(stream->next, read_to) <= 0) return;
    offer = give_up_hole(connection, LUNSCOPE_RECEIVED, segment);
  }
  if (offer == LUNSCOPE_OFFER_NEW) follow_segment(sk, skb, connection, LUNSCOPE_RECEIVED, segment);
}

static __always_inline int on_arrival(struct sock* sk, struct sk_buff* skb) {
  struct segment segment;
  if (!is_watched(sk) || checksum_is_open(skb)) return 0;
  struct tcp_sock* tcp = bpf_skc_to_tcp_sock(sk);
  if (!tcp || segment_at_header(skb, 0, &segment)) return 0;
  struct lunscope_connection* connection = connection_of(sk);
  if (connection) receive(sk, skb, connection, &segment, tcp->copied_seq);
  return 0;
}

static __always_inline int on_consumption(struct sk_buff* skb) {
  struct sock* sk = skb->sk;
  if (!sk || !is_watched(sk)) return 0;
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection) return 0;
  struct segment segment = {.seq = receive_queue_seq(skb)};
  segment.end = segment.seq + skb->len;
  /* An skb is read piece by piece, and most were parsed on arrival, often by another CPU: ask once.
   */
  if (connection->consumed_to == segment.end) return 0;
  receive(sk, skb, connection, &segment, segment.seq);
  connection->consumed_to = segment.end;
  return 0;
}

#endif
