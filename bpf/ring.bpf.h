/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When a record wakes the collector, and why a record did not get into a ring.
 *
 * REQUIRES: what is included before has the rings' knobs and maps: MAX_RINGS, ring_high_water and
 * is_woken.
 */
#ifndef LUNSCOPE_RING_BPF_H
#define LUNSCOPE_RING_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <lunscope/event.h>

/*
 * No wakeup per record (it costs more than the record): the collector drains on a timer. Above the
 * high-water mark it is woken, once: while it waits for a CPU, each further wakeup would be one
 * more interrupt. Records of two CPUs may race here, at worst for a wakeup too many or for the
 * timer.
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

/* A reserve fails when the ring is full, and also when its lock is not to be had in time. */
static __always_inline __u32 loss_of(void* ring, __u32 bytes) {
  if (!ring) return LUNSCOPE_LOSS_BUSY;
  __u64 used = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
  __u64 size = bpf_ringbuf_query(ring, BPF_RB_RING_SIZE);
  return used + bytes + BPF_RINGBUF_HDR_SZ + 8 > size ? LUNSCOPE_LOSS_FULL : LUNSCOPE_LOSS_BUSY;
}

#endif
