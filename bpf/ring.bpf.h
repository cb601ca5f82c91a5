/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rings, when a record wakes the collector, and why a record got no room in a ring. */
#ifndef LUNSCOPE_RING_BPF_H
#define LUNSCOPE_RING_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <lunscope/reasons.h>

/* The number of rings, which is a power of two, less 1. */
const volatile __u32 ring_mask = 0;
/* If a ring holds this many bytes, a record wakes the collector, which else drains on a timer. */
const volatile __u64 ring_high_water = 1 << 20;
/* If a ring holds this many bytes, the room that is left is for commands that end with a status. */
const volatile __u64 ring_shared_bytes = 3 << 20;

#define MAX_RINGS 8

/*
 * A ring buffer has one lock. Two CPUs that both report at full speed pay more for that lock than
 * for all else. So there are several rings. A connection (or nexus) has one of them, so that its
 * records stay in order.
 */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, MAX_RINGS);
  __type(key, __u32);
  __array(
      values, struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 4096); /* the collector creates them, in its own size */
      });
} rings SEC(".maps");

/* 1: the collector was woken since this ring was last below its high-water mark. */
__u8 is_woken[MAX_RINGS] = {0};

/* The ring of a connection or nexus with this number. */
static __always_inline __u32 ring_number(__u64 id) { return id & ring_mask & (MAX_RINGS - 1); }

/*
 * No wakeup per record: that costs more than the record. Above the high-water mark the collector is
 * woken once. While it waits for a CPU, each further wakeup would be one more interrupt. Records of
 * two CPUs may race here. The worst result is a wakeup too many, or waiting for the timer.
 */
static __always_inline __u64 ring_wakeup_flags(__u32 number, void* ring) {
  __u8* woken = &is_woken[number & (MAX_RINGS - 1)];
  if (bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) < ring_high_water) {
    if (*woken) *woken = 0;
    return BPF_RB_NO_WAKEUP;
  }
  if (*woken) return BPF_RB_NO_WAKEUP;
  *woken = 1;
  return BPF_RB_FORCE_WAKEUP;
}

/* Is the room that is left only for commands that end with a status? Other records are left out
 * then, so that a burst of logins, closes or requests crowds no command out. */
static __always_inline int ring_is_reserved(void* ring) {
  return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= ring_shared_bytes;
}

/* A reserve fails if the ring is full, and also if its lock is not free in time. */
static __always_inline __u32 loss_of(void* ring, __u32 bytes) {
  if (!ring) return LUNSCOPE_LOSS_BUSY;
  __u64 used = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
  __u64 size = bpf_ringbuf_query(ring, BPF_RB_RING_SIZE);
  return used + bytes + BPF_RINGBUF_HDR_SZ + 8 > size ? LUNSCOPE_LOSS_FULL : LUNSCOPE_LOSS_BUSY;
}

#endif
