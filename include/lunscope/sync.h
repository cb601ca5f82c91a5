/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where PDUs begin on a connection whose login was not seen: which bytes could be a header, and
 * when a chain of such headers is believed.
 *
 * Payload can hold PDUs: a disk image with a capture file in it holds long chains of them. But such
 * a chain does not have the right numbers. Commands of one direction carry a CmdSN and an
 * ExpStatSN, answers of the other direction a StatSN and an ExpCmdSN. On one connection at one time
 * these are close to each other (RFC 7143 section 4.2.2). So a chain is believed when two headers,
 * one of each direction, agree in both.
 */
#ifndef LUNSCOPE_SYNC_H
#define LUNSCOPE_SYNC_H

#include "stream.h"

#define LUNSCOPE_SYNC_HEADERS 3
/* With no bytes in the other direction there is nothing to compare, so more headers are needed. */
#define LUNSCOPE_SYNC_HEADERS_ALONE 16
/* Numbers of two PDUs may differ by this much, and by what the command window allows. */
#define LUNSCOPE_SYNC_SLACK 64

/* A trial does not begin with more data than this. Bytes that are no header have a long data
 * segment more often than a header has, and a trial over it would take long to fail. */
#define LUNSCOPE_SYNC_DATA_BYTES (256u << 10)

/* Could a header without AHS begin here in the room? role: of the observed end, if known. */
LUNSCOPE_SUBPROGRAM int lunscope_sync_begins(const struct lunscope_stream* stream, uint32_t at,
                                             uint32_t direction, uint32_t role) {
  if (!stream) return 0;
  const uint8_t* bhs = stream->room + (at & LUNSCOPE_ROOM_MASK);
  return iscsi_ahs_bytes(bhs) == 0 && iscsi_fits(bhs, direction, role);
}

/* May a trial begin here in the room? */
LUNSCOPE_SUBPROGRAM int lunscope_sync_may_try(const struct lunscope_stream* stream, uint32_t at,
                                              uint32_t direction, uint32_t role) {
  if (!stream) return 0;
  const uint8_t* bhs = stream->room + (at & LUNSCOPE_ROOM_MASK);
  return iscsi_data_bytes(bhs) <= LUNSCOPE_SYNC_DATA_BYTES &&
         lunscope_sync_begins(stream, at, direction, role);
}

/*
 * REQUIRES: no boundary is known, and the room holds bytes to scan. Follow on trial what could be a
 * header, or go on behind these bytes. A header that the end of its segment cuts is passed over.
 * Returns how many bytes were passed over.
 */
LUNSCOPE_INLINE uint32_t lunscope_sync_scan(struct lunscope_stream* stream, uint32_t direction,
                                            uint32_t role) {
  uint32_t have = stream->have;
  uint32_t start = stream->next - have;
  uint32_t at = 0;
  int may_try = 0;
  for (; at <= LUNSCOPE_SCAN_BYTES - ISCSI_BHS_BYTES && at + ISCSI_BHS_BYTES <= have; at++) {
    may_try = lunscope_sync_may_try(stream, at, direction, role);
    if (may_try) break;
  }
  /* The verifier would follow the rest for each value of `at`. It forgets a value in memory. */
  stream->kept = (uint16_t)at;
  at = *(const volatile uint16_t*)&stream->kept;
  if (may_try) {
    lunscope_stream_try(stream, start + at);
    return at;
  }
  if (have < LUNSCOPE_SCAN_BYTES) at = have;
  stream->scanned += at;
  lunscope_stream_scan_from(stream, start + at);
  return at;
}

/* Does this header of an initiator carry a CmdSN? */
LUNSCOPE_INLINE int lunscope_sync_has_cmdsn(const uint8_t* bhs) {
  uint8_t opcode = iscsi_opcode(bhs);
  return opcode <= ISCSI_LOGOUT_REQUEST && opcode != ISCSI_DATA_OUT;
}

/* Does this header of a target carry a StatSN? */
LUNSCOPE_INLINE int lunscope_sync_has_statsn(const uint8_t* bhs) {
  uint8_t opcode = iscsi_opcode(bhs);
  if (opcode == ISCSI_DATA_IN) return (iscsi_flags(bhs) & ISCSI_DATA_IN_STATUS) != 0;
  return opcode <= ISCSI_LOGOUT_RESPONSE || opcode == ISCSI_R2T || opcode == ISCSI_ASYNC_MESSAGE ||
         opcode == ISCSI_REJECT;
}

LUNSCOPE_INLINE int lunscope_sync_is_near(uint32_t a, uint32_t b, uint32_t limit) {
  return a - b + limit <= 2 * limit;
}

/* Do these headers, one of each direction, belong to one connection at one time? */
LUNSCOPE_INLINE int lunscope_sync_agree(const uint8_t* initiator, const uint8_t* target) {
  if (!lunscope_sync_has_cmdsn(initiator) || !lunscope_sync_has_statsn(target)) return 0;
  uint32_t window = iscsi_window(target);
  if (window > ISCSI_WINDOW_LIMIT) return 0;
  uint32_t limit = LUNSCOPE_SYNC_SLACK + 2 * window;
  return lunscope_sync_is_near(iscsi_cmdsn(initiator), iscsi_expcmdsn(target), limit) &&
         lunscope_sync_is_near(iscsi_expstatsn(initiator), iscsi_statsn(target), limit);
}

/* Does the room hold the header that was taken last? */
LUNSCOPE_INLINE int lunscope_sync_shows_header(const struct lunscope_stream* stream) {
  if (stream->sync != LUNSCOPE_SYNC_FOLLOWED &&
      (stream->sync != LUNSCOPE_SYNC_CANDIDATE || stream->headers == 0))
    return 0;
  return stream->have == 0 || stream->capture_bytes != 0;
}

/* REQUIRES: a plausible header is in the room of a stream on trial. Is the trial believed now? */
LUNSCOPE_INLINE int lunscope_sync_believes(struct lunscope_stream* stream,
                                           const struct lunscope_stream* other) {
  const uint8_t* bhs = stream->room;
  if (stream->headers < 255) stream->headers++;
  if (stream->headers < LUNSCOPE_SYNC_HEADERS) return 0;
  if (other->need == 0 || other->sync == LUNSCOPE_SYNC_FIRST) /* no bytes in that direction */
    return stream->headers >= LUNSCOPE_SYNC_HEADERS_ALONE;
  if (!lunscope_sync_shows_header(other)) return 0;
  return iscsi_opcode(bhs) & ISCSI_OPCODE_FROM_TARGET ? lunscope_sync_agree(other->room, bhs)
                                                      : lunscope_sync_agree(bhs, other->room);
}

/* The digests that this stream's trial found are in use in the other direction, too. */
LUNSCOPE_INLINE void lunscope_sync_share_digests(struct lunscope_stream* stream,
                                                 struct lunscope_stream* other) {
  stream->unknown = stream->open_digests;
  other->unknown = stream->open_digests;
  if (!(stream->open_digests & LUNSCOPE_UNSURE_DATA_DIGEST)) {
    other->data_digest = stream->data_digest;
    other->open_digests &= (uint8_t)~LUNSCOPE_UNSURE_DATA_DIGEST;
  }
  if (other->sync == LUNSCOPE_SYNC_LOST) {
    other->header_digest = stream->header_digest;
    other->open_digests = stream->open_digests;
  }
}

#endif
