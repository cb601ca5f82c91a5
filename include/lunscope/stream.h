/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Follow the PDUs of one direction of a connection through its byte stream.
 *
 * The follower pulls: it says which bytes it wants next, and the caller reads just those. It wants
 * headers with their digests, and chunks of the few data segments that explain something. All other
 * bytes are skipped by subtraction. A position is a TCP sequence number. So bytes that are offered
 * twice (a duplicate, a retransmission, a second hook) lie before `next` and change nothing.
 *
 * The caller owns the struct and serialises access (in the kernel: the socket lock). One round:
 *
 *   lunscope_stream_offer()   here are bytes [seq, end): is there anything new in them?
 *   lunscope_stream_wants()   how many bytes to read from stream->next on into _room()
 *   lunscope_stream_take()    the bytes are in the room: is a HEADER or a CHUNK complete?
 *   lunscope_stream_frame()   after HEADER: where the PDU ends; _capture(): gather its data
 *
 * A connection that was open before lunscope started has no known boundary, nor has one whose
 * boundaries were lost. Its bytes are scanned for what could be a header, and the PDUs behind that
 * are followed on trial. sync.h says when the trial is believed. Nothing is reported before.
 *
 * Without the login it is also unknown whether digests are in use. A header digest shows in the
 * four bytes behind the first header of a trial. A data digest shows in where the PDU after one
 * with data begins: at the end of the data, or four bytes later. TAKE_UNSURE asks to settle either.
 */
#ifndef LUNSCOPE_STREAM_H
#define LUNSCOPE_STREAM_H

#include "crc32c.h"
#include "phases.h"
#include "records.h"

/* Twice a header and a chunk, so that any masked position plus any masked length stays inside. */
#define LUNSCOPE_ROOM_MASK 255
#define LUNSCOPE_ROOM_BYTES (2 * (LUNSCOPE_ROOM_MASK + 1))
/* Bytes that are scanned at a time, and after a loss. Beyond that limit only the first bytes of a
 * segment are scanned, because the connection may not be iSCSI at all. */
#define LUNSCOPE_SCAN_BYTES 240
#define LUNSCOPE_SCAN_LIMIT (4u << 20)

LUNSCOPE_STATIC_ASSERT(ISCSI_BHS_BYTES + LUNSCOPE_CHUNK_BYTES == LUNSCOPE_ROOM_MASK + 1,
                       "a header and a chunk fill the masked part of the room");

enum lunscope_sync {
  LUNSCOPE_SYNC_LOST = 0,  /* no boundary known */
  LUNSCOPE_SYNC_CANDIDATE, /* on trial: a boundary is assumed, and has yet to be proven */
  LUNSCOPE_SYNC_FIRST,     /* at the first byte of a connection: a login must follow */
  LUNSCOPE_SYNC_FOLLOWED,  /* boundaries are known */
};

enum lunscope_offer {
  LUNSCOPE_OFFER_OLD,  /* nothing new */
  LUNSCOPE_OFFER_HOLE, /* the wanted bytes lie before seq */
  LUNSCOPE_OFFER_NEW,
};

enum lunscope_take {
  LUNSCOPE_TAKE_SHORT,  /* more bytes are needed */
  LUNSCOPE_TAKE_HEADER, /* stream->room holds a BHS */
  LUNSCOPE_TAKE_CHUNK,  /* and, behind it, a chunk of the data segment */
  LUNSCOPE_TAKE_UNSURE, /* it holds bytes; settle first what stream->unsure says */
};

enum lunscope_unsure {
  LUNSCOPE_UNSURE_BOUNDARY = 1,      /* bytes to scan */
  LUNSCOPE_UNSURE_HEADER_DIGEST = 2, /* a header, and 4 bytes that may be its digest */
  LUNSCOPE_UNSURE_DATA_DIGEST = 4,   /* a header, or 4 bytes of a data digest and then a header */
};

struct lunscope_stream {
  uint32_t next;          /* sequence number of the next wanted byte */
  uint32_t pdu_end;       /* sequence number behind the current PDU */
  uint32_t chunk_offset;  /* offset in the data segment of the chunk in the room */
  uint32_t capture_bytes; /* data segment bytes that are wanted, from chunk_offset on */
  uint16_t have;          /* bytes in the room */
  uint16_t need;          /* bytes that complete the header or the chunk */
  uint8_t sync;           /* enum lunscope_sync */
  uint8_t headers;        /* plausible headers seen as a candidate, 255 for more */
  uint8_t header_digest;  /* 0 or 1: HeaderDigest=CRC32C is in effect */
  uint8_t data_digest;    /* 0 or 1: DataDigest=CRC32C is in effect */
  uint8_t bad_digests;    /* headers in a row whose digest was wrong */
  uint8_t shows_headers;  /* 1: a record of each header is wanted */
  uint8_t tail;           /* bytes that are read behind a BHS before anything else */
  uint8_t unsure;         /* enum lunscope_unsure: what to settle when they are there */
  uint8_t open_digests;   /* enum lunscope_unsure: digests that this trial has not settled */
  uint8_t due;            /* enum lunscope_due: records of the PDU in the room (deliver.h) */
  uint16_t place;         /* of the command that this PDU belongs to (lunscope_inflight_at()) */
  struct lunscope_times times; /* of the PDU in the room */
  uint32_t awaited;            /* sequence number behind the data that is awaited (marks.h) */
  uint16_t awaiting;           /* 1 more than the place of the command it is for; 0: none is */
  uint8_t awaits_end;          /* 1: the PDU in the room ends a command, with its last byte */
  uint8_t pad0[1];
  uint8_t room[LUNSCOPE_ROOM_BYTES];
  /* The members below are used only with a lost boundary, or with a chunk or an AHS. */
  uint32_t scanned;    /* bytes since the loss */
  uint32_t trial;      /* where the trial began */
  uint32_t offered;    /* the end of the bytes that were offered since */
  uint16_t kept;       /* bytes in the room that a record carries; zeros follow them */
  uint8_t lost_reason; /* enum lunscope_sync_reason: why boundaries are, or were, unknown */
  uint8_t unknown;     /* enum lunscope_unsure: digests that no trial has settled */
  uint32_t from;       /* bytes from here on can still be read, if the boundary is unknown */
  uint32_t paid;       /* lunscope_rate_allows() (rate.h) */
  uint8_t pad1[40];
};

LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_stream) % LUNSCOPE_CACHE_LINE == 0, "lines");

LUNSCOPE_INLINE void lunscope_stream_expect_header(struct lunscope_stream* stream, uint32_t seq) {
  stream->next = seq;
  stream->have = 0;
  stream->need = (uint16_t)(ISCSI_BHS_BYTES + stream->tail);
  stream->chunk_offset = 0;
  stream->capture_bytes = 0;
}

/* The connection begins: the next byte of this direction is seq, and a login follows. */
LUNSCOPE_INLINE void lunscope_stream_start(struct lunscope_stream* stream, uint32_t seq) {
  lunscope_stream_expect_header(stream, seq);
  stream->sync = LUNSCOPE_SYNC_FIRST;
}

/* No boundary is known: scan from seq on. */
LUNSCOPE_INLINE void lunscope_stream_scan_from(struct lunscope_stream* stream, uint32_t seq) {
  lunscope_stream_expect_header(stream, seq);
  stream->need = LUNSCOPE_SCAN_BYTES;
}

/* The boundary is lost. Bytes before seq are given up. */
LUNSCOPE_INLINE void lunscope_stream_lose(struct lunscope_stream* stream, uint32_t seq) {
  if (stream->sync == LUNSCOPE_SYNC_FOLLOWED) stream->scanned = 0;
  stream->sync = LUNSCOPE_SYNC_LOST;
  stream->headers = 0;
  stream->bad_digests = 0;
  stream->awaiting = 0;
  stream->awaits_end = 0;
  stream->unsure = LUNSCOPE_UNSURE_BOUNDARY;
  stream->open_digests = stream->unknown;
  lunscope_stream_scan_from(stream, seq);
}

/* A header may begin at seq: follow the PDUs from there on trial. */
LUNSCOPE_INLINE void lunscope_stream_try(struct lunscope_stream* stream, uint32_t seq) {
  stream->sync = LUNSCOPE_SYNC_CANDIDATE;
  stream->trial = seq;
  stream->unsure = stream->open_digests & LUNSCOPE_UNSURE_HEADER_DIGEST;
  stream->tail = stream->unsure || stream->header_digest ? ISCSI_DIGEST_BYTES : 0;
  lunscope_stream_expect_header(stream, seq);
}

LUNSCOPE_INLINE enum lunscope_offer lunscope_stream_offer(struct lunscope_stream* stream,
                                                          uint32_t seq, uint32_t end) {
  if (stream->need == 0) { /* still zeroed: the connection was open before */
    stream->unknown = LUNSCOPE_UNSURE_HEADER_DIGEST | LUNSCOPE_UNSURE_DATA_DIGEST;
    lunscope_stream_lose(stream, seq);
  }
  if (stream->sync == LUNSCOPE_SYNC_CANDIDATE && lunscope_distance(stream->next, seq) <= 0 &&
      lunscope_distance(stream->offered, end) > 0)
    stream->offered = end;
  if (lunscope_distance(stream->next, end) <= 0) return LUNSCOPE_OFFER_OLD;
  if (lunscope_distance(stream->next, seq) > 0) {
    if (stream->sync != LUNSCOPE_SYNC_LOST) return LUNSCOPE_OFFER_HOLE;
    stream->next = seq;
  }
  if (stream->sync <= LUNSCOPE_SYNC_CANDIDATE) stream->from = seq;
  return LUNSCOPE_OFFER_NEW;
}

/* How many bytes to read at stream->next, of those before end: 0..LUNSCOPE_CHUNK_BYTES. */
LUNSCOPE_INLINE uint32_t lunscope_stream_wants(const struct lunscope_stream* stream, uint32_t end) {
  int32_t available = lunscope_distance(stream->next, end);
  uint32_t missing = (uint32_t)(stream->need - stream->have);
  if (available <= 0) return 0;
  return (missing > (uint32_t)available ? (uint32_t)available : missing) & LUNSCOPE_ROOM_MASK;
}

/* Where to read them to. The mask changes nothing; it shows the verifier that the write fits. */
LUNSCOPE_INLINE uint8_t* lunscope_stream_room(struct lunscope_stream* stream) {
  return stream->room + (stream->have & LUNSCOPE_ROOM_MASK);
}

/* The AHS of a SCSI Command says what the command's record does not. */
LUNSCOPE_INLINE int lunscope_stream_explains(const struct lunscope_stream* stream) {
  return iscsi_opcode(stream->room) == ISCSI_SCSI_COMMAND && iscsi_ahs_bytes(stream->room) != 0;
}

/* A BHS is complete. Are its AHS and its digest, if they are wanted? */
LUNSCOPE_INLINE enum lunscope_take lunscope_stream_take_rest(struct lunscope_stream* stream) {
  if ((stream->header_digest | stream->shows_headers) == 0 && !lunscope_stream_explains(stream))
    return LUNSCOPE_TAKE_HEADER;
  uint32_t all = ISCSI_BHS_BYTES + stream->tail + iscsi_ahs_bytes(stream->room);
  if (all > LUNSCOPE_ROOM_MASK || stream->have >= all) return LUNSCOPE_TAKE_HEADER;
  stream->need = (uint16_t)all;
  return LUNSCOPE_TAKE_SHORT;
}

LUNSCOPE_INLINE enum lunscope_take lunscope_stream_take(struct lunscope_stream* stream,
                                                        uint32_t bytes) {
  stream->next += bytes;
  stream->have = (uint16_t)(stream->have + bytes);
  if (stream->have < stream->need)
    return stream->sync == LUNSCOPE_SYNC_LOST ? LUNSCOPE_TAKE_UNSURE : LUNSCOPE_TAKE_SHORT;
  if (stream->capture_bytes != 0) return LUNSCOPE_TAKE_CHUNK;
  if (stream->unsure != 0) return LUNSCOPE_TAKE_UNSURE;
  return lunscope_stream_take_rest(stream);
}

/*
 * Digests are in effect from the next header on, even if a part of that header is in the room. A
 * trial did not expect them, so it starts again.
 */
LUNSCOPE_INLINE void lunscope_stream_use_digests(struct lunscope_stream* stream,
                                                 uint8_t header_digest, uint8_t data_digest) {
  uint8_t tail = header_digest ? ISCSI_DIGEST_BYTES : 0;
  stream->header_digest = header_digest;
  stream->data_digest = data_digest;
  stream->unknown = 0;
  stream->open_digests = 0;
  if (stream->sync == LUNSCOPE_SYNC_CANDIDATE) lunscope_stream_lose(stream, stream->next);
  if (stream->sync == LUNSCOPE_SYNC_LOST) return;
  if (stream->capture_bytes == 0) stream->need = (uint16_t)(stream->need + tail - stream->tail);
  stream->tail = tail;
}

/*
 * REQUIRES: a BHS is in the room, `at` bytes from its start. Are the bytes behind it and its AHS
 * their digest? A header whose AHS is too long for the room is not checked, and passes.
 */
LUNSCOPE_SUBPROGRAM int lunscope_stream_digest_fits(const struct lunscope_stream* stream,
                                                    uint32_t at) {
  if (!stream) return 0;
  const uint8_t* header = stream->room + (at & LUNSCOPE_ROOM_MASK);
  uint32_t bytes = ISCSI_BHS_BYTES + iscsi_ahs_bytes(header);
  if (bytes > LUNSCOPE_ROOM_MASK - ISCSI_DIGEST_BYTES) return 1;
  uint32_t crc = LUNSCOPE_CRC32C_START;
  for (uint32_t i = 0; i < LUNSCOPE_ROOM_MASK && i < bytes; i += sizeof(crc))
    crc = lunscope_crc32c_word(crc, header + i);
  const uint8_t* digest = header + (bytes & LUNSCOPE_ROOM_MASK);
  return lunscope_crc32c_is(crc, digest);
}

/* The last four bytes that were read are not a digest, and belong to what follows. */
LUNSCOPE_INLINE void lunscope_stream_give_back_digest(struct lunscope_stream* stream) {
  stream->have -= ISCSI_DIGEST_BYTES;
  stream->next -= ISCSI_DIGEST_BYTES;
}

/* Headers have no digest. */
LUNSCOPE_INLINE void lunscope_stream_use_no_header_digest(struct lunscope_stream* stream) {
  stream->header_digest = 0;
  stream->open_digests &= (uint8_t)~LUNSCOPE_UNSURE_HEADER_DIGEST;
  stream->unsure &= (uint8_t)~LUNSCOPE_UNSURE_HEADER_DIGEST;
  stream->tail = 0;
}

/*
 * Settle whether headers have digests. REQUIRES: the room holds the first header of a trial, which
 * has no AHS, and four bytes more. If these are not a digest, they are read again. That is not
 * possible if they came with an earlier segment; then the trial ends.
 */
LUNSCOPE_INLINE void lunscope_stream_settle_header_digest(struct lunscope_stream* stream) {
  int has_digest = lunscope_stream_digest_fits(stream, 0);
  lunscope_stream_use_no_header_digest(stream);
  if (!has_digest) {
    lunscope_stream_give_back_digest(stream);
    return;
  }
  stream->header_digest = 1;
  stream->tail = ISCSI_DIGEST_BYTES;
}

/* The header in the room begins behind a data digest: drop the digest. */
LUNSCOPE_INLINE void lunscope_stream_drop_data_digest(struct lunscope_stream* stream) {
  for (uint32_t i = 0; i < ISCSI_BHS_BYTES + ISCSI_DIGEST_BYTES; i++)
    stream->room[i] = stream->room[i + ISCSI_DIGEST_BYTES];
  stream->have -= ISCSI_DIGEST_BYTES;
}

/* REQUIRES: a header has just been taken. Skip to the next header. Returns the PDU's length. */
LUNSCOPE_INLINE uint32_t lunscope_stream_frame(struct lunscope_stream* stream) {
  uint32_t start = stream->next - stream->have;
  uint32_t bytes = iscsi_pdu_bytes(stream->room, stream->header_digest, stream->data_digest);
  stream->pdu_end = start + bytes;
  if ((stream->open_digests & LUNSCOPE_UNSURE_DATA_DIGEST) && iscsi_data_bytes(stream->room) != 0)
    stream->unsure |= LUNSCOPE_UNSURE_DATA_DIGEST;
  lunscope_stream_expect_header(stream, stream->pdu_end);
  return bytes;
}

LUNSCOPE_INLINE void lunscope_stream_expect_chunk(struct lunscope_stream* stream) {
  uint32_t bytes = stream->capture_bytes;
  if (bytes > LUNSCOPE_CHUNK_BYTES) bytes = LUNSCOPE_CHUNK_BYTES;
  stream->have = ISCSI_BHS_BYTES;
  stream->need = (uint16_t)(ISCSI_BHS_BYTES + bytes);
}

/* REQUIRES: _frame() was called. Gather the first `bytes` (> 0) bytes of the data segment. */
LUNSCOPE_INLINE void lunscope_stream_capture(struct lunscope_stream* stream, uint32_t bytes) {
  uint32_t pdu_bytes = iscsi_pdu_bytes(stream->room, stream->header_digest, stream->data_digest);
  stream->next =
      stream->pdu_end - pdu_bytes + iscsi_payload_start(stream->room, stream->header_digest);
  stream->chunk_offset = 0;
  stream->capture_bytes = bytes;
  lunscope_stream_expect_chunk(stream);
}

/* The chunk in the room, behind the BHS. */
LUNSCOPE_INLINE const uint8_t* lunscope_stream_chunk(const struct lunscope_stream* stream) {
  return stream->room + ISCSI_BHS_BYTES;
}

LUNSCOPE_INLINE uint32_t lunscope_stream_chunk_bytes(const struct lunscope_stream* stream) {
  if (stream->have <= ISCSI_BHS_BYTES) return 0;
  return (uint32_t)(stream->have - ISCSI_BHS_BYTES) & LUNSCOPE_ROOM_MASK;
}

/* Does no further chunk of this PDU follow? Also true of a PDU without any. */
LUNSCOPE_INLINE int lunscope_stream_chunk_is_last(const struct lunscope_stream* stream) {
  return stream->capture_bytes <= LUNSCOPE_CHUNK_BYTES;
}

/*
 * A record carries the first `bytes` bytes of the room. Behind them the room becomes zero, up to
 * the end of a chunk, so that a record is filled by copies of a constant size.
 */
LUNSCOPE_SUBPROGRAM int lunscope_stream_keep(struct lunscope_stream* stream, uint32_t bytes) {
  if (!stream) return 0;
  stream->kept = (uint16_t)bytes;
  for (uint32_t at = ISCSI_BHS_BYTES; at <= LUNSCOPE_ROOM_MASK; at++) {
    /* All ones in front of the end, else 0. A branch would make the verifier follow each turn
     * twice. The end is read again in each turn, because the verifier would follow each value of
     * it. */
    int32_t is_kept = (int32_t)at - *(const volatile uint16_t*)&stream->kept;
    LUNSCOPE_BOUND(is_kept); /* else clang makes a branch */
    is_kept >>= 31;
    stream->room[at] &= (uint8_t)is_kept;
  }
  return 0;
}

/* The PDU in the room has data. Gather the last byte of the PDU as a chunk, which no record
 * carries. */
LUNSCOPE_INLINE void lunscope_stream_expect_end(struct lunscope_stream* stream) {
  stream->next = stream->pdu_end - 1;
  stream->chunk_offset = iscsi_data_bytes(stream->room);
  stream->capture_bytes = 1;
  lunscope_stream_expect_chunk(stream);
}

/* After a chunk, or if `awaits_end`: gather the next chunk or the end, or go on to the next PDU. */
LUNSCOPE_INLINE void lunscope_stream_go_on(struct lunscope_stream* stream) {
  if (stream->awaits_end) {
    lunscope_stream_expect_end(stream);
    return;
  }
  if (lunscope_stream_chunk_is_last(stream)) {
    lunscope_stream_expect_header(stream, stream->pdu_end);
    return;
  }
  stream->chunk_offset += LUNSCOPE_CHUNK_BYTES;
  stream->capture_bytes -= LUNSCOPE_CHUNK_BYTES;
  lunscope_stream_expect_chunk(stream);
}

#endif
