/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * "Give me n bytes at this stream position": where the TCP payload of an skb lies, and reading it.
 *
 * bpf_dynptr_from_skb() reads linear parts, frags and frag lists alike. "bpf: Allow
 * bpf_dynptr_from_skb() for tp_btf" made it available here in Linux 6.12; the function itself is
 * older, so that only loading a program tells whether it may be called. Where it may not, the
 * collector loads the programs once more, with walks_skbs set: the verifier then leaves out what
 * would call it.
 */
#ifndef LUNSCOPE_SKB_BPF_H
#define LUNSCOPE_SKB_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "kernel.h"
#include "skb_walk.bpf.h"

extern int bpf_dynptr_from_skb(struct sk_buff* skb, __u64 flags,
                               struct bpf_dynptr* ptr) __ksym __weak;
/* "bpf: Add kfunc bpf_rdonly_cast" (a35b9af4ec2c, Linux 6.2). A load through it is a plain load. */
extern void* bpf_rdonly_cast(const void* object, __u32 btf_id) __ksym __weak;

/* A member of a kernel struct whose pointer the verifier does not know. */
#define READ_MEMBER(type, object, member)                    \
  (walks_skbs ? BPF_CORE_READ((const type*)(object), member) \
              : ((const type*)bpf_rdonly_cast(object, bpf_core_type_id_kernel(type)))->member)

#define TCP_HEADER_BYTES 20

/* TCP payload in an skb: stream positions [seq, end), at `offset` bytes behind skb->data. */
struct segment {
  __u32 seq;
  __u32 end;
  __u32 offset;
};

static __always_inline __u32 tcp_header_bytes(const void* header) {
  if (walks_skbs) return BPF_CORE_READ_BITFIELD_PROBED((const struct tcphdr*)header, doff) * 4;
  const struct tcphdr* tcp = bpf_rdonly_cast(header, bpf_core_type_id_kernel(struct tcphdr));
  return BPF_CORE_READ_BITFIELD(tcp, doff) * 4;
}

/*
 * An skb on its way down, with a TCP header at skb->transport_header, always in the linear part;
 * skb->cb is no longer TCP's. Returns 0, or -1: no payload.
 */
static __always_inline int segment_in_transmit(const struct sk_buff* skb, struct segment* segment) {
  __u32 header = skb->transport_header - (__u32)(skb->data - skb->head);
  if (skb->len <= header + TCP_HEADER_BYTES) return -1;
  const void* tcp = skb->head + skb->transport_header;
  segment->offset = header + tcp_header_bytes(tcp);
  if (skb->len <= segment->offset) return -1;
  segment->seq = bpf_ntohl(READ_MEMBER(struct tcphdr, tcp, seq));
  segment->end = segment->seq + (skb->len - segment->offset);
  return 0;
}

/* When TCP last looked at the clock, CLOCK_MONOTONIC: it does before it sends what it can. */
static __always_inline __u64 transmit_time(const struct sock* sk) {
  return READ_MEMBER(struct tcp_sock, sk, tcp_clock_cache);
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

/* Reads the bytes of one skb. */
struct skb_reader {
  struct sk_buff* skb;
  struct bpf_dynptr* bytes;
  struct skb_piece piece; /* where it is walked */
};

/*
 * Read `bytes` bytes at `offset` behind skb->data, or the first of them. Returns how many; 0: ask
 * again; -1: they are not to be had.
 */
static __always_inline int read_skb(struct skb_reader* reader, int is_walked, void* to, __u32 bytes,
                                    __u32 offset) {
  if (is_walked) return walk_and_read(&reader->piece, reader->skb, to, bytes, offset);
  return bpf_dynptr_read(to, bytes, reader->bytes, offset, 0) ? -1 : (int)bytes;
}

/* Can the payload still fail its checksum? The arrival hook comes before tcp_checksum_complete().
 */
static __always_inline int checksum_is_open(struct sk_buff* skb) {
  __u8 ip_summed = BPF_CORE_READ_BITFIELD(skb, ip_summed);
  return ip_summed != CHECKSUM_UNNECESSARY && ip_summed != CHECKSUM_PARTIAL &&
         !BPF_CORE_READ_BITFIELD(skb, csum_valid);
}

#endif
