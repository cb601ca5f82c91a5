/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The state of one end of one iSCSI connection. All zeroes: the connection was open before.
 */
#ifndef LUNSCOPE_STATE_H
#define LUNSCOPE_STATE_H

#include "abort.h"
#include "arrivals.h"
#include "stream.h"
#include "text.h"

struct lunscope_connection {
  struct lunscope_connection_record record; /* first: it is emitted from here as it stands */
  uint8_t header_digest;                    /* enum lunscope_digest: the last answer in a login */
  uint8_t data_digest;
  uint8_t checks_header_digest;
  uint8_t skips_phases; /* 1: commands have no phases, and less is written for each */
  /* The kernel half counts the memory of a connection: 1 if this is counted. */
  uint32_t is_met;
  uint32_t has_aggregates;
  uint32_t told; /* gaps and wrong digests that were in the last record of the connection */
  uint8_t pad1[48];
  struct lunscope_stream streams[LUNSCOPE_DIRECTIONS];
  struct lunscope_text texts[LUNSCOPE_DIRECTIONS];
  uint8_t pad2[32];
  struct lunscope_task_requests task_requests;
  struct lunscope_sweep sweep;       /* with DUE_SWEEP (deliver.h) */
  struct lunscope_arrivals arrivals; /* used if record.is_read */
  struct lunscope_inflight inflight;
};

LUNSCOPE_STATIC_ASSERT(LUNSCOPE_STARTS_LINE(struct lunscope_connection, streams) &&
                           LUNSCOPE_STARTS_LINE(struct lunscope_connection, texts) &&
                           LUNSCOPE_STARTS_LINE(struct lunscope_connection, inflight),
                       "members that two CPUs write have lines of their own");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_connection) <= 16000, "an allocation of 16 KiB");

LUNSCOPE_INLINE void lunscope_keep_largest(uint32_t* largest, uint32_t number) {
  if (number > *largest) *largest = number;
}

/* The connection begins, with these sequence numbers of the first byte in each direction. */
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
