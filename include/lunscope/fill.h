/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fill records. Each function fills a record of a constant size, from the connection, the PDU in
 * the room of one of its streams, and the command that the PDU answers. deliver.h says when a
 * record is due.
 */
#ifndef LUNSCOPE_FILL_H
#define LUNSCOPE_FILL_H

#include "marks.h"
#include "state.h"

/* Bytes of sense in the data segment of the SCSI Response in the room (RFC 7143 section 11.4.7). */
LUNSCOPE_INLINE uint32_t lunscope_sense_bytes(const struct lunscope_stream* stream) {
  uint32_t chunk_bytes = lunscope_stream_chunk_bytes(stream);
  if (chunk_bytes <= 2) return 0;
  uint32_t bytes = lunscope_be16(lunscope_stream_chunk(stream));
  if (bytes > chunk_bytes - 2) bytes = chunk_bytes - 2;
  return bytes > LUNSCOPE_SENSE_BYTES ? LUNSCOPE_SENSE_BYTES : bytes;
}

LUNSCOPE_INLINE void lunscope_fill_header(struct lunscope_record* header,
                                          const struct lunscope_connection* connection,
                                          enum lunscope_record_kind kind, uint32_t bytes,
                                          uint64_t time_ns) {
  header->connection = connection->record.header.connection;
  header->time_ns = time_ns;
  header->bytes = bytes;
  header->abi = LUNSCOPE_ABI;
  header->kind = (uint8_t)kind;
  header->role = connection->record.header.role;
  header->flags = 0;
}

/* Gaps and wrong digests so far. */
LUNSCOPE_INLINE uint32_t lunscope_troubles(const struct lunscope_connection* connection) {
  return connection->record.gaps + connection->record.header_digest_errors;
}

/* The connection's own record is sent from where it lies, and without what only a walk says. flags:
 * to be added. */
LUNSCOPE_INLINE void lunscope_fill_connection(struct lunscope_connection* connection, uint8_t flags,
                                              uint64_t now_ns) {
  connection->record.header.time_ns = now_ns;
  connection->record.header.flags |= flags;
  connection->record.unread_bytes = 0;
  connection->record.has_window = 0;
  connection->record.has_unacknowledged_statuses = 0;
  connection->record.window_waiting_ns = 0;
  connection->record.tcp.is_known = 0;
  connection->told = lunscope_troubles(connection);
}

/* DUE_HEADER. REQUIRES: nothing was read into the room since the header was taken. */
LUNSCOPE_INLINE void lunscope_fill_pdu_header(struct lunscope_header_record* record,
                                              const struct lunscope_connection* connection,
                                              uint32_t direction, uint64_t now_ns) {
  const struct lunscope_stream* stream = &connection->streams[direction & 1];
  uint32_t ahs_bytes = iscsi_ahs_bytes(stream->room);
  if (ahs_bytes > LUNSCOPE_AHS_BYTES) ahs_bytes = 0;
  lunscope_fill_header(&record->header, connection, LUNSCOPE_RECORD_HEADER, sizeof(*record),
                       now_ns);
  lunscope_copy(record->bhs, stream->room, ISCSI_BHS_BYTES);
  record->ahs_bytes = (uint16_t)ahs_bytes;
  record->direction = (uint8_t)direction;
  record->has_wrong_digest = stream->bad_digests;
  __builtin_memset(record->reserved, 0, sizeof(record->reserved));
  if (ahs_bytes != 0) {
    lunscope_copy(record->ahs, stream->room + ISCSI_BHS_BYTES, LUNSCOPE_AHS_BYTES);
  } else {
    __builtin_memset(record->ahs, 0, sizeof(record->ahs));
  }
}

/* DUE_PDU. command: that the PDU answers; 0 for a management PDU. */
LUNSCOPE_INLINE void lunscope_fill_pdu(struct lunscope_pdu_record* record,
                                       const struct lunscope_connection* connection,
                                       uint32_t direction, const struct lunscope_command* command,
                                       uint64_t now_ns) {
  const struct lunscope_stream* stream = &connection->streams[direction & 1];
  uint32_t chunk_bytes = lunscope_stream_chunk_bytes(stream);
  lunscope_fill_header(&record->header, connection, LUNSCOPE_RECORD_PDU, sizeof(*record), now_ns);
  lunscope_copy(record->bhs, stream->room, ISCSI_BHS_BYTES);
  if (command) {
    record->lun = command->lun;
    lunscope_copy16(record->cdb, command->cdb);
  } else {
    record->lun = 0;
    __builtin_memset(record->cdb, 0, sizeof(record->cdb));
  }
  record->chunk_offset = stream->chunk_offset;
  record->chunk_bytes = (uint16_t)chunk_bytes;
  record->direction = (uint8_t)direction;
  record->last = (uint8_t)lunscope_stream_chunk_is_last(stream);
  if (chunk_bytes != 0) {
    lunscope_copy(record->chunk, stream->room + ISCSI_BHS_BYTES, LUNSCOPE_CHUNK_BYTES);
  } else {
    __builtin_memset(record->chunk, 0, sizeof(record->chunk));
  }
}

/* Split the time of a command that is in no gap, if its marks say how. split: zeroed. */
LUNSCOPE_INLINE void lunscope_fill_split(struct lunscope_split_times* split,
                                         const struct lunscope_connection* connection,
                                         const struct lunscope_command* command,
                                         const struct lunscope_times* answer, uint64_t now_ns) {
  if (command->split_is >= LUNSCOPE_SPLIT_TRIAL) return;
  if (lunscope_is_doubtful(command, connection->record.gaps)) return;
  lunscope_split(split, command, answer, now_ns,
                 connection->record.header.role == LUNSCOPE_ROLE_TARGET);
}

/* The part of a command's record that is known when the command begins. answer: of the PDU with its
 * status; 0: none has come. */
LUNSCOPE_INLINE void lunscope_fill_begun_command(struct lunscope_command_record* record,
                                                 const struct lunscope_connection* connection,
                                                 const struct lunscope_command* command,
                                                 const struct lunscope_times* answer,
                                                 uint64_t now_ns) {
  lunscope_fill_header(&record->header, connection, LUNSCOPE_RECORD_COMMAND, sizeof(*record),
                       now_ns);
  if (lunscope_is_doubtful(command, connection->record.gaps))
    record->header.flags = LUNSCOPE_FLAG_GAP;
  record->lun = command->lun;
  /* The hooks of the two directions may run on CPUs whose clocks differ by a few nanoseconds. */
  record->duration_ns = now_ns > command->start_ns ? now_ns - command->start_ns : 0;
  record->itt = ~command->tag;
  record->cmdsn = command->cmdsn;
  record->expected_bytes = command->expected_bytes;
  record->read_bytes = lunscope_read_bytes(command);
  record->written_bytes = lunscope_written_bytes(command);
  lunscope_copy16(record->cdb, command->cdb);
  record->command_flags = command->flags;
  record->sense_bytes = 0;
  record->r2ts = command->r2ts;
  record->retransmits = (uint8_t)(connection->record.retransmits - command->retransmits);
  record->reserved = 0;
  struct lunscope_split_times split = {0};
  lunscope_fill_split(&split, connection, command, answer, now_ns);
  record->known_phases = (uint8_t)split.known;
  for (uint32_t i = 0; i < LUNSCOPE_PHASE_REST; i++) record->phases[i] = split.units[i];
}

/* DUE_COMMAND. REQUIRES: the room holds the status of this command. */
LUNSCOPE_INLINE void lunscope_fill_command(struct lunscope_command_record* record,
                                           const struct lunscope_connection* connection,
                                           uint32_t direction,
                                           const struct lunscope_command* command,
                                           uint64_t now_ns) {
  const struct lunscope_stream* stream = &connection->streams[direction & 1];
  const uint8_t* bhs = stream->room;
  int is_response = iscsi_opcode(bhs) == ISCSI_SCSI_RESPONSE;
  lunscope_fill_begun_command(record, connection, command, &stream->times, now_ns);
  record->residual_bytes = iscsi_residual(bhs);
  record->bidi_residual_bytes = is_response ? iscsi_bidi_residual(bhs) : 0;
  record->response_flags = iscsi_flags(bhs) & ISCSI_RESIDUAL_FLAGS;
  record->response = is_response ? iscsi_response(bhs) : 0;
  record->status = iscsi_status(bhs);
  record->no_status = 0;
  record->cause = 0;
}

/* A command without a status: no_status and cause as in its record. */
LUNSCOPE_INLINE void lunscope_fill_unanswered_command(struct lunscope_command_record* record,
                                                      const struct lunscope_connection* connection,
                                                      const struct lunscope_command* command,
                                                      uint8_t no_status, uint8_t cause,
                                                      uint64_t now_ns) {
  lunscope_fill_begun_command(record, connection, command, 0, now_ns);
  record->residual_bytes = 0;
  record->bidi_residual_bytes = 0;
  record->response_flags = 0;
  record->response = 0;
  record->status = 0;
  record->no_status = no_status;
  record->cause = cause;
}

/* DUE_SWEEP. REQUIRES: the sweep takes this command. */
LUNSCOPE_INLINE void lunscope_fill_swept_command(struct lunscope_command_record* record,
                                                 const struct lunscope_connection* connection,
                                                 const struct lunscope_command* command,
                                                 uint64_t now_ns) {
  uint32_t reason = lunscope_sweep_reason(&connection->sweep, command);
  lunscope_fill_unanswered_command(record, connection, command, (uint8_t)(1 + reason),
                                   connection->sweep.cause, now_ns);
}

/* In a walk: this command, if it is in flight. Returns 0 if the place is free. */
LUNSCOPE_INLINE int lunscope_fill_open_command(struct lunscope_command_record* record,
                                               const struct lunscope_connection* connection,
                                               const struct lunscope_command* command,
                                               uint64_t now_ns) {
  if (command->tag == 0) return 0;
  lunscope_fill_unanswered_command(record, connection, command, LUNSCOPE_OPEN,
                                   (uint8_t)command->is_beyond, now_ns);
  return 1;
}

/* DUE_COMMAND with DUE_SENSE. */
LUNSCOPE_INLINE void lunscope_fill_sensed_command(struct lunscope_sensed_command_record* record,
                                                  const struct lunscope_connection* connection,
                                                  uint32_t direction,
                                                  const struct lunscope_command* command,
                                                  uint64_t now_ns) {
  const struct lunscope_stream* stream = &connection->streams[direction & 1];
  lunscope_fill_command(&record->command, connection, direction, command, now_ns);
  record->command.header.bytes = sizeof(*record);
  record->command.sense_bytes = (uint16_t)lunscope_sense_bytes(stream);
  lunscope_copy(record->sense, stream->room + ISCSI_BHS_BYTES + 2, LUNSCOPE_SENSE_BYTES);
}

/* The list of a walk. Returns the bytes of its record. */
LUNSCOPE_INLINE uint32_t lunscope_fill_inflight(struct lunscope_inflight_record* list,
                                                const struct lunscope_connection* connection) {
  uint32_t bytes = lunscope_inflight_list_bytes(list);
  lunscope_fill_header(&list->header, connection, LUNSCOPE_RECORD_INFLIGHT, bytes, 0);
  return bytes;
}

/* The table, in a walk (time 0) or when the connection closes. Returns the bytes of its record. */
LUNSCOPE_INLINE uint32_t lunscope_fill_aggregates(struct lunscope_aggregates_record* table,
                                                  const struct lunscope_connection* connection,
                                                  uint64_t time_ns) {
  uint32_t bytes = lunscope_aggregates_bytes(table);
  lunscope_fill_header(&table->header, connection, LUNSCOPE_RECORD_AGGREGATES, bytes, time_ns);
  return bytes;
}

#endif
