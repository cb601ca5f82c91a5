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
static __always_inline void receive(struct follow* follow, struct sock* sk, __u32 read_to) {
  struct lunscope_stream* stream = &follow->connection->streams[LUNSCOPE_RECEIVED];
  enum lunscope_offer offer =
      lunscope_stream_offer(stream, follow->segment.seq, follow->segment.end);
  if (offer == LUNSCOPE_OFFER_HOLE) {
    if (lunscope_distance(stream->next, read_to) <= 0) return;
    offer = give_up_hole(follow);
  }
  if (offer == LUNSCOPE_OFFER_NEW) follow_segment(follow, sk);
}

static __always_inline int on_arrival(struct sock* sk, struct sk_buff* skb) {
  if (!is_watched(sk) || checksum_is_open(skb)) return 0;
  struct tcp_sock* tcp = bpf_skc_to_tcp_sock(sk);
  struct bpf_dynptr bytes;
  struct follow follow = {.bytes = &bytes, .direction = LUNSCOPE_RECEIVED};
  follow.totals = this_cpu_totals();
  if (!tcp || !follow.totals || bpf_dynptr_from_skb(skb, 0, &bytes)) return 0;
  if (segment_at_header(skb, &bytes, 0, &follow.segment)) return 0;
  follow.connection = connection_of(sk, follow.totals);
  if (!follow.connection) return 0;
  receive(&follow, sk, tcp->copied_seq);
  return 0;
}

static __always_inline int on_consumption(struct sk_buff* skb) {
  struct sock* sk = skb->sk;
  if (!sk || !is_watched(sk)) return 0;
  struct bpf_dynptr bytes;
  struct follow follow = {.bytes = &bytes, .direction = LUNSCOPE_RECEIVED};
  follow.totals = this_cpu_totals();
  if (!follow.totals) return 0;
  follow.connection = connection_of(sk, follow.totals);
  if (!follow.connection) return 0;
  follow.segment.seq = receive_queue_seq(skb);
  follow.segment.end = follow.segment.seq + skb->len;
  if (bpf_dynptr_from_skb(skb, 0, &bytes)) return 0;
  receive(&follow, sk, follow.segment.seq);
  return 0;
}

#endif
