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
#include <bpf/bpf_helpers.h>
#include <lunscope/bytes.h>

#include "kernel.h"

extern int bpf_dynptr_from_skb(struct sk_buff* skb, __u64 flags, struct bpf_dynptr* ptr) __ksym;

#define TCP_HEADER_BYTES 20

/* TCP payload in an skb: stream positions [seq, end), at `offset` bytes behind skb->data. */
struct segment {
  __u32 seq;
  __u32 end;
  __u32 offset;
};

/*
 * The segment whose TCP header lies `header` bytes behind skb->data, where it is always in the
 * linear part. Returns 0, or -1: no payload.
 */
static __always_inline int segment_at_header(const struct sk_buff* skb, __u32 header,
                                             struct segment* segment) {
  __u8 tcp[TCP_HEADER_BYTES];
  if (skb->len <= header + TCP_HEADER_BYTES) return -1;
  if (bpf_probe_read_kernel(tcp, sizeof(tcp), skb->data + header)) return -1;
  segment->offset = header + (tcp[12] >> 4) * 4;
  if (skb->len <= segment->offset) return -1;
  segment->seq = lunscope_be32(tcp + 4);
  segment->end = segment->seq + (skb->len - segment->offset);
  return 0;
}

/* Can the payload still fail its checksum? The arrival hook comes before tcp_checksum_complete().
 */
static __always_inline int checksum_is_open(struct sk_buff* skb) {
  __u8 ip_summed = BPF_CORE_READ_BITFIELD(skb, ip_summed);
  return ip_summed != CHECKSUM_UNNECESSARY && ip_summed != CHECKSUM_PARTIAL &&
         !BPF_CORE_READ_BITFIELD(skb, csum_valid);
}

/* TCP_SKB_CB(skb)->seq (include/net/tcp.h), valid while the skb is in a receive queue. */
static __always_inline __u32 receive_queue_seq(const struct sk_buff* skb) {
  return *(const __u32*)skb->cb;
}

#endif
