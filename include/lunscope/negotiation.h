/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Login and text PDUs: their text passes the filter (text.h), and the digests that a login
 * negotiates come into effect. None of this depends on whether a record is delivered.
 */
#ifndef LUNSCOPE_NEGOTIATION_H
#define LUNSCOPE_NEGOTIATION_H

#include "state.h"

LUNSCOPE_INLINE int lunscope_is_login(uint8_t opcode) {
  return opcode == ISCSI_LOGIN_REQUEST || opcode == ISCSI_LOGIN_RESPONSE;
}

LUNSCOPE_INLINE int lunscope_is_text(uint8_t opcode) {
  return lunscope_is_login(opcode) || opcode == ISCSI_TEXT_REQUEST || opcode == ISCSI_TEXT_RESPONSE;
}

/*
 * The text PDU in the room is complete. If it has no C bit, its last key is complete, too. The
 * digest is what the side that was asked answered, so the last answer counts (RFC 7143
 * section 6.2). It comes into effect in both directions with the Login Response that opens the full
 * feature phase (sections 6.3.4 and 13.1).
 */
LUNSCOPE_INLINE void lunscope_connection_end_text(struct lunscope_connection* connection,
                                                  uint32_t direction) {
  const uint8_t* bhs = connection->streams[direction & 1].room;
  struct lunscope_text* text = &connection->texts[direction & 1];
  if (!(iscsi_flags(bhs) & ISCSI_FLAG_CONTINUE)) {
    lunscope_text_end_value(text); /* the NUL of the last key may be missing */
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

/*
 * A text PDU, or a chunk of it, is in the room. Filter it in place: only what may leave the kernel
 * stays in the room. Negotiation goes on here, whether or not a record is delivered.
 */
LUNSCOPE_SUBPROGRAM int lunscope_connection_read_text(struct lunscope_connection* connection,
                                                      uint32_t direction) {
  if (!connection) return 0;
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  struct lunscope_text* text = &connection->texts[direction & 1];
  uint32_t bytes = lunscope_stream_chunk_bytes(stream);
  /* Counted in memory, because the verifier would follow each value of a register. Without a
   * branch, because it would follow each turn of the loop twice. */
  stream->kept = ISCSI_BHS_BYTES;
  for (uint32_t i = 0; i < LUNSCOPE_CHUNK_BYTES && i < bytes; i++) {
    uint8_t byte = stream->room[ISCSI_BHS_BYTES + i];
    int passes = lunscope_text_take(text, byte);
    stream->room[stream->kept & LUNSCOPE_ROOM_MASK] =
        byte; /* the next byte goes here if it fails */
    stream->kept = (uint16_t)(stream->kept + passes);
  }
  if (bytes != 0) stream->have = stream->kept;
  if (lunscope_stream_chunk_is_last(stream)) lunscope_connection_end_text(connection, direction);
  return 0;
}

#endif
