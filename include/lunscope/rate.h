/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How many records of management PDUs one direction of a connection may have. A peer can send a
 * million of such PDUs a second, and each record would take room in a ring and time of the
 * collector from the others. So there is one record for each tick, and LUNSCOPE_RATE_BURST at once
 * after a time without (the generic cell rate algorithm, ITU-T I.371). Commands have no such limit.
 */
#ifndef LUNSCOPE_RATE_H
#define LUNSCOPE_RATE_H

#include "stream.h"

#define LUNSCOPE_RATE_SHIFT 20 /* a tick: 2^20 ns, so 954 records a second */
#define LUNSCOPE_RATE_BURST 4096

/*
 * May there be one more record now? The records so far are paid for at the tick stream->paid; 0: no
 * record was asked for. A tick that is further ahead than any burst lies in the past: ticks begin
 * again after 52 days.
 */
LUNSCOPE_INLINE int lunscope_rate_allows(struct lunscope_stream* stream, uint64_t now_ns) {
  uint32_t now = (uint32_t)(now_ns >> LUNSCOPE_RATE_SHIFT);
  uint32_t ahead = stream->paid - now;
  if (stream->paid == 0 || ahead > 2 * LUNSCOPE_RATE_BURST) ahead = 0;
  if (ahead >= LUNSCOPE_RATE_BURST) return 0;
  uint32_t paid = now + ahead + 1;
  stream->paid = paid != 0 ? paid : 1;
  return 1;
}

#endif
