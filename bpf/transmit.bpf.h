/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sent bytes, as they are handed to a network device and before they are cut into packets. A
 * segment passes again for every retransmission and every stacked device. It is old then, and costs
 * one comparison.
 */
#ifndef LUNSCOPE_TRANSMIT_BPF_H
#define LUNSCOPE_TRANSMIT_BPF_H

#include "follow.bpf.h"

/* Returns 1 if bytes before this segment were not seen: heal.bpf.h goes on with it. */
static __noinline int on_transmit(struct sock* sk, struct sk_buff* skb) {
  struct segment segment;
  if (segment_in_transmit(skb, &segment)) return 0;
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection) return 0;
  enum lunscope_offer offer = offer_segment(connection, HOOK_TRANSMIT, &segment);
  if (offer == LUNSCOPE_OFFER_HOLE) {
    if (heals) return 1;
    offer = give_up_hole(connection, HOOK_TRANSMIT, &segment, segment.seq);
  }
  if (offer == LUNSCOPE_OFFER_NEW)
    follow_segment(
        skb, sk, connection, &segment,
        (struct segment_facts){
            .hook = HOOK_TRANSMIT, .passed_to = segment.end, .now_ns = transmit_time(sk)});
  if (offer == LUNSCOPE_OFFER_OLD)
    pass_payload(sk, connection, HOOK_TRANSMIT, segment.end, transmit_time(sk));
  return 0;
}

#endif
