/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading the bytes of an skb piece by piece, where the program may not call bpf_dynptr_from_skb()
 * (compat.bpf.h). A piece is one stretch of the kernel's memory. The first is the linear part of
 * the skb, then come its frags, then the same of every member of its frag list. x86-64 only.
 */
#ifndef LUNSCOPE_SKB_WALK_BPF_H
#define LUNSCOPE_SKB_WALK_BPF_H

#include "compat.bpf.h"
#include "maps.bpf.h"

/* Bytes [start, end) behind the skb's data, which lie together at an address of the kernel. */
struct skb_piece {
  const struct sk_buff* skb; /* the skb itself, or a member of its frag list */
  const void* address;
  __u32 frags; /* of that skb that were walked */
  __u32 start;
  __u32 end;
};

static __always_inline void linear_piece(struct skb_piece* piece, const struct sk_buff* skb,
                                         __u32 start) {
  piece->skb = skb;
  piece->address = BPF_CORE_READ(skb, data);
  piece->frags = unknown_zero;
  piece->start = start;
  piece->end = start + BPF_CORE_READ(skb, len) - BPF_CORE_READ(skb, data_len);
}

static __always_inline void first_piece(struct skb_piece* piece, const struct sk_buff* skb) {
  linear_piece(piece, skb, unknown_zero);
}

/* The next frag of the skb, as the piece behind the last one. Its address is NULL if no CPU can
 * read the memory. */
static __always_inline void frag_piece(struct skb_piece* piece,
                                       const struct skb_shared_info* shared) {
  struct frag frag;
  read_frag(&frag, shared, piece->frags);
  piece->address = frag.page & NETMEM_IS_NO_PAGE ? NULL : address_of_page(frag.page) + frag.offset;
  piece->frags++;
  piece->start = piece->end;
  piece->end = piece->start + frag.bytes;
}

/* Go to the next piece. Returns -1 if this was the last. */
static __always_inline int next_piece(struct skb_piece* piece, const struct sk_buff* skb) {
  const struct sk_buff* owner = piece->skb;
  const struct skb_shared_info* shared =
      (const void*)BPF_CORE_READ(owner, head) + BPF_CORE_READ(owner, end);
  if (piece->frags < BPF_CORE_READ(shared, nr_frags)) {
    frag_piece(piece, shared);
    return 0;
  }
  const struct sk_buff* member =
      owner == skb ? BPF_CORE_READ(shared, frag_list) : BPF_CORE_READ(owner, next);
  if (!member) return -1;
  linear_piece(piece, member, piece->end);
  return 0;
}

/*
 * Read the first of `bytes` bytes at `offset`: as many as lie in one piece. Returns how many; 0
 * after one step towards their piece, so call again; -1 if the bytes cannot be read.
 */
static __always_inline int walk_and_read(struct skb_piece* piece, const struct sk_buff* skb,
                                         void* to, __u32 bytes, __u32 offset) {
  if (offset < piece->start) {
    first_piece(piece, skb);
    return 0;
  }
  if (offset >= piece->end) return next_piece(piece, skb);
  if (bytes > piece->end - offset) bytes = piece->end - offset;
  LUNSCOPE_BOUND(bytes);
  bytes &= LUNSCOPE_ROOM_MASK; /* changes nothing; shows the verifier that the read fits */
  const void* from = piece->address + (offset - piece->start);
  if (!piece->address || bpf_probe_read_kernel(to, bytes, from)) return -1;
  return bytes;
}

#endif
