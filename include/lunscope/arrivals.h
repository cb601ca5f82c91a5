/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When did these bytes arrive? The arrival hook notes the latest segments that continued a stream.
 * The reading hook looks the notes up later, and often on another CPU.
 *
 * The caller serialises the two (in the kernel: the socket lock). They share only the notes. Each
 * has its own place in the ring of notes, and the number in a note tells it where the other is.
 */
#ifndef LUNSCOPE_ARRIVALS_H
#define LUNSCOPE_ARRIVALS_H

#include "bytes.h"

#define LUNSCOPE_ARRIVALS 32 /* a power of two */

struct lunscope_arrival {
  uint64_t time_ns;
  uint32_t end;    /* sequence number behind the segment */
  uint32_t number; /* 1 is the first; 0: never written */
};

struct lunscope_arrivals {
  uint32_t noted; /* written at arrival: notes so far */
  uint32_t pad0[15];
  struct lunscope_arrival notes[LUNSCOPE_ARRIVALS];
  uint32_t place; /* written at reading: the number of the note that was used last */
  uint32_t pad1[15];
};

/*
 * The number of the next note. Call this before anything that waits, such as reading the clock: the
 * number's cache line often comes from another CPU, and can do so in the meantime.
 */
LUNSCOPE_INLINE uint32_t lunscope_arrivals_next(const struct lunscope_arrivals* arrivals) {
  return *(const volatile uint32_t*)&arrivals->noted + 1;
}

/* Note a segment that ends at `end` and continues the stream. */
LUNSCOPE_INLINE void lunscope_arrivals_note(struct lunscope_arrivals* arrivals, uint32_t number,
                                            uint32_t end, uint64_t now_ns) {
  struct lunscope_arrival* note = &arrivals->notes[number % LUNSCOPE_ARRIVALS];
  arrivals->noted = number;
  note->time_ns = now_ns;
  note->end = end;
  note->number = number;
}

/*
 * When the byte at seq arrived; 0 if unknown. Call this with ascending seq. If the byte is older
 * than all notes, the result is the time of the oldest note, which is too late.
 */
LUNSCOPE_SUBPROGRAM uint64_t lunscope_arrivals_time(struct lunscope_arrivals* arrivals,
                                                    uint32_t seq) {
  if (!arrivals) return 0;
  uint32_t place = arrivals->place;
  uint64_t time_ns = 0;
  if (place == 0) place = 1;
  for (uint32_t i = 0; i <= LUNSCOPE_ARRIVALS; i++) {
    const struct lunscope_arrival* note = &arrivals->notes[place % LUNSCOPE_ARRIVALS];
    int32_t ahead = lunscope_distance(place, note->number);
    if (ahead < 0) break; /* not written yet */
    if (ahead > 0) {      /* overwritten: go on with the oldest note */
      place = note->number - LUNSCOPE_ARRIVALS + 1;
      continue;
    }
    if (lunscope_distance(seq, note->end) > 0) {
      time_ns = note->time_ns;
      break;
    }
    place++;
  }
  arrivals->place = place;
  return time_ns;
}

/* Did the byte at seq arrive together with the one that lunscope_arrivals_time() was asked for
 * last? 0: it may have come later. */
LUNSCOPE_INLINE int lunscope_arrivals_same(const struct lunscope_arrivals* arrivals, uint32_t seq) {
  const struct lunscope_arrival* note = &arrivals->notes[arrivals->place % LUNSCOPE_ARRIVALS];
  return note->number == arrivals->place && lunscope_distance(seq, note->end) > 0;
}

#endif
