/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sent bytes, as they are handed to a network device and before they are cut into packets. A
 * segment passes again for every retransmission and stacked device; it is then old, and costs one
 * comparison.
 */
#ifndef LUNSCOPE_TRANSMIT_BPF_H
#define LUNSCOPE_TRANSMIT_BPF_H

#include "follow.bpf.h"

static __noinline int on_transmit(struct sock* sk, struct sk_buff* skb) {
  struct segment segment;
  if (segment_in_transmit(skb, &segment)) return 0;
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection) return 0;
  struct lunscope_stream* stream = &connection->streams[LUNSCOPE_SENT];
  enum lunscope_offer offer = lunscope_stream_offer(stream, segment.seq, segment.end);
  if (offer == LUNSCOPE_OFFER_HOLE) offer = give_up_hole(connection, HOOK_TRANSMIT, &segment);
  if (offer == LUNSCOPE_OFFER_NEW)
    follow_segment(skb, sk, connection, &segment,
                   (struct segment_facts){.hook = HOOK_TRANSMIT, .now_ns = transmit_time(sk)});
  return 0;
}

#endif
