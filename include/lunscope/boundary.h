/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Boundaries of a connection's streams: offered bytes, gaps, trials, and boundaries found again.
 * stream.h and sync.h do that for one stream; this file counts it and involves the other direction.
 */
#ifndef LUNSCOPE_BOUNDARY_H
#define LUNSCOPE_BOUNDARY_H

#include "doubt.h"
#include "sync.h"
#include "totals.h"

/* Count the bytes [from, to) of this stream, if there are any, as not parsed. */
LUNSCOPE_INLINE void lunscope_stream_count_unparsed(const struct lunscope_stream* stream,
                                                    uint32_t from, uint32_t to,
                                                    struct lunscope_totals* totals) {
  int32_t bytes = lunscope_distance(from, to);
  if (bytes > 0)
    totals->unparsed_bytes[stream->lost_reason & LUNSCOPE_REASON_MASK] += (uint32_t)bytes;
}

/*
 * The boundaries of this direction are lost. Give up the bytes up to `end`, from the first byte
 * that was missed or that is not a header.
 */
LUNSCOPE_SUBPROGRAM int lunscope_connection_lose(struct lunscope_connection* connection,
                                                 uint32_t direction, uint32_t end, uint32_t reason,
                                                 struct lunscope_totals* totals) {
  if (!connection || !totals) return 0;
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  uint32_t gathered = stream->have;
  if (stream->chunk_offset != 0) gathered -= ISCSI_BHS_BYTES; /* its header was counted before */
  uint32_t from = stream->sync == LUNSCOPE_SYNC_CANDIDATE ? stream->trial : stream->next - gathered;
  if (stream->sync == LUNSCOPE_SYNC_FOLLOWED || stream->sync == LUNSCOPE_SYNC_FIRST) {
    stream->lost_reason = (uint8_t)reason;
    totals->gaps[reason & LUNSCOPE_REASON_MASK]++;
    /* A status whose PDU has no end yet: its number is known, and its command is in flight. */
    if (stream->capture_bytes != 0 && iscsi_has_status(stream->room) &&
        stream->place < LUNSCOPE_NO_PLACE)
      connection->inflight.missed++;
    connection->record.gaps++;
    lunscope_doubt_gap(&connection->inflight, direction);
    connection->record.window_closed_since_ns = 0; /* the window may have opened in the gap */
  }
  lunscope_stream_count_unparsed(stream, from, end, totals);
  lunscope_stream_lose(stream, end);
  connection->texts[direction & 1].known = 0;
  connection->record.followed[direction & 1] = 0;
  return 0;
}

/*
 * After OFFER_HOLE: the wanted bytes lie before [seq, end). They will not come again if they lie
 * before gone_to as well, that is, in front of what TCP has handed out or sent. Then give them up
 * and offer [seq, end) again. Else they may still come: leave these bytes alone.
 */
LUNSCOPE_INLINE enum lunscope_offer lunscope_connection_give_up(
    struct lunscope_connection* connection, uint32_t direction, uint32_t seq, uint32_t end,
    uint32_t gone_to, struct lunscope_totals* totals) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  if (lunscope_distance(stream->next, gone_to) <= 0) return LUNSCOPE_OFFER_HOLE;
  lunscope_connection_lose(connection, direction, seq, LUNSCOPE_REASON_MISSING_BYTES, totals);
  return lunscope_stream_offer(stream, seq, end);
}

/* Offer the bytes [seq, end): returns OFFER_NEW if they are to be followed. */
LUNSCOPE_INLINE enum lunscope_offer lunscope_connection_offer(
    struct lunscope_connection* connection, uint32_t direction, uint32_t seq, uint32_t end,
    uint32_t gone_to, struct lunscope_totals* totals) {
  enum lunscope_offer offer = lunscope_stream_offer(&connection->streams[direction & 1], seq, end);
  if (offer != LUNSCOPE_OFFER_HOLE) return offer;
  return lunscope_connection_give_up(connection, direction, seq, end, gone_to, totals);
}

/* The connection ends: bytes that are on trial will never be parsed. */
LUNSCOPE_INLINE void lunscope_connection_end_trials(const struct lunscope_connection* connection,
                                                    struct lunscope_totals* totals) {
  for (uint32_t i = 0; i < LUNSCOPE_DIRECTIONS; i++) {
    const struct lunscope_stream* stream = &connection->streams[i];
    if (stream->sync == LUNSCOPE_SYNC_CANDIDATE)
      lunscope_stream_count_unparsed(stream, stream->trial, stream->offered, totals);
  }
}

/* After HEADER_LOST: go on behind the first byte of what is not a header, within this segment. */
LUNSCOPE_INLINE void lunscope_connection_lose_header(struct lunscope_connection* connection,
                                                     uint32_t direction, uint32_t segment_seq,
                                                     struct lunscope_totals* totals) {
  const struct lunscope_stream* stream = &connection->streams[direction & 1];
  uint32_t reason =
      stream->sync == LUNSCOPE_SYNC_FIRST ? LUNSCOPE_REASON_NOT_ISCSI : LUNSCOPE_REASON_BAD_HEADER;
  uint32_t next = stream->next - stream->have + 1;
  if (lunscope_distance(segment_seq, next) < 0) next = segment_seq;
  lunscope_connection_lose(connection, direction, next, reason, totals);
}

/* Give up the bytes up to `end`. REQUIRES: the stream is lost, and was offered these bytes. */
LUNSCOPE_INLINE void lunscope_connection_pass(struct lunscope_connection* connection,
                                              uint32_t direction, uint32_t end,
                                              struct lunscope_totals* totals) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  if (lunscope_distance(stream->next, end) <= 0) return;
  lunscope_stream_count_unparsed(stream, stream->next, end, totals);
  lunscope_stream_scan_from(stream, end);
}

/* Take over what this stream has found out about digests. */
LUNSCOPE_INLINE void lunscope_connection_learn_digests(struct lunscope_connection* connection,
                                                       uint32_t direction) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  lunscope_sync_share_digests(stream, &connection->streams[~direction & 1]);
  connection->record.header_digest = stream->header_digest;
  connection->record.data_digest = stream->data_digest;
}

/* Does a header, with its digest if there are any, begin `at` bytes into the room? */
LUNSCOPE_INLINE int lunscope_connection_has_header(const struct lunscope_connection* connection,
                                                   uint32_t direction, uint32_t at) {
  const struct lunscope_stream* stream = &connection->streams[direction & 1];
  return lunscope_sync_begins(stream, at, direction, connection->record.header.role) &&
         (!stream->header_digest || lunscope_stream_digest_fits(stream, at));
}

/*
 * Settle where the header in the room begins: at the start of the room if that is possible, else
 * behind a data digest. With a digest in front, the opcode of the header stands where the length of
 * an AHS would be. Only seldom is an opcode 0, so the two are seldom confused.
 */
LUNSCOPE_INLINE enum lunscope_take lunscope_connection_settle_data_digest(
    struct lunscope_connection* connection, uint32_t direction, struct lunscope_totals* totals) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  uint32_t header_bytes = ISCSI_BHS_BYTES + stream->tail;
  int is_behind = !lunscope_connection_has_header(connection, direction, 0);
  if (is_behind && stream->have <= header_bytes) { /* look 4 bytes further */
    stream->need = (uint16_t)(header_bytes + ISCSI_DIGEST_BYTES);
    return LUNSCOPE_TAKE_SHORT;
  }
  stream->unsure &= (uint8_t)~LUNSCOPE_UNSURE_DATA_DIGEST;
  if (is_behind && lunscope_connection_has_header(connection, direction, ISCSI_DIGEST_BYTES)) {
    lunscope_stream_drop_data_digest(stream);
  } else if (is_behind && !iscsi_is_plausible(stream->room)) {
    lunscope_connection_lose(connection, direction, stream->next - stream->have + 1,
                             LUNSCOPE_REASON_BAD_HEADER, totals);
    return LUNSCOPE_TAKE_SHORT;
  } else if (is_behind) { /* a header with an AHS: the next PDU with data settles it */
    lunscope_stream_give_back_digest(stream);
    return lunscope_stream_take_rest(stream);
  }
  stream->data_digest = (uint8_t)is_behind;
  stream->open_digests &= (uint8_t)~LUNSCOPE_UNSURE_DATA_DIGEST;
  if (stream->sync == LUNSCOPE_SYNC_FOLLOWED) {
    if (is_behind) connection->record.traffic[direction & 1].bytes += ISCSI_DIGEST_BYTES;
    lunscope_connection_learn_digests(connection, direction);
  }
  return lunscope_stream_take_rest(stream);
}

/*
 * After TAKE_UNSURE, in a segment that ends at `end`. Returns TAKE_HEADER if the room now holds a
 * header, or TAKE_SHORT: go on with the next bytes.
 */
LUNSCOPE_SUBPROGRAM enum lunscope_take lunscope_connection_settle(
    struct lunscope_connection* connection, uint32_t direction, uint32_t end,
    struct lunscope_totals* totals) {
  if (!connection || !totals) return LUNSCOPE_TAKE_SHORT;
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  if (stream->sync == LUNSCOPE_SYNC_LOST) {
    totals->unparsed_bytes[stream->lost_reason & LUNSCOPE_REASON_MASK] +=
        lunscope_sync_scan(stream, direction, connection->record.header.role);
    stream->offered = end;
    if (stream->sync == LUNSCOPE_SYNC_LOST && stream->scanned > LUNSCOPE_SCAN_LIMIT)
      lunscope_connection_pass(connection, direction, end, totals);
    return LUNSCOPE_TAKE_SHORT;
  }
  if (!(stream->unsure & LUNSCOPE_UNSURE_HEADER_DIGEST))
    return lunscope_connection_settle_data_digest(connection, direction, totals);
  lunscope_stream_settle_header_digest(stream);
  return lunscope_stream_take_rest(stream);
}

#endif
