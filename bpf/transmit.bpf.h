/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sent bytes, as they are handed to a network device and before they are cut into packets. A
 * segment passes again for every retransmission and stacked device; it is then old, and costs one
 * comparison.
 */
#ifndef LUNSCOPE_TRANSMIT_BPF_H
#define LUNSCOPE_TRANSMIT_BPF_H

#include "follow.bpf.h"

static __always_inline int on_transmit(struct sk_buff* skb) {
  struct sock* sk = skb->sk;
  if (!sk || !is_watched(sk)) return 0;
  /* skb->cb is no longer TCP's down here; the position is in the TCP header. */
  __u32 header = skb->transport_header - (__u32)(skb->data - skb->head);
  struct bpf_dynptr bytes;
  struct follow follow = {.bytes = &bytes, .direction = LUNSCOPE_SENT};
  follow.totals = this_cpu_totals();
  if (!follow.totals || bpf_dynptr_from_skb(skb, 0, &bytes)) return 0;
  if (segment_at_header(skb, &bytes, header, &follow.segment)) return 0;
  follow.connection = connection_of(sk, follow.totals);
  if (!follow.connection) return 0;

  struct lunscope_stream* stream = &follow.connection->streams[LUNSCOPE_SENT];
  enum lunscope_offer offer = lunscope_stream_offer(stream, follow.segment.seq, follow.segment.end);
  if (offer == LUNSCOPE_OFFER_HOLE) offer = give_up_hole(&follow);
  if (offer == LUNSCOPE_OFFER_NEW) follow_segment(&follow, sk);
  return 0;
}

#endif
