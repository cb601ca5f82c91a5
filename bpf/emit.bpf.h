/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sink of the kernel half: records into the ring. The engine says which records are due
 * (lunscope/deliver.h). Here each is reserved, filled, submitted and reported as delivered or lost.
 */
#ifndef LUNSCOPE_EMIT_BPF_H
#define LUNSCOPE_EMIT_BPF_H

#include "maps.bpf.h"
#include "ring.bpf.h"

static __always_inline void* ring_of(const struct lunscope_connection* connection) {
  __u32 number = ring_number(connection->record.header.connection);
  return bpf_map_lookup_elem(&rings, &number);
}

static __always_inline __u64 wakeup_flags(const struct lunscope_connection* connection,
                                          void* ring) {
  return ring_wakeup_flags(ring_number(connection->record.header.connection), ring);
}

/* Why a record of this many bytes got no room in the ring. */
static __always_inline enum lunscope_delivery lost(void* ring, __u32 bytes) {
  return loss_of(ring, bytes) == LUNSCOPE_LOSS_FULL ? LUNSCOPE_LOST_FULL : LUNSCOPE_LOST_BUSY;
}

/* May a record that is no command's status have room? Else why not. */
static __always_inline enum lunscope_delivery admit(void* ring) {
  if (!ring) return LUNSCOPE_LOST_BUSY;
  return ring_is_reserved(ring) ? LUNSCOPE_LOST_RESERVED : LUNSCOPE_DELIVERED;
}

/* The same for a record of a PDU, which a peer may repeat without end. */
static __always_inline enum lunscope_delivery admit_pdu(void* ring, struct lunscope_stream* stream,
                                                        __u64 now_ns) {
  return lunscope_rate_allows(stream, now_ns) ? admit(ring) : LUNSCOPE_LOST_RATE;
}

/* The connection's own record. */
static __always_inline void emit_connection(struct lunscope_connection* connection, __u8 flags,
                                            struct lunscope_totals* totals) {
  void* ring = ring_of(connection);
  enum lunscope_delivery delivery = admit(ring);
  lunscope_fill_connection(connection, flags, bpf_ktime_get_ns());
  if (delivery == LUNSCOPE_DELIVERED &&
      bpf_ringbuf_output(ring, &connection->record, sizeof(connection->record),
                         wakeup_flags(connection, ring)))
    delivery = lost(ring, sizeof(connection->record));
  lunscope_connection_announced(connection, delivery, totals);
}

/* The connection has a gap or a wrong digest that no record tells yet. A peer may repeat that
 * without end; what has no room now is in a later record. */
LUNSCOPE_SUBPROGRAM int emit_troubles(struct lunscope_connection* connection, __u32 hook,
                                      struct lunscope_totals* totals) {
  if (!connection || !totals) return 0;
  struct lunscope_stream* stream = &connection->streams[direction_at(hook)];
  if (lunscope_rate_allows(stream, bpf_ktime_get_ns())) emit_connection(connection, 0, totals);
  return 0;
}

/* The connection's last counts. */
static __always_inline void emit_aggregates(struct lunscope_connection* connection,
                                            struct lunscope_aggregates_record* table,
                                            struct lunscope_totals* totals) {
  void* ring = ring_of(connection);
  enum lunscope_delivery delivery = LUNSCOPE_DELIVERED;
  __u32 bytes = lunscope_fill_aggregates(table, connection, bpf_ktime_get_ns());
  LUNSCOPE_BOUND(bytes);
  if (bytes > sizeof(*table)) return;
  if (!ring || bpf_ringbuf_output(ring, table, bytes, wakeup_flags(connection, ring)))
    delivery = lost(ring, bytes);
  lunscope_aggregates_delivered(connection, table, delivery, totals);
}

static __always_inline enum lunscope_delivery submit_command(struct lunscope_connection* connection,
                                                             const struct lunscope_command* command,
                                                             __u32 direction, __u64 now_ns) {
  void* ring = ring_of(connection);
  struct lunscope_command_record* record =
      ring ? bpf_ringbuf_reserve(ring, sizeof(*record), 0) : NULL;
  if (!record) return lost(ring, sizeof(*record));
  lunscope_fill_command(record, connection, direction, command, now_ns);
  bpf_ringbuf_submit(record, wakeup_flags(connection, ring));
  return LUNSCOPE_DELIVERED;
}

static __always_inline enum lunscope_delivery submit_sensed_command(
    struct lunscope_connection* connection, const struct lunscope_command* command, __u32 direction,
    __u64 now_ns) {
  void* ring = ring_of(connection);
  struct lunscope_sensed_command_record* record =
      ring ? bpf_ringbuf_reserve(ring, sizeof(*record), 0) : NULL;
  if (!record) return lost(ring, sizeof(*record));
  lunscope_fill_sensed_command(record, connection, direction, command, now_ns);
  bpf_ringbuf_submit(record, wakeup_flags(connection, ring));
  return LUNSCOPE_DELIVERED;
}

/* hook: with five arguments there is no room for totals and direction, which follow from it. */
LUNSCOPE_SUBPROGRAM int emit_command(struct lunscope_connection* connection,
                                     struct lunscope_spill* spill,
                                     struct lunscope_aggregates_record* aggregates, __u32 hook,
                                     __u64 now_ns) {
  struct lunscope_totals* totals = this_cpu_totals(hook);
  __u32 direction = direction_at(hook);
  if (!connection || !totals) return 0;
  const struct lunscope_stream* stream = &connection->streams[direction];
  const struct lunscope_command* command = lunscope_due_command(connection, spill, direction);
  enum lunscope_delivery delivery = LUNSCOPE_ADDED_UP;
  if (!command) return 0;
  if (last_step >= LUNSCOPE_STEP_EMIT &&
      !(aggregates_commands &&
        lunscope_add_up(aggregates, connection, direction, command, now_ns, slow_command_ns)))
    delivery = stream->due & LUNSCOPE_DUE_SENSE
                   ? submit_sensed_command(connection, command, direction, now_ns)
                   : submit_command(connection, command, direction, now_ns);
  lunscope_connection_delivered(connection, spill, direction, LUNSCOPE_DUE_COMMAND, delivery,
                                totals);
  return 0;
}

struct sweep {
  struct lunscope_connection* connection;
  struct lunscope_spill* spill;
  struct lunscope_totals* totals;
  __u64 now_ns;
};

/* Sweep one place of the tables. bpf_loop() calls this, so the verifier checks one turn only. */
static long sweep_place(__u64 place, struct sweep* sweep) {
  struct lunscope_connection* connection = sweep->connection;
  struct lunscope_command* command = lunscope_swept_command(connection, sweep->spill, place);
  if (!command) return 0;
  void* ring = ring_of(connection);
  enum lunscope_delivery delivery = admit(ring);
  struct lunscope_command_record* record =
      delivery == LUNSCOPE_DELIVERED ? bpf_ringbuf_reserve(ring, sizeof(*record), 0) : NULL;
  if (record) {
    lunscope_fill_swept_command(record, connection, command, sweep->now_ns);
    bpf_ringbuf_submit(record, wakeup_flags(connection, ring));
  } else if (delivery == LUNSCOPE_DELIVERED) {
    delivery = lost(ring, sizeof(*record));
  }
  lunscope_connection_swept(connection, sweep->spill, command, delivery, sweep->totals);
  return 0;
}

/* Emit a record for each command that ends without a status now, and end it. */
LUNSCOPE_SUBPROGRAM int emit_swept(struct lunscope_connection* connection,
                                   struct lunscope_spill* spill, __u64 now_ns,
                                   struct lunscope_totals* totals) {
  if (!connection || !totals) return 0;
  struct sweep sweep = {
      .connection = connection, .spill = spill, .totals = totals, .now_ns = now_ns};
  bpf_loop(lunscope_inflight_places(spill), sweep_place, &sweep, 0);
  return 0;
}

LUNSCOPE_SUBPROGRAM int emit_pdu_header(struct lunscope_connection* connection, __u32 direction,
                                        __u64 now_ns, struct lunscope_totals* totals) {
  if (!connection || !totals) return 0;
  void* ring = ring_of(connection);
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  /* If all headers are wanted, there is no limit but the room. */
  enum lunscope_delivery delivery =
      stream->shows_headers ? admit(ring) : admit_pdu(ring, stream, now_ns);
  struct lunscope_header_record* record =
      delivery == LUNSCOPE_DELIVERED ? bpf_ringbuf_reserve(ring, sizeof(*record), 0) : NULL;
  if (record) {
    lunscope_fill_pdu_header(record, connection, direction, now_ns);
    bpf_ringbuf_submit(record, wakeup_flags(connection, ring));
  } else if (delivery == LUNSCOPE_DELIVERED) {
    delivery = lost(ring, sizeof(*record));
  }
  lunscope_connection_delivered(connection, NULL, direction, LUNSCOPE_DUE_HEADER, delivery, totals);
  return 0;
}

LUNSCOPE_SUBPROGRAM int emit_pdu(struct lunscope_connection* connection,
                                 struct lunscope_spill* spill, __u32 direction, __u64 now_ns,
                                 struct lunscope_totals* totals) {
  if (!connection || !totals) return 0;
  void* ring = ring_of(connection);
  enum lunscope_delivery delivery = admit_pdu(ring, &connection->streams[direction & 1], now_ns);
  const struct lunscope_command* command = lunscope_due_command(connection, spill, direction);
  struct lunscope_pdu_record* record =
      delivery == LUNSCOPE_DELIVERED ? bpf_ringbuf_reserve(ring, sizeof(*record), 0) : NULL;
  if (record) {
    lunscope_fill_pdu(record, connection, direction, command, now_ns);
    bpf_ringbuf_submit(record, wakeup_flags(connection, ring));
  } else if (delivery == LUNSCOPE_DELIVERED) {
    delivery = lost(ring, sizeof(*record));
  }
  lunscope_connection_delivered(connection, spill, direction, LUNSCOPE_DUE_PDU, delivery, totals);
  return 0;
}

#endif
