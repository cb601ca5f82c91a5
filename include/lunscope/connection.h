/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One end of one iSCSI connection: judge each PDU. Framing (stream.h) and pairing (command.h) meet
 * here; the caller only reads bytes and delivers records.
 *
 * If lunscope_stream_take() is unsure, call lunscope_connection_settle(). For every header call
 * lunscope_connection_header(), and then lunscope_connection_act() if it says so. For every chunk
 * call lunscope_connection_chunk(), or lunscope_connection_act() if it is text. After either, call
 * lunscope_connection_reach_end(), deliver the records that stream->due names (deliver.h), and then
 * call lunscope_connection_begin() if the header said so.
 */
#ifndef LUNSCOPE_CONNECTION_H
#define LUNSCOPE_CONNECTION_H

#include "begin.h"
#include "boundary.h"
#include "deliver.h"
#include "negotiation.h"
#include "statuses.h"
#include "transfer.h"
#include "window.h"

LUNSCOPE_INLINE int lunscope_header_fits(const struct lunscope_connection* connection,
                                         uint32_t direction) {
  const struct lunscope_stream* stream = &connection->streams[direction & 1];
  if (!iscsi_fits(stream->room, direction, connection->record.header.role)) return 0;
  return stream->sync != LUNSCOPE_SYNC_FIRST || lunscope_is_login(iscsi_opcode(stream->room)) ||
         iscsi_opcode(stream->room) == ISCSI_REJECT;
}

/* How many data bytes of this PDU to gather; 0 if none. cdb: of the command, or 0. */
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
 * A header with a wrong digest: its receiver drops the PDU (RFC 7143 section 7.8). The length in
 * such a header is still believed, because one flipped bit is seldom in the length. A second wrong
 * digest in a row says that it was.
 */
LUNSCOPE_INLINE enum lunscope_header lunscope_connection_drop(
    struct lunscope_connection* connection, struct lunscope_stream* stream, uint32_t direction) {
  connection->record.header_digest_errors++;
  if (stream->bad_digests != 0) return LUNSCOPE_HEADER_LOST;
  stream->bad_digests = 1;
  connection->texts[direction & 1].known = 0; /* the next text does not go on from a dropped PDU */
  connection->record.traffic[direction & 1].bytes += lunscope_stream_frame(stream);
  return LUNSCOPE_HEADER_FOLLOWED;
}

/* Task management: keep a request, and end the commands that a response says are ended. */
LUNSCOPE_INLINE void lunscope_connection_manage(struct lunscope_connection* connection,
                                                uint32_t direction) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  if (iscsi_opcode(stream->room) == ISCSI_TASK_REQUEST) {
    lunscope_abort_ask(&connection->task_requests, stream->room);
  } else if (lunscope_abort_done(&connection->task_requests, &connection->sweep, stream->room)) {
    stream->due |= LUNSCOPE_DUE_SWEEP;
  }
}

/* Does a PDU of this kind do something when its header is complete and has no data? */
LUNSCOPE_INLINE int lunscope_acts(uint8_t opcode) {
  return lunscope_is_text(opcode) || opcode == ISCSI_TASK_REQUEST || opcode == ISCSI_TASK_RESPONSE;
}

/*
 * After HEADER_ACT, and when a chunk of text is in the room. A function apart from
 * lunscope_connection_header() and _chunk(): the stack of all functions that call each other must
 * fit into 512 bytes, and what this one calls is deep.
 */
LUNSCOPE_SUBPROGRAM int lunscope_connection_act(struct lunscope_connection* connection,
                                                uint32_t direction) {
  if (!connection) return 0;
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  if (stream->capture_bytes != 0) stream->due = 0; /* the header's records were delivered */
  if (lunscope_is_text(iscsi_opcode(stream->room))) {
    lunscope_connection_read_text(connection, direction);
    if (stream->capture_bytes != 0) lunscope_stream_keep(stream, stream->have);
  } else {
    lunscope_connection_manage(connection, direction);
  }
  stream->due |= (uint8_t)lunscope_due_of(connection, stream);
  return 0;
}

/* The number of a stream's trial, in a command and in a sweep: never 0. */
LUNSCOPE_INLINE uint32_t lunscope_trial_number(const struct lunscope_stream* stream) {
  return stream->trial | 1;
}

/*
 * A trial is believed with the header in the room: the boundaries of this direction are known. If
 * the PDUs of the trial can still be read, follow them again, from the first one on. Returns 1
 * then.
 */
LUNSCOPE_INLINE int lunscope_connection_end_trial(struct lunscope_connection* connection,
                                                  uint32_t direction,
                                                  struct lunscope_totals* totals) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  int is_there = lunscope_distance(stream->from, stream->trial) >= 0;
  if (!is_there) {
    lunscope_stream_count_unparsed(stream, stream->trial, stream->next - stream->have, totals);
    lunscope_sweep_many(&connection->sweep, LUNSCOPE_SWEEP_TRIAL, LUNSCOPE_UNREPORTED_GAP);
    connection->sweep.tag = lunscope_trial_number(stream);
    stream->due |= LUNSCOPE_DUE_SWEEP;
  }
  totals->resyncs[stream->lost_reason & LUNSCOPE_REASON_MASK]++;
  connection->record.followed[direction & 1] = 1;
  lunscope_connection_learn_digests(connection, direction);
  if (is_there) {
    stream->sync = LUNSCOPE_SYNC_FOLLOWED;
    lunscope_stream_expect_header(stream, stream->trial);
  }
  return is_there;
}

/* After HEADER_TRIAL. If the header has a status, and the trial is believed but cannot be followed
 * again, its command has ended. */
LUNSCOPE_SUBPROGRAM int lunscope_connection_note_trial(struct lunscope_connection* connection,
                                                       struct lunscope_spill* spill,
                                                       uint32_t direction) {
  if (!connection) return 0;
  const struct lunscope_stream* stream = &connection->streams[direction & 1];
  if (!iscsi_has_status(stream->room)) return 0;
  struct lunscope_command* command =
      lunscope_inflight_find(&connection->inflight, spill, iscsi_itt(stream->room));
  if (!command) return 0;
  lunscope_command_drop_phases(command, LUNSCOPE_SPLIT_TRIAL);
  command->split = lunscope_trial_number(stream);
  return 0;
}

/* Count the PDU whose header is in the room, and go to its end. Its role may be the first known. */
LUNSCOPE_INLINE void lunscope_connection_account(struct lunscope_connection* connection,
                                                 uint32_t direction) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  struct lunscope_traffic* traffic = &connection->record.traffic[direction & 1];
  stream->sync = LUNSCOPE_SYNC_FOLLOWED;
  if (connection->record.header.role == LUNSCOPE_ROLE_UNKNOWN)
    connection->record.header.role = iscsi_role_of(stream->room, direction);
  traffic->pdus[iscsi_opcode(stream->room) & 0x1f]++;
  traffic->bytes += lunscope_stream_frame(stream);
}

/* Find the command that the PDU in the room belongs to. Returns it, or 0 if it is not in flight. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_connection_find(
    struct lunscope_connection* connection, struct lunscope_spill* spill, uint32_t direction) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  struct lunscope_command* command =
      lunscope_inflight_find(&connection->inflight, spill, iscsi_itt(stream->room));
  stream->place = LUNSCOPE_NO_PLACE;
  if (command)
    stream->place = (uint16_t)lunscope_inflight_number(&connection->inflight, spill, command);
  return command;
}

/* Take note of the numbers of the PDU in the room, a CmdSN or a StatSN (doubt.h). */
LUNSCOPE_INLINE void lunscope_connection_number(struct lunscope_connection* connection,
                                                uint32_t direction, uint64_t now_ns) {
  const uint8_t* bhs = connection->streams[direction & 1].room;
  if (iscsi_opcode(bhs) & ISCSI_OPCODE_FROM_TARGET) {
    lunscope_connection_measure_window(connection, bhs, now_ns);
    if (iscsi_opcode(bhs) == ISCSI_DATA_IN && !iscsi_has_status(bhs)) {
      lunscope_window_note(&connection->inflight, bhs);
      return;
    }
    lunscope_doubt_answer(&connection->inflight, direction, bhs);
    lunscope_doubt_look(&connection->inflight, now_ns);
  } else {
    lunscope_connection_acknowledge(connection, direction, bhs);
    if (lunscope_sync_has_cmdsn(bhs)) lunscope_doubt_request(&connection->inflight, direction, bhs);
  }
}

/* Apply the PDU to the commands in flight. Returns how many data bytes to gather. */
LUNSCOPE_INLINE uint32_t lunscope_connection_pair(struct lunscope_connection* connection,
                                                  struct lunscope_spill* spill,
                                                  uint32_t direction) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  const uint8_t* bhs = stream->room;
  const uint8_t* cdb = 0;
  uint8_t opcode = iscsi_opcode(bhs);
  stream->place = LUNSCOPE_NO_PLACE;
  if (opcode == ISCSI_DATA_IN || opcode == ISCSI_DATA_OUT || opcode == ISCSI_SCSI_RESPONSE) {
    struct lunscope_command* command = lunscope_connection_find(connection, spill, direction);
    if (opcode != ISCSI_SCSI_RESPONSE)
      lunscope_keep_largest(&connection->record.largest_segment[direction & 1],
                            iscsi_data_bytes(bhs));
    if (command) {
      lunscope_connection_pass_data(stream, command);
      cdb = command->cdb;
    }
    if (!command && iscsi_has_status(bhs)) connection->inflight.strays++;
  } else if (opcode == ISCSI_R2T) {
    lunscope_keep_largest(&connection->record.largest_r2t, iscsi_desired_bytes(bhs));
    lunscope_connection_ask_data(connection, spill, stream);
  }
  return lunscope_wanted_bytes(bhs, cdb);
}

/*
 * A record of this header is due if records of all headers are wanted. So is that of a SCSI Command
 * with an AHS: the command's own record has no room for the rest of the CDB, nor for the expected
 * length of a bidirectional read.
 */
LUNSCOPE_INLINE void lunscope_connection_show_header(struct lunscope_stream* stream) {
  if (!stream->shows_headers && !lunscope_stream_explains(stream)) return;
  if (iscsi_ahs_bytes(stream->room) != 0)
    lunscope_stream_keep(stream, ISCSI_BHS_BYTES + iscsi_ahs_bytes(stream->room));
  stream->due |= LUNSCOPE_DUE_HEADER;
}

/* A header whose digest is right, or that has none. */
LUNSCOPE_INLINE enum lunscope_header lunscope_connection_admit(
    struct lunscope_connection* connection, struct lunscope_spill* spill, uint32_t direction,
    uint64_t now_ns, struct lunscope_totals* totals) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  if (!lunscope_header_fits(connection, direction)) return LUNSCOPE_HEADER_LOST;
  if (stream->sync == LUNSCOPE_SYNC_CANDIDATE) {
    if (!lunscope_sync_believes(stream, &connection->streams[~direction & 1])) {
      lunscope_stream_frame(stream);
      return LUNSCOPE_HEADER_TRIAL;
    }
    if (lunscope_connection_end_trial(connection, direction, totals))
      return LUNSCOPE_HEADER_FOLLOWED;
  }
  lunscope_connection_account(connection, direction);
  /* Read again: the verifier would follow the rest once for each opcode. */
  uint8_t opcode = *(const volatile uint8_t*)stream->room & 0x3f;
  lunscope_connection_show_header(stream);
  lunscope_connection_number(connection, direction, now_ns);
  lunscope_connection_watch_window(connection, now_ns);
  uint32_t role = connection->record.header.role & LUNSCOPE_ROLE_MASK;
  if (opcode == ISCSI_SCSI_COMMAND) {
    totals->commands_seen[role]++;
    return lunscope_connection_begin_command(connection, spill, direction, now_ns, totals);
  }
  uint32_t wanted = lunscope_connection_pair(connection, spill, direction);
  if (wanted != 0) {
    lunscope_stream_capture(stream, wanted);
    return LUNSCOPE_HEADER_FOLLOWED;
  }
  if (lunscope_acts(opcode)) return LUNSCOPE_HEADER_ACT;
  stream->due |= (uint8_t)lunscope_due_of(connection, stream);
  if (stream->place >= LUNSCOPE_NO_PLACE) lunscope_connection_settle_doubt(connection, direction);
  return LUNSCOPE_HEADER_FOLLOWED;
}

/*
 * A header is in the room. Judge it, and say in stream->due what is to be delivered. spill: 0 if
 * the connection has none in use.
 */
LUNSCOPE_SUBPROGRAM enum lunscope_header lunscope_connection_header(
    struct lunscope_connection* connection, struct lunscope_spill* spill, uint32_t direction,
    uint64_t now_ns, struct lunscope_totals* totals) {
  if (!connection || !totals) return LUNSCOPE_HEADER_FOLLOWED;
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  int is_candidate = stream->sync == LUNSCOPE_SYNC_CANDIDATE;
  stream->due = 0;
  if (stream->header_digest && (connection->checks_header_digest || is_candidate)) {
    if (!lunscope_stream_digest_fits(stream, 0)) {
      if (is_candidate) return LUNSCOPE_HEADER_LOST;
      enum lunscope_header dropped = lunscope_connection_drop(connection, stream, direction);
      if (dropped != LUNSCOPE_HEADER_LOST) lunscope_connection_show_header(stream);
      return dropped;
    }
    stream->bad_digests = 0;
  }
  return lunscope_connection_admit(connection, spill, direction, now_ns, totals);
}

/* A Reject ends the command whose header it returns, if the whole header is in the room. */
LUNSCOPE_INLINE void lunscope_connection_reject(struct lunscope_connection* connection,
                                                struct lunscope_stream* stream) {
  if (stream->have < 2 * ISCSI_BHS_BYTES) return;
  if (lunscope_abort_rejected(&connection->sweep, stream->room, lunscope_stream_chunk(stream)))
    stream->due |= LUNSCOPE_DUE_SWEEP;
}

/*
 * A chunk that is no text is in the room, behind the header that asked for it. Act on it, leave in
 * the room what a record may carry, and say in stream->due what is to be delivered.
 */
LUNSCOPE_SUBPROGRAM int lunscope_connection_chunk(struct lunscope_connection* connection,
                                                  struct lunscope_spill* spill,
                                                  uint32_t direction) {
  if (!connection) return 0;
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  uint8_t opcode = iscsi_opcode(stream->room);
  uint32_t kept = stream->have;
  /* The hooks of the two directions may run out of order: the command may have come by now, or have
   * left its place. */
  if (iscsi_has_status(stream->room)) lunscope_connection_find(connection, spill, direction);
  if (stream->awaits_end) {
    stream->awaits_end = 0;
    stream->have = ISCSI_BHS_BYTES;
    stream->due = (uint8_t)lunscope_due_of(connection, stream);
    return 0;
  }
  if (opcode == ISCSI_SCSI_RESPONSE) kept = ISCSI_BHS_BYTES + 2 + lunscope_sense_bytes(stream);
  stream->due = (uint8_t)lunscope_due_of(connection, stream);
  if (opcode == ISCSI_REJECT) lunscope_connection_reject(connection, stream);
  lunscope_stream_keep(stream, kept);
  return 0;
}

/*
 * A Data-In that carries the status ends its command with the last byte of its data. After a header
 * or a chunk, in a segment that ends at `end`: if that byte is yet to come, the record of the
 * command is due with it, and not before. Returns 1 if it is here.
 */
LUNSCOPE_INLINE int lunscope_connection_reach_end(struct lunscope_stream* stream, uint32_t end) {
  if (!(stream->due & LUNSCOPE_DUE_COMMAND) || iscsi_opcode(stream->room) != ISCSI_DATA_IN)
    return 0;
  if (iscsi_data_bytes(stream->room) == 0) return 0;
  if (lunscope_distance(stream->pdu_end, end) >= 0) return 1;
  stream->due &= (uint8_t)~LUNSCOPE_DUE_COMMAND;
  stream->awaits_end = 1;
  return 0;
}

/* The connection ends: trials are never believed, and commands in flight are never answered. Make
 * the sweep after this call. */
LUNSCOPE_INLINE void lunscope_connection_close(struct lunscope_connection* connection,
                                               struct lunscope_totals* totals) {
  lunscope_sweep_many(&connection->sweep, LUNSCOPE_SWEEP_ALL,
                      LUNSCOPE_UNREPORTED_CONNECTION_CLOSED);
  lunscope_connection_end_trials(connection, totals);
}

#endif
