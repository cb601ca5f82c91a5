/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading the bytes of an skb where the kernel lends no function for it (below Linux 6.12): piece
 * by piece, each of them one stretch of the kernel's memory. The linear part is the first, its
 * frags follow, then the same of every member of its frag list.
 *
 * x86-64 with 4 KiB pages only: elsewhere a struct page is turned into an address in other ways.
 */
#ifndef LUNSCOPE_SKB_WALK_BPF_H
#define LUNSCOPE_SKB_WALK_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kernel.h"
#include "maps.bpf.h"

#define PAGE_BYTES 4096
#define NETMEM_IS_NO_PAGE 1 /* memory of a device, which nobody can read */

/* Bytes [start, end) behind the skb's data, at an address of the kernel. */
struct skb_piece {
  const struct sk_buff* skb; /* the skb itself, or a member of its frag list */
  const void* address;
  __u32 frags; /* of that one that were walked */
  __u32 start;
  __u32 end;
};

static __always_inline __u64 kernel_variable(__u64 value, __u64 address) {
  if (value == 0) bpf_probe_read_kernel(&value, sizeof(value), (const void*)address);
  return value;
}

/* The kernel maps all memory at page_offset_base, and describes it in an array at vmemmap_base. */
static __always_inline const void* address_of_page(__u64 page) {
  __u64 first = kernel_variable(vmemmap_base, vmemmap_base_address);
  __u64 number = (page - first) / bpf_core_type_size(struct page);
  __u64 base = kernel_variable(page_offset_base, page_offset_base_address);
  return (const void*)(base + number * PAGE_BYTES);
}

static __always_inline void linear_piece(struct skb_piece* piece, const struct sk_buff* skb,
                                         __u32 start) {
  piece->skb = skb;
  piece->address = BPF_CORE_READ(skb, data);
  piece->frags = 0;
  piece->start = start;
  piece->end = start + BPF_CORE_READ(skb, len) - BPF_CORE_READ(skb, data_len);
}

/* An skb's frag as a piece behind the last one; without an address where nobody can read it. */
static __always_inline void frag_piece(struct skb_piece* piece,
                                       const struct skb_shared_info* shared) {
  const void* frags = (const void*)shared + bpf_core_field_offset(shared->frags);
  __u64 page;
  __u32 bytes;
  __u32 offset;
  if (bpf_core_field_exists(struct skb_frag, netmem)) {
    const struct skb_frag* frag = frags + (__u64)piece->frags * bpf_core_type_size(struct skb_frag);
    page = BPF_CORE_READ(frag, netmem);
    bytes = BPF_CORE_READ(frag, len);
    offset = BPF_CORE_READ(frag, offset);
  } else {
    const struct bio_vec* frag = frags + (__u64)piece->frags * bpf_core_type_size(struct bio_vec);
    page = (__u64)BPF_CORE_READ(frag, bv_page);
    bytes = BPF_CORE_READ(frag, bv_len);
    offset = BPF_CORE_READ(frag, bv_offset);
  }
  piece->address = page & NETMEM_IS_NO_PAGE ? NULL : address_of_page(page) + offset;
  piece->frags++;
  piece->start = piece->end;
  piece->end = piece->start + bytes;
}

/* The piece behind this one. Returns -1: there is none. */
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
 * Read the first of `bytes` bytes at `offset`: as many as lie in one piece. Returns how many; 0:
 * one step was made towards them, ask again; -1: they are not to be had.
 */
static __always_inline int walk_and_read(struct skb_piece* piece, const struct sk_buff* skb,
                                         void* to, __u32 bytes, __u32 offset) {
  if (offset < piece->start) {
    linear_piece(piece, skb, 0);
    return 0;
  }
  if (offset >= piece->end) return next_piece(piece, skb);
  if (bytes > piece->end - offset) bytes = piece->end - offset;
  LUNSCOPE_BOUND(bytes);
  bytes &= LUNSCOPE_ROOM_MASK; /* never bites, and lets the verifier see that the read fits */
  const void* from = piece->address + (offset - piece->start);
  if (!piece->address || bpf_probe_read_kernel(to, bytes, from)) return -1;
  return bytes;
}

#endif
