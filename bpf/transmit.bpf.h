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
  struct state state = state_of(sk, follow.totals);
  if (!state.connection) return 0;
  follow.connection = state.connection;
  follow.inflight = state.inflight;

  struct lunscope_stream* stream = &state.connection->streams[LUNSCOPE_SENT];
  enum lunscope_offer offer = lunscope_stream_offer(stream, follow.segment.seq, follow.segment.end);
  if (offer == LUNSCOPE_OFFER_HOLE) {
    lunscope_connection_lose(state.connection, LUNSCOPE_SENT, follow.segment.seq,
                             LUNSCOPE_REASON_MISSING_BYTES, follow.totals);
    offer = lunscope_stream_offer(stream, follow.segment.seq, follow.segment.end);
  }
  if (offer != LUNSCOPE_OFFER_NEW) return 0;
  announce_midstream(state.connection, follow.totals);
  follow_segment(&follow);
  return 0;
}

#endif
