/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is kept of one end of one iSCSI connection. All zeroes: it was met in the middle.
 */
#ifndef LUNSCOPE_STATE_H
#define LUNSCOPE_STATE_H

#include "abort.h"
#include "arrivals.h"
#include "stream.h"
#include "text.h"

struct lunscope_connection {
  struct lunscope_connection_record record; /* first: it is emitted from here as it stands */
  uint8_t header_digest; /* enum lunscope_digest: what was said last in a login */
  uint8_t data_digest;
  uint8_t checks_header_digest;
  uint8_t apart[61];
  struct lunscope_stream streams[LUNSCOPE_DIRECTIONS];
  struct lunscope_text texts[LUNSCOPE_DIRECTIONS];
  uint8_t apart_again[32];
  struct lunscope_task_requests task_requests;
  uint8_t apart_once_more[24];
  struct lunscope_arrivals arrivals; /* where record.is_read */
  struct lunscope_inflight inflight;
};

LUNSCOPE_STATIC_ASSERT(LUNSCOPE_STARTS_LINE(struct lunscope_connection, streams) &&
                           LUNSCOPE_STARTS_LINE(struct lunscope_connection, texts) &&
                           LUNSCOPE_STARTS_LINE(struct lunscope_connection, inflight),
                       "what two CPUs write lies apart");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_connection) <= 16000, "an allocation of 16 KiB");

/* The connection begins: the sequence numbers of the first byte each way. */
LUNSCOPE_INLINE void lunscope_connection_open(struct lunscope_connection* connection,
                                              uint32_t received_seq, uint32_t sent_seq) {
  lunscope_stream_start(&connection->streams[LUNSCOPE_RECEIVED], received_seq);
  lunscope_stream_start(&connection->streams[LUNSCOPE_SENT], sent_seq);
  for (uint32_t i = 0; i < LUNSCOPE_DIRECTIONS; i++) {
    lunscope_text_next_key(&connection->texts[i]);
    connection->record.followed[i] = 1;
  }
}

#endif
