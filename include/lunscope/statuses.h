/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Statuses that the initiator has not acknowledged: a target keeps each until then. It numbers them
 * (StatSN), and each PDU of the initiator has the number that it expects next (ExpStatSN, RFC 7143
 * section 4.2.2.2).
 */
#ifndef LUNSCOPE_STATUSES_H
#define LUNSCOPE_STATUSES_H

#include "doubt.h"
#include "state.h"

/* A PDU of the initiator has this header. */
LUNSCOPE_INLINE void lunscope_connection_acknowledge(struct lunscope_connection* connection,
                                                     uint32_t direction, const uint8_t* bhs) {
  struct lunscope_traffic* traffic = &connection->record.traffic[direction & 1];
  traffic->expstatsn = iscsi_expstatsn(bhs);
  traffic->has_expstatsn = 1;
}

/* In a walk. Not known before both ends have said a number, nor if the numbers do not fit. */
LUNSCOPE_INLINE void lunscope_fill_statuses(struct lunscope_connection* connection) {
  const struct lunscope_inflight* inflight = &connection->inflight;
  struct lunscope_connection_record* record = &connection->record;
  uint32_t direction =
      record->header.role == LUNSCOPE_ROLE_TARGET ? LUNSCOPE_RECEIVED : LUNSCOPE_SENT;
  const struct lunscope_traffic* traffic = &record->traffic[direction];
  uint32_t statuses = inflight->next_statsn - traffic->expstatsn;
  record->has_unacknowledged_statuses =
      inflight->knows_statsn && traffic->has_expstatsn != 0 && statuses <= LUNSCOPE_DOUBT_LIMIT;
  record->unacknowledged_statuses = record->has_unacknowledged_statuses ? statuses : 0;
}

#endif
