/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's half of the differential test: the very functions that the hooks call, on segments
 * that lie in a map instead of in an skb. Run by BPF_PROG_TEST_RUN.
 */
#include "../../bpf/kernel.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../../bpf/follow.bpf.h"
#include "exchange.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct exchange);
} exchanges SEC(".maps");

struct exchange_follow {
  struct follow follow;
  struct exchange* exchange;
};

/* bpf_loop() calls this: 1 ends the loop. */
static long follow_exchange(__u64 i, struct exchange_follow* turn) {
  enum follow_next next = follow_read(&turn->follow, 0);
  if (next == FOLLOW_CROWDED) spill_command(&turn->follow, &turn->exchange->spill);
  return next == FOLLOW_DONE;
}

struct exchange_turns {
  struct exchange* exchange;
  struct bpf_dynptr* bytes;
};

static long take_segment(__u64 number, struct exchange_turns* turns) {
  struct exchange* exchange = turns->exchange;
  struct lunscope_connection* connection = &exchange->connection;
  if (number >= EXCHANGE_SEGMENTS || number >= exchange->segments) return 1;
  const struct exchange_segment* segment = &exchange->segment[number];
  __u32 end = segment->seq + segment->bytes;
  __u32 direction = segment->direction & 1;
  __u32 hook = direction == LUNSCOPE_SENT ? HOOK_TRANSMIT : HOOK_ARRIVAL;
  struct lunscope_totals* totals = this_cpu_totals(hook);
  if (!totals) return 1;
  enum lunscope_offer offer =
      lunscope_connection_offer(connection, direction, segment->seq, end, segment->seq, totals);
  struct lunscope_spill* spill = connection->inflight.spilled != 0 ? &exchange->spill : NULL;
  if (offer == LUNSCOPE_OFFER_OLD &&
      lunscope_stream_has_passed(&connection->streams[direction], end))
    pass_data(connection, spill, hook, segment->now_ns);
  if (offer != LUNSCOPE_OFFER_NEW) return 0;
  struct exchange_follow turn = {
      .follow = {.connection = connection,
                 .spill = spill,
                 .totals = totals,
                 .reader = {.bytes = turns->bytes},
                 .segment = {.seq = segment->seq, .end = end, .offset = segment->offset},
                 .hook = hook,
                 .passed_to = end,
                 .now_ns = segment->now_ns},
      .exchange = exchange};
  announce_midstream(connection, totals);
  bpf_loop(MAX_READS_PER_SEGMENT, follow_exchange, &turn, 0);
  if (lunscope_troubles(connection) != connection->told) emit_troubles(connection, hook, totals);
  return 0;
}

SEC("syscall")
int exchange(void* context) {
  __u32 zero = 0;
  struct bpf_dynptr bytes;
  struct exchange* exchange = bpf_map_lookup_elem(&exchanges, &zero);
  struct exchange_turns turns = {.exchange = exchange, .bytes = &bytes};
  if (!exchange || bpf_dynptr_from_mem(exchange->bytes, EXCHANGE_BYTES, 0, &bytes)) return 1;
  struct lunscope_totals* received = this_cpu_totals(HOOK_ARRIVAL);
  struct lunscope_totals* sent = this_cpu_totals(HOOK_TRANSMIT);
  if (!received || !sent) return 1;
  /* Where the programs look for them; this one stays on its CPU. */
  __builtin_memset(received, 0, sizeof(*received));
  __builtin_memset(sent, 0, sizeof(*sent));
  bpf_loop(EXCHANGE_SEGMENTS, take_segment, &turns, 0);
  exchange->totals[LUNSCOPE_RECEIVED] = *received;
  exchange->totals[LUNSCOPE_SENT] = *sent;
  return 0;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
