/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * "Give me n bytes at this stream position": where the TCP payload of an skb lies, and reading it.
 *
 * bpf_dynptr_from_skb() reads linear parts, frags and frag lists alike. "bpf: Allow
 * bpf_dynptr_from_skb() for tp_btf" made it available here in Linux 6.12; the function itself is
 * older, so that only loading a program tells whether it may be called.
 */
#ifndef LUNSCOPE_SKB_BPF_H
#define LUNSCOPE_SKB_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "kernel.h"

extern int bpf_dynptr_from_skb(struct sk_buff* skb, __u64 flags, struct bpf_dynptr* ptr) __ksym;
extern void* bpf_rdonly_cast(const void* object, __u32 btf_id) __ksym;

#define TCP_HEADER_BYTES 20

/* TCP payload in an skb: stream positions [seq, end), at `offset` bytes behind skb->data. */
struct segment {
  __u32 seq;
  __u32 end;
  __u32 offset;
};

/*
 * An skb on its way down, with a TCP header at skb->transport_header, always in the linear part;
 * skb->cb is no longer TCP's. Returns 0, or -1: no payload.
 */
static __always_inline int segment_in_transmit(const struct sk_buff* skb, struct segment* segment) {
  __u32 header = skb->transport_header - (__u32)(skb->data - skb->head);
  if (skb->len <= header + TCP_HEADER_BYTES) return -1;
  const struct tcphdr* tcp =
      bpf_rdonly_cast(skb->head + skb->transport_header, bpf_core_type_id_kernel(struct tcphdr));
  segment->offset = header + BPF_CORE_READ_BITFIELD(tcp, doff) * 4;
  if (skb->len <= segment->offset) return -1;
  segment->seq = bpf_ntohl(tcp->seq);
  segment->end = segment->seq + (skb->len - segment->offset);
  return 0;
}

/* When TCP last looked at the clock, CLOCK_MONOTONIC: it does before it sends what it can. */
static __always_inline __u64 transmit_time(const struct sock* sk) {
  const struct tcp_sock* tcp = bpf_rdonly_cast(sk, bpf_core_type_id_kernel(struct tcp_sock));
  return tcp->tcp_clock_cache;
}

/* An skb on its way up, in TCP's hands, with its TCP header at skb->data. Likewise. */
static __always_inline int segment_in_arrival(const struct sk_buff* skb, struct segment* segment) {
  const struct tcp_skb_cb* cb = (const struct tcp_skb_cb*)skb->cb;
  segment->seq = cb->seq;
  segment->end = cb->end_seq - (cb->tcp_flags & TCPHDR_FIN);
  segment->offset = skb->len - (segment->end - segment->seq);
  return segment->end == segment->seq ? -1 : 0;
}

/* An skb in a receive queue, with its payload at skb->data. */
static __always_inline void segment_in_queue(const struct sk_buff* skb, struct segment* segment) {
  segment->seq = ((const struct tcp_skb_cb*)skb->cb)->seq;
  segment->end = segment->seq + skb->len;
  segment->offset = 0;
}

/* Can the payload still fail its checksum? The arrival hook comes before tcp_checksum_complete().
 */
static __always_inline int checksum_is_open(struct sk_buff* skb) {
  __u8 ip_summed = BPF_CORE_READ_BITFIELD(skb, ip_summed);
  return ip_summed != CHECKSUM_UNNECESSARY && ip_summed != CHECKSUM_PARTIAL &&
         !BPF_CORE_READ_BITFIELD(skb, csum_valid);
}

#endif
