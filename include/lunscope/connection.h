/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One end of one iSCSI connection: what to do with each PDU. This is where framing and pairing
 * meet; the caller only reads bytes and emits records.
 *
 * When lunscope_stream_take() is unsure, let lunscope_connection_settle() say what is there. For
 * every header call lunscope_connection_header() and do as it says; for every chunk, deliver.
 * "Deliver" means: the room of the stream holds a BHS and maybe a chunk of data that the collector
 * is to be told of.
 */
#ifndef LUNSCOPE_CONNECTION_H
#define LUNSCOPE_CONNECTION_H

#include "boundary.h"

enum lunscope_header {
  LUNSCOPE_HEADER_SKIP,    /* go on with the next bytes */
  LUNSCOPE_HEADER_GATHER,  /* go on: the PDU is delivered when its chunk is there */
  LUNSCOPE_HEADER_DELIVER, /* deliver now */
  LUNSCOPE_HEADER_CROWDED, /* a command for which there is no place: lunscope_connection_spill() */
  LUNSCOPE_HEADER_LOST,    /* no header: these bytes are given up */
};

LUNSCOPE_INLINE int lunscope_is_login(uint8_t opcode) {
  return opcode == ISCSI_LOGIN_REQUEST || opcode == ISCSI_LOGIN_RESPONSE;
}

LUNSCOPE_INLINE int lunscope_is_text(uint8_t opcode) {
  return lunscope_is_login(opcode) || opcode == ISCSI_TEXT_REQUEST || opcode == ISCSI_TEXT_RESPONSE;
}

LUNSCOPE_INLINE int lunscope_header_fits(const struct lunscope_connection* connection,
                                         uint32_t direction) {
  const struct lunscope_stream* stream = &connection->streams[direction & 1];
  if (!iscsi_fits(stream->room, direction, connection->record.header.role)) return 0;
  return stream->sync != LUNSCOPE_SYNC_FIRST || lunscope_is_login(iscsi_opcode(stream->room)) ||
         iscsi_opcode(stream->room) == ISCSI_REJECT;
}

/* The command whose header is in the room is in flight from now on. */
LUNSCOPE_INLINE enum lunscope_header lunscope_connection_begin_command(
    struct lunscope_connection* connection, struct lunscope_spill* spill, uint32_t direction,
    uint64_t now_ns, struct lunscope_totals* totals) {
  const uint8_t* bhs = connection->streams[direction & 1].room;
  /* While the way back is not followed, answers are missed: mark the command as spanning a gap. */
  uint32_t is_followed = connection->record.followed[~direction & 1];
  uint32_t gaps = is_followed ? connection->record.gaps : connection->record.gaps - 1;
  uint32_t role = connection->record.header.role & LUNSCOPE_ROLE_MASK;
  switch (lunscope_inflight_begin(&connection->inflight, spill, bhs, now_ns, gaps)) {
    case LUNSCOPE_CROWDED: return LUNSCOPE_HEADER_CROWDED;
    case LUNSCOPE_REFUSED:
      totals->commands_unreported[role][LUNSCOPE_UNREPORTED_TABLE_FULL]++;
      break;
    case LUNSCOPE_BEGUN_ANEW:
      totals->commands_unreported[role][LUNSCOPE_UNREPORTED_ITT_REUSED]++;
      break;
    case LUNSCOPE_BEGUN: totals->commands_in_flight[role]++; break;
  }
  return LUNSCOPE_HEADER_SKIP;
}

/* After HEADER_CROWDED: here is a spill (zeroed before its first use), or 0: none is to be had. */
LUNSCOPE_SUBPROGRAM int lunscope_connection_spill(struct lunscope_connection* connection,
                                                  struct lunscope_spill* spill, uint32_t direction,
                                                  uint64_t now_ns, struct lunscope_totals* totals) {
  if (!connection || !totals) return 0;
  uint32_t role = connection->record.header.role & LUNSCOPE_ROLE_MASK;
  if (spill) {
    lunscope_connection_begin_command(connection, spill, direction, now_ns, totals);
  } else {
    totals->commands_unreported[role][LUNSCOPE_UNREPORTED_TABLE_FULL]++;
  }
  return 0;
}

/* Data bytes of this PDU that the collector wants to see; 0: none. */
LUNSCOPE_INLINE uint32_t lunscope_wanted_bytes(const uint8_t* bhs, const uint8_t* cdb) {
  uint32_t bytes = iscsi_data_bytes(bhs);
  uint32_t limit = 0;
  switch (iscsi_opcode(bhs)) {
    case ISCSI_LOGIN_REQUEST:
    case ISCSI_LOGIN_RESPONSE:
    case ISCSI_TEXT_REQUEST:
    case ISCSI_TEXT_RESPONSE: return bytes;
    case ISCSI_SCSI_RESPONSE:
    case ISCSI_ASYNC_MESSAGE: limit = 2 + LUNSCOPE_SENSE_BYTES; break;
    case ISCSI_REJECT: limit = ISCSI_BHS_BYTES; break;
    case ISCSI_DATA_IN:
      if (cdb != 0 && iscsi_buffer_offset(bhs) == 0) limit = lunscope_explaining_bytes(cdb);
      break;
    default: break;
  }
  return bytes < limit ? bytes : limit;
}

/*
 * A header with a wrong digest: its receiver drops that PDU (RFC 7143 section 7.8). Where it ends
 * is still believed, for one flipped bit is seldom in a length; a second wrong digest in a row says
 * that it was.
 */
LUNSCOPE_INLINE enum lunscope_header lunscope_connection_drop(
    struct lunscope_connection* connection, struct lunscope_stream* stream, uint32_t direction) {
  connection->record.header_digest_errors++;
  if (stream->bad_digests != 0) return LUNSCOPE_HEADER_LOST;
  stream->bad_digests = 1;
  connection->texts[direction & 1].known = 0; /* no text goes on from what was dropped */
  connection->record.traffic[direction & 1].bytes += lunscope_stream_frame(stream);
  return LUNSCOPE_HEADER_SKIP;
}

/* Task management: what it asks for is kept, what it has done ends commands. */
LUNSCOPE_SUBPROGRAM int lunscope_connection_manage(struct lunscope_connection* connection,
                                                   struct lunscope_spill* spill, uint32_t direction,
                                                   struct lunscope_totals* totals) {
  if (!connection || !totals) return 0;
  const uint8_t* bhs = connection->streams[direction & 1].room;
  if (iscsi_opcode(bhs) == ISCSI_TASK_REQUEST) {
    lunscope_abort_ask(&connection->task_requests, bhs);
  } else {
    uint32_t ended =
        lunscope_abort_done(&connection->task_requests, &connection->inflight, spill, bhs);
    lunscope_totals_give_up(totals, connection->record.header.role, LUNSCOPE_UNREPORTED_ABORTED,
                            ended);
  }
  return 0;
}

/* Is a record due when this PDU is complete, beyond being counted? */
LUNSCOPE_INLINE int lunscope_is_delivered(const uint8_t* bhs) {
  switch (iscsi_opcode(bhs)) {
    case ISCSI_SCSI_COMMAND:
    case ISCSI_DATA_OUT:
    case ISCSI_R2T: return 0;
    case ISCSI_DATA_IN: return (iscsi_flags(bhs) & ISCSI_DATA_IN_STATUS) != 0;
    default: return 1;
  }
}

/* spill: 0 if the connection has none in use. */
LUNSCOPE_SUBPROGRAM enum lunscope_header lunscope_connection_header(
    struct lunscope_connection* connection, struct lunscope_spill* spill, uint32_t direction,
    uint64_t now_ns, struct lunscope_totals* totals) {
  if (!connection || !totals) return LUNSCOPE_HEADER_SKIP;
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  const uint8_t* bhs = stream->room;
  const uint8_t* cdb = 0;
  int is_candidate = stream->sync == LUNSCOPE_SYNC_CANDIDATE;
  if (stream->header_digest && (connection->checks_header_digest || is_candidate)) {
    if (!lunscope_stream_digest_fits(stream, 0))
      return is_candidate ? LUNSCOPE_HEADER_LOST
                          : lunscope_connection_drop(connection, stream, direction);
    stream->bad_digests = 0;
  }
  if (!lunscope_header_fits(connection, direction)) return LUNSCOPE_HEADER_LOST;

  if (is_candidate) {
    if (!lunscope_sync_believes(stream, &connection->streams[~direction & 1])) {
      lunscope_stream_frame(stream);
      return LUNSCOPE_HEADER_SKIP;
    }
    lunscope_stream_count_unparsed(stream, stream->trial, stream->next - stream->have, totals);
    totals->resyncs[stream->lost_reason & LUNSCOPE_REASON_MASK]++;
    connection->record.followed[direction & 1] = 1;
    lunscope_connection_learn_digests(connection, direction);
  }
  stream->sync = LUNSCOPE_SYNC_FOLLOWED;
  if (connection->record.header.role == LUNSCOPE_ROLE_UNKNOWN)
    connection->record.header.role = iscsi_role_of(bhs, direction);

  struct lunscope_traffic* traffic = &connection->record.traffic[direction & 1];
  traffic->pdus[iscsi_opcode(bhs) & 0x1f]++;
  traffic->bytes += lunscope_stream_frame(stream);

  uint8_t opcode = iscsi_opcode(bhs);
  if (opcode == ISCSI_SCSI_COMMAND) {
    totals->commands_seen[connection->record.header.role & LUNSCOPE_ROLE_MASK]++;
    return lunscope_connection_begin_command(connection, spill, direction, now_ns, totals);
  }
  if (opcode == ISCSI_DATA_IN || opcode == ISCSI_DATA_OUT) {
    struct lunscope_command* command =
        lunscope_inflight_find(&connection->inflight, spill, iscsi_itt(bhs));
    if (command) {
      command->transferred_bytes += iscsi_data_bytes(bhs);
      cdb = command->cdb;
    }
  }
  if (opcode == ISCSI_TASK_REQUEST || opcode == ISCSI_TASK_RESPONSE)
    lunscope_connection_manage(connection, spill, direction, totals);
  uint32_t wanted = lunscope_wanted_bytes(bhs, cdb);
  if (wanted != 0) {
    lunscope_stream_capture(stream, wanted);
    return LUNSCOPE_HEADER_GATHER;
  }
  return lunscope_is_delivered(bhs) ? LUNSCOPE_HEADER_DELIVER : LUNSCOPE_HEADER_SKIP;
}

/* A Reject is complete, with as much of the header that it returns as was in its data segment. */
LUNSCOPE_INLINE void lunscope_connection_reject(struct lunscope_connection* connection,
                                                struct lunscope_spill* spill, uint32_t direction,
                                                struct lunscope_totals* totals) {
  const struct lunscope_stream* stream = &connection->streams[direction & 1];
  if (stream->have < 2 * ISCSI_BHS_BYTES) return;
  uint32_t ended =
      lunscope_abort_rejected(&connection->inflight, spill, lunscope_stream_chunk(stream));
  lunscope_totals_give_up(totals, connection->record.header.role, LUNSCOPE_UNREPORTED_REJECTED,
                          ended);
}

/* The connection ends: nobody will answer what is in flight, or go on with what is on trial. */
LUNSCOPE_INLINE void lunscope_connection_close(struct lunscope_connection* connection,
                                               struct lunscope_totals* totals) {
  lunscope_totals_give_up(totals, connection->record.header.role,
                          LUNSCOPE_UNREPORTED_CONNECTION_CLOSED,
                          lunscope_inflight_count(&connection->inflight));
  connection->inflight.ended = connection->inflight.begun;
  lunscope_connection_end_trials(connection, totals);
}

/*
 * A text PDU is complete. Without C its last key is, too. A digest is what the side that was asked
 * answered, so what was said last (RFC 7143 section 6.2); it comes into effect, both ways, with the
 * Login Response that opens the full feature phase (sections 6.3.4 and 13.1).
 */
LUNSCOPE_INLINE void lunscope_connection_end_text(struct lunscope_connection* connection,
                                                  uint32_t direction) {
  const uint8_t* bhs = connection->streams[direction & 1].room;
  struct lunscope_text* text = &connection->texts[direction & 1];
  if (!(iscsi_flags(bhs) & ISCSI_FLAG_CONTINUE)) {
    lunscope_text_end_value(text); /* also where the NUL of the last key is missing */
    lunscope_text_next_key(text);
  }
  if (!lunscope_is_login(iscsi_opcode(bhs))) return;
  if (text->header_digest != LUNSCOPE_DIGEST_UNSAID)
    connection->header_digest = text->header_digest;
  if (text->data_digest != LUNSCOPE_DIGEST_UNSAID) connection->data_digest = text->data_digest;
  text->header_digest = LUNSCOPE_DIGEST_UNSAID;
  text->data_digest = LUNSCOPE_DIGEST_UNSAID;
  if (iscsi_opcode(bhs) != ISCSI_LOGIN_RESPONSE || !iscsi_login_is_complete(bhs)) return;
  connection->record.header_digest = connection->header_digest == LUNSCOPE_DIGEST_CRC32C;
  connection->record.data_digest = connection->data_digest == LUNSCOPE_DIGEST_CRC32C;
  for (uint32_t i = 0; i < LUNSCOPE_DIRECTIONS; i++)
    lunscope_stream_use_digests(&connection->streams[i], connection->record.header_digest,
                                connection->record.data_digest);
}

#endif
