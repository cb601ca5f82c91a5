/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every difference between kernels that the programs deal with, once each. A paragraph says which
 * commit made the difference, what moved, from which version on, what lunscope does, and when the
 * paragraph may be deleted. Behind it come the flavours of a struct, and then one accessor.
 * lunscope supports Linux 6.1 and later; user space decides by trying, not by version.
 */
#ifndef LUNSCOPE_COMPAT_BPF_H
#define LUNSCOPE_COMPAT_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kernel.h"

/*
 * ffc83860d8c0 "bpf: Allow bpf_dynptr_from_skb() for tp_btf" (Linux 6.12). The function itself came
 * with b5964b968ac6 "bpf: Add skb dynptrs" (6.4), for other types of programs. So the kernel's list
 * of functions does not say whether a program may call it; only a load does. Where the load fails,
 * user space loads the object again with walks_skbs set (skb_walk.bpf.h). The verifier then leaves
 * out the code that would call the function. Drop with Linux 6.6, the last long-term kernel
 * below 6.12.
 */
extern const volatile __u8 walks_skbs; /* maps.bpf.h */
extern int bpf_dynptr_from_skb(struct sk_buff* skb, __u64 flags,
                               struct bpf_dynptr* ptr) __ksym __weak;

/*
 * a35b9af4ec2c "bpf: Add kfunc bpf_rdonly_cast" (Linux 6.2). It gives an untyped pointer the type
 * of a kernel struct, and a load through that is a plain load. A kernel without it needs a call of
 * bpf_probe_read_kernel() for each member. Every kernel that has the function of the paragraph
 * above has this one, so that walks_skbs decides here, too. Drop with Linux 6.1.
 */
extern void* bpf_rdonly_cast(const void* object, __u32 btf_id) __ksym __weak;

/* A member of a kernel struct, by a pointer that has no type for the verifier. */
#define READ_MEMBER(type, object, member)                    \
  (walks_skbs ? BPF_CORE_READ((const type*)(object), member) \
              : ((const type*)bpf_rdonly_cast(object, bpf_core_type_id_kernel(type)))->member)

/* The same for a bit field. */
#define READ_BITFIELD(type, object, member)                                             \
  ({                                                                                    \
    __u64 read_value;                                                                   \
    if (walks_skbs) {                                                                   \
      read_value = BPF_CORE_READ_BITFIELD_PROBED((const type*)(object), member);        \
    } else {                                                                            \
      const type* read_object = bpf_rdonly_cast(object, bpf_core_type_id_kernel(type)); \
      read_value = BPF_CORE_READ_BITFIELD(read_object, member);                         \
    }                                                                                   \
    read_value;                                                                         \
  })

/*
 * 21d2e6737c97 "net: add netmem to skb_frag_t" (Linux 6.9). Until then a frag was a struct bio_vec;
 * since then it is a struct of its own. Bit 0 of netmem says that the memory is a device's, which
 * no CPU can read. Drop the first flavour with Linux 6.6.
 */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct page {
  unsigned long flags;
};

struct bio_vec {
  struct page* bv_page;
  unsigned int bv_len;
  unsigned int bv_offset;
};

struct skb_frag {
  unsigned long netmem;
  unsigned int len;
  unsigned int offset;
};

/* The data behind the linear part. Members of frags have one of the two flavours. */
struct skb_shared_info {
  __u8 nr_frags;
  struct sk_buff* frag_list; /* skbs with linear parts and frags of their own */
  struct skb_frag frags[1];
};

#pragma clang attribute pop

#define NETMEM_IS_NO_PAGE 1

struct frag {
  __u64 page; /* a struct page; with NETMEM_IS_NO_PAGE set: not readable */
  __u32 bytes;
  __u32 offset; /* in the page */
};

static __always_inline void read_frag(struct frag* frag, const struct skb_shared_info* shared,
                                      __u32 number) {
  const void* frags = (const void*)shared + bpf_core_field_offset(shared->frags);
  if (bpf_core_field_exists(struct skb_frag, netmem)) {
    const struct skb_frag* now = frags + (__u64)number * bpf_core_type_size(struct skb_frag);
    frag->page = BPF_CORE_READ(now, netmem);
    frag->bytes = BPF_CORE_READ(now, len);
    frag->offset = BPF_CORE_READ(now, offset);
  } else {
    const struct bio_vec* before = frags + (__u64)number * bpf_core_type_size(struct bio_vec);
    frag->page = (__u64)BPF_CORE_READ(before, bv_page);
    frag->bytes = BPF_CORE_READ(before, bv_len);
    frag->offset = BPF_CORE_READ(before, bv_offset);
  }
}

/*
 * No commit, but an architecture: how a struct page becomes an address. x86-64 maps all memory at
 * page_offset_base and describes it in an array at vmemmap_base; pages have 4 KiB. Both variables
 * are randomised at boot. User space sets their values, or else where they lie (page_map.h of the
 * collector). This stays when the first paragraph goes: kernel_consumption walks skbs on every
 * kernel, because the verifier does not trust the skb of a fentry program.
 */
extern __u64 page_offset_base; /* maps.bpf.h */
extern __u64 vmemmap_base;
extern __u64 page_offset_base_address;
extern __u64 vmemmap_base_address;

#define PAGE_BYTES 4096

static __always_inline __u64 kernel_variable(__u64 value, __u64 address) {
  if (value == 0) bpf_probe_read_kernel(&value, sizeof(value), (const void*)address);
  return value;
}

static __always_inline const void* address_of_page(__u64 page) {
  __u64 first = kernel_variable(vmemmap_base, vmemmap_base_address);
  __u64 number = (page - first) / bpf_core_type_size(struct page);
  __u64 base = kernel_variable(page_offset_base, page_offset_base_address);
  return (const void*)(base + number * PAGE_BYTES);
}

/*
 * A crash, seen with Linux 6.12: the verifier dereferences a null pointer when a fentry program of
 * a module's function uses socket storage. bpf_sk_storage_tracing_allowed() looks for the function
 * in the BTF of vmlinux, and finds none. So iscsi_tcp_recv_skb(), which takes the skbs of the
 * kernel's initiator and lies in a module, must not be hooked; the first function that it calls
 * lies in vmlinux. 7569fc94ad0e "bpf: Remove unnecessary BTF lookups in
 * bpf_sk_storage_tracing_allowed" (Linux 6.14) removed the look-up. Drop with Linux 6.12.
 */
#define HOOK_OF_KERNEL_INITIATOR "fentry/skb_prepare_seq_read"

/*
 * 838a10bd2ebf "bpf: Augment raw_tp arguments with PTR_MAYBE_NULL" (Linux 6.13), and before it
 * cb4158ce8ec8 "bpf: Mark raw_tp arguments with PTR_MAYBE_NULL", which some 6.12.y have. The
 * verifier wants the arguments of a module's tracepoint compared with NULL, although no SCSI layer
 * passes NULL. May stay for good: the comparison costs one instruction.
 */
#define IF_NOT_NULL(argument, handler) ((argument) ? (handler) : 0)

/*
 * A policy, no commit: some kernels refuse every iterator over the elements of a map with EPERM.
 * There user space runs an iterator over TCP sockets in each network namespace instead. In the
 * first iterator the verifier allows no index into ctx->value, and the handler looks the storage up
 * again. In the second a socket may be a request or in TIME_WAIT, which have no storage; the helper
 * checks that.
 */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_iter_meta {
  struct seq_file* seq;
};

struct bpf_iter__bpf_sk_storage_map {
  struct bpf_iter_meta* meta;
  struct bpf_map* map;
  struct sock* sk;
  void* value;
};

struct bpf_iter__tcp {
  struct bpf_iter_meta* meta;
  struct sock_common* sk_common;
};

#pragma clang attribute pop

static __always_inline struct sock* socket_of_storage(struct bpf_iter__bpf_sk_storage_map* ctx) {
  return ctx->value ? ctx->sk : NULL;
}

static __always_inline struct sock* socket_of_list(struct bpf_iter__tcp* ctx) {
  return (struct sock*)ctx->sk_common;
}

#endif
