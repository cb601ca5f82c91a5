/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records into the ring: reserve, fill, submit. A failure is a named counter, never a silence. */
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

static __always_inline void count_loss(struct lunscope_totals* totals, __u32 loss) {
  if (loss == LUNSCOPE_LOSS_FULL) {
    totals->records_lost[LUNSCOPE_LOSS_FULL]++;
  } else {
    totals->records_lost[LUNSCOPE_LOSS_BUSY]++;
  }
}

static __always_inline void fill_header(struct lunscope_record* header,
                                        const struct lunscope_connection* connection, __u8 kind,
                                        __u32 bytes) {
  header->connection = connection->record.header.connection;
  header->bytes = bytes;
  header->abi = LUNSCOPE_ABI;
  header->kind = kind;
  header->role = connection->record.header.role;
}

/* The connection's own record, as it stands. */
static __always_inline void emit_connection(struct lunscope_connection* connection, __u8 flags,
                                            struct lunscope_totals* totals) {
  void* ring = ring_of(connection);
  connection->record.header.time_ns = bpf_ktime_get_ns();
  connection->record.header.flags |= flags;
  if (!ring || bpf_ringbuf_output(ring, &connection->record, sizeof(connection->record),
                                  wakeup_flags(connection, ring))) {
    count_loss(totals, loss_of(ring, sizeof(connection->record)));
  } else {
    totals->records++;
  }
  connection->record.header.flags &= ~LUNSCOPE_FLAG_OPENED;
}

/* A record of this many bytes, that is to speak of these commands, has no place in the ring. */
static __always_inline void count_command_loss(struct lunscope_totals* totals, __u32 role,
                                               void* ring, __u32 bytes, __u64 commands) {
  __u32 loss = loss_of(ring, bytes);
  count_loss(totals, loss);
  if (loss == LUNSCOPE_LOSS_FULL) {
    totals->commands_unreported[role & LUNSCOPE_ROLE_MASK][LUNSCOPE_UNREPORTED_RING_FULL] +=
        commands;
  } else {
    totals->commands_unreported[role & LUNSCOPE_ROLE_MASK][LUNSCOPE_UNREPORTED_RING_BUSY] +=
        commands;
  }
}

/*
 * The connection's last counts. Should they be lost, commands that were reported when they ended
 * are not after all, but for those that a walk has handed out.
 */
static __always_inline void emit_aggregates(struct lunscope_connection* connection,
                                            struct lunscope_aggregates_record* table,
                                            struct lunscope_totals* totals) {
  __u32 role = connection->record.header.role & LUNSCOPE_ROLE_MASK;
  __u32 bytes = lunscope_aggregates_bytes(table);
  void* ring = ring_of(connection);
  fill_header(&table->header, connection, LUNSCOPE_RECORD_AGGREGATES, bytes);
  table->header.time_ns = bpf_ktime_get_ns();
  LUNSCOPE_BOUND(bytes);
  if (bytes > sizeof(*table)) return;
  if (ring && !bpf_ringbuf_output(ring, table, bytes, wakeup_flags(connection, ring))) {
    totals->records++;
    return;
  }
  __u64 untold = lunscope_aggregates_untold(table);
  totals->commands_reported[role] -= untold;
  count_command_loss(totals, role, ring, bytes, untold);
}

/*
 * The record of a command whose status is in the stream's room, with its sense if it brought any.
 * Two sizes, because a reservation's size must be a constant.
 */
static __always_inline int emit_command(struct lunscope_connection* connection,
                                        struct lunscope_stream* stream,
                                        const struct lunscope_command* command, __u64 now_ns,
                                        struct lunscope_totals* totals) {
  const __u8* bhs = stream->room;
  const __u8* data = lunscope_stream_chunk(stream);
  __u32 data_bytes = iscsi_opcode(bhs) == ISCSI_SCSI_RESPONSE && stream->have > ISCSI_BHS_BYTES
                         ? lunscope_stream_chunk_bytes(stream)
                         : 0;
  __u32 sense_bytes = data_bytes > 2 ? lunscope_be16(data) : 0;
  if (sense_bytes > data_bytes - 2 && sense_bytes != 0) sense_bytes = data_bytes - 2;
  LUNSCOPE_BOUND(sense_bytes);
  if (sense_bytes > LUNSCOPE_SENSE_BYTES) sense_bytes = LUNSCOPE_SENSE_BYTES;

  __u32 bytes = sense_bytes != 0 ? sizeof(struct lunscope_sensed_command_record)
                                 : sizeof(struct lunscope_command_record);
  void* ring = ring_of(connection);
  struct lunscope_command_record* record = NULL;
  if (!ring) {
    /* never: the collector made them all */
  } else if (sense_bytes != 0) {
    struct lunscope_sensed_command_record* sensed =
        bpf_ringbuf_reserve(ring, sizeof(struct lunscope_sensed_command_record), 0);
    record = &sensed->command;
    if (sensed) {
      __builtin_memset(sensed->sense, 0, sizeof(sensed->sense)); /* the ring's old bytes */
      bpf_probe_read_kernel(sensed->sense, sense_bytes, data + 2);
    }
  } else {
    record = bpf_ringbuf_reserve(ring, sizeof(struct lunscope_command_record), 0);
  }
  if (!record) {
    count_command_loss(totals, connection->record.header.role, ring, bytes, 1);
    return -1;
  }
  lunscope_command_fill(record, command, bhs, now_ns, connection->record.gaps);
  fill_header(&record->header, connection, LUNSCOPE_RECORD_COMMAND, bytes);
  record->sense_bytes = sense_bytes;
  bpf_ringbuf_submit(record, wakeup_flags(connection, ring));
  totals->records++;
  return 0;
}

/* The header in the stream's room, whole. REQUIRES: nothing was read into the room since. */
static __always_inline void emit_header(const struct lunscope_connection* connection,
                                        const struct lunscope_stream* stream, __u32 direction,
                                        __u64 now_ns, struct lunscope_totals* totals) {
  void* ring = ring_of(connection);
  struct lunscope_header_record* record =
      ring ? bpf_ringbuf_reserve(ring, sizeof(*record), 0) : NULL;
  if (!record) {
    count_loss(totals, loss_of(ring, sizeof(*record)));
    return;
  }
  __builtin_memset(record, 0, sizeof(*record)); /* the ring's old bytes are not ours to repeat */
  fill_header(&record->header, connection, LUNSCOPE_RECORD_HEADER, sizeof(*record));
  record->header.time_ns = now_ns;
  record->direction = direction;
  record->has_wrong_digest = stream->bad_digests;
  __builtin_memcpy(record->bhs, stream->room, ISCSI_BHS_BYTES);
  __u32 ahs_bytes = iscsi_ahs_bytes(stream->room);
  LUNSCOPE_BOUND(ahs_bytes);
  if (ahs_bytes > LUNSCOPE_AHS_BYTES) ahs_bytes = 0;
  bpf_probe_read_kernel(record->ahs, ahs_bytes, stream->room + ISCSI_BHS_BYTES);
  record->ahs_bytes = ahs_bytes;
  bpf_ringbuf_submit(record, wakeup_flags(connection, ring));
  totals->records++;
}

struct text_copy {
  struct lunscope_text* text;
  const __u8* from;
  struct lunscope_pdu_record* record;
};

/*
 * One byte of negotiation text through the filter, called by bpf_loop(). The count is kept in the
 * record: on the stack the verifier would follow its every value, once for each turn of the loop.
 */
static long copy_text_byte(__u64 i, struct text_copy* copy) {
  __u64 taken = copy->record->chunk_bytes;
  if (i >= LUNSCOPE_CHUNK_BYTES || taken >= LUNSCOPE_CHUNK_BYTES) return 1;
  __u8 byte = copy->from[i];
  if (!lunscope_text_take(copy->text, byte)) return 0;
  copy->record->chunk[taken] = byte;
  copy->record->chunk_bytes = taken + 1;
  return 0;
}

/* The same when there is no record: the filter must know every byte, or it would lose its place. */
static long pass_text_byte(__u64 i, struct text_copy* copy) {
  if (i >= LUNSCOPE_CHUNK_BYTES) return 1;
  lunscope_text_take(copy->text, copy->from[i]);
  return 0;
}

/* A management PDU, or a Data-In that explains a LUN, with the chunk of data in the room. */
static __always_inline void emit_pdu(struct lunscope_connection* connection,
                                     struct lunscope_stream* stream, __u32 direction,
                                     const struct lunscope_command* command, __u64 now_ns,
                                     struct lunscope_totals* totals) {
  void* ring = ring_of(connection);
  struct lunscope_pdu_record* record = ring ? bpf_ringbuf_reserve(ring, sizeof(*record), 0) : NULL;
  struct text_copy copy = {.text = &connection->texts[direction & 1],
                           .from = lunscope_stream_chunk(stream),
                           .record = record};
  __u32 chunk_bytes = stream->have > ISCSI_BHS_BYTES ? lunscope_stream_chunk_bytes(stream) : 0;
  int is_text = lunscope_is_text(iscsi_opcode(stream->room));
  if (!record) {
    if (is_text) bpf_loop(chunk_bytes, pass_text_byte, &copy, 0);
    count_loss(totals, loss_of(ring, sizeof(*record)));
    return;
  }
  __builtin_memset(record, 0, sizeof(*record)); /* the ring's old bytes are not ours to repeat */
  fill_header(&record->header, connection, LUNSCOPE_RECORD_PDU, sizeof(*record));
  record->header.time_ns = now_ns;
  __builtin_memcpy(record->bhs, stream->room, ISCSI_BHS_BYTES);
  if (command) {
    record->lun = command->lun;
    __builtin_memcpy(record->cdb, command->cdb, ISCSI_CDB_BYTES);
  }
  record->chunk_offset = stream->chunk_offset;
  record->direction = direction;
  record->last = stream->have <= ISCSI_BHS_BYTES || lunscope_stream_chunk_is_last(stream);
  if (is_text) {
    bpf_loop(chunk_bytes, copy_text_byte, &copy, 0);
  } else if (chunk_bytes != 0) {
    LUNSCOPE_BOUND(chunk_bytes);
    if (chunk_bytes > LUNSCOPE_CHUNK_BYTES) chunk_bytes = LUNSCOPE_CHUNK_BYTES;
    bpf_probe_read_kernel(record->chunk, chunk_bytes, lunscope_stream_chunk(stream));
    record->chunk_bytes = chunk_bytes;
  }
  bpf_ringbuf_submit(record, wakeup_flags(connection, ring));
  totals->records++;
}

#endif
