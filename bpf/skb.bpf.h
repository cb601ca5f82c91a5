/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the TCP payload of an skb lies, and reading it: "n bytes at this stream position". Two
 * readers do it, bpf_dynptr_from_skb() or skb_walk.bpf.h; compat.bpf.h says when which is used.
 */
#ifndef LUNSCOPE_SKB_BPF_H
#define LUNSCOPE_SKB_BPF_H

#include <bpf/bpf_endian.h>

#include "compat.bpf.h"
#include "skb_walk.bpf.h"

#define TCP_HEADER_BYTES 20

/* The skb in a tree of TCP's. */
static __always_inline struct sk_buff* skb_of_node(const struct rb_node* node) {
  return (void*)node - bpf_core_field_offset(struct sk_buff, rbnode);
}

/* TCP payload in an skb: stream positions [seq, end), at `offset` bytes behind skb->data. */
struct segment {
  __u32 seq;
  __u32 end;
  __u32 offset;
};

static __always_inline __u32 tcp_header_bytes(const void* header) {
  return READ_BITFIELD(struct tcphdr, header, doff) * 4;
}

/*
 * The segment of an skb that is sent. Its TCP header is at skb->transport_header, always in the
 * linear part; skb->cb is no longer TCP's. Returns -1 if there is no payload, else 0.
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

/* The time at which TCP last read CLOCK_MONOTONIC. TCP does so each time before it sends. */
static __always_inline __u64 transmit_time(const struct sock* sk) {
  return READ_MEMBER(struct tcp_sock, sk, tcp_clock_cache);
}

/* The segment of an skb that arrives at TCP, with its TCP header at skb->data. Returns the same. */
static __always_inline int segment_in_arrival(const struct sk_buff* skb, struct segment* segment) {
  const struct tcp_skb_cb* cb = (const struct tcp_skb_cb*)skb->cb;
  segment->seq = cb->seq;
  segment->end = cb->end_seq - (cb->tcp_flags & TCPHDR_FIN);
  segment->offset = skb->len - (segment->end - segment->seq);
  return segment->end == segment->seq ? -1 : 0;
}

/* The segment of an skb in a receive queue, with its payload at skb->data. */
static __always_inline void segment_in_queue(const struct sk_buff* skb, struct segment* segment) {
  segment->seq = ((const struct tcp_skb_cb*)skb->cb)->seq;
  segment->end = segment->seq + skb->len;
  segment->offset = 0;
}

/* Reads the bytes of one skb. */
struct skb_reader {
  struct sk_buff* skb;
  struct bpf_dynptr* bytes;
  struct skb_piece piece; /* of an skb that is walked */
};

/*
 * Read `bytes` bytes at `offset` behind skb->data, or the first of them. Returns how many; 0: call
 * again; -1: the bytes cannot be read. is_walked: a constant.
 */
static __always_inline int read_skb(struct skb_reader* reader, int is_walked, void* to, __u32 bytes,
                                    __u32 offset) {
  if (is_walked) return walk_and_read(&reader->piece, reader->skb, to, bytes, offset);
  return bpf_dynptr_read(to, bytes, reader->bytes, offset, 0) ? -1 : (int)bytes;
}

/* May the checksum still fail? The arrival hook runs before tcp_checksum_complete(). */
static __always_inline int checksum_is_open(struct sk_buff* skb) {
  __u8 ip_summed = BPF_CORE_READ_BITFIELD(skb, ip_summed);
  return ip_summed != CHECKSUM_UNNECESSARY && ip_summed != CHECKSUM_PARTIAL &&
         !BPF_CORE_READ_BITFIELD(skb, csum_valid);
}

#endif
