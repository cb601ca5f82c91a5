/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Commands whose answer may have passed in a gap: when are they given up?
 *
 * A target numbers its statuses. So the first StatSN behind a gap says how many statuses the gap
 * held: `missed`. They belong to commands that were in flight then (`doubtful`), to commands that
 * came in a gap themselves (`unseen`: the CmdSN says how many), or to other requests (`others`).
 * Each status that does come takes one out of these three. A command that ends otherwise takes one
 * out of `missed`, too, if its status may have been one of those. Once no more are left than were
 * missed, the answers of all of them were missed, and the doubtful commands are given up. Where the
 * numbers do not fit (a session of several connections shares one CmdSN), a limit of time decides.
 *
 * Sources: RFC 7143 sections 4.2.2.1 (CmdSN) and 4.2.2.2 (StatSN).
 */
#ifndef LUNSCOPE_DOUBT_H
#define LUNSCOPE_DOUBT_H

#include "state.h"
#include "sweep.h"

/* Linux gives a disk command 30 s, Windows 60 s, before they abort it; an abort would be seen. */
#define LUNSCOPE_DOUBT_NS (90ll * 1000 * 1000 * 1000)
/* A sequence number that steps further is an error, and does not count what was missed. */
#define LUNSCOPE_DOUBT_LIMIT 65536

/* A gap: every command in flight is doubtful from now on. */
LUNSCOPE_INLINE void lunscope_doubt_gap(struct lunscope_inflight* inflight, uint32_t direction) {
  inflight->doubtful = lunscope_inflight_count(inflight);
  inflight->doubtful_since_ns = 0;
  inflight->is_overdue = 0;
  inflight->has_gap[direction & 1] = 1;
  lunscope_window_forget(inflight);
}

/* Take up to `count` from `of`. Returns what is left of count. */
LUNSCOPE_INLINE uint32_t lunscope_doubt_take(uint32_t* of, uint32_t count) {
  uint32_t taken = *of < count ? *of : count;
  *of -= taken;
  return count - taken;
}

/* By how many a sequence number stepped over what was expected. */
LUNSCOPE_INLINE uint32_t lunscope_doubt_step(uint32_t expected, uint32_t number) {
  uint32_t step = number - expected;
  return step <= LUNSCOPE_DOUBT_LIMIT ? step : 0;
}

/* How many requests were not seen and wait for their answer. Some are known from the target alone,
 * which has taken them; some have been answered since. */
LUNSCOPE_INLINE uint32_t lunscope_doubt_unseen(const struct lunscope_inflight* inflight) {
  uint32_t unseen =
      inflight->unseen + lunscope_doubt_step(inflight->next_cmdsn, inflight->taken_cmdsn);
  lunscope_doubt_take(&unseen, inflight->strays);
  return unseen;
}

/* Nothing is doubtful any more: the statuses that were missed belonged to the others. */
LUNSCOPE_INLINE void lunscope_doubt_end(struct lunscope_inflight* inflight) {
  if (inflight->missed > 0) {
    inflight->unseen = lunscope_doubt_unseen(inflight);
    inflight->strays = 0;
    if (lunscope_doubt_step(inflight->next_cmdsn, inflight->taken_cmdsn) != 0)
      inflight->next_cmdsn = inflight->taken_cmdsn;
    uint32_t left = lunscope_doubt_take(&inflight->unseen, (uint32_t)inflight->missed);
    lunscope_doubt_take(&inflight->others, left);
    inflight->missed = 0;
  }
  inflight->doubtful = 0;
  inflight->is_overdue = 0;
}

/* A doubtful command has ended. */
LUNSCOPE_INLINE void lunscope_doubt_clear(struct lunscope_inflight* inflight) {
  if (inflight->doubtful > 1) {
    inflight->doubtful--;
  } else {
    lunscope_doubt_end(inflight);
  }
}

/* The sweep ends a command without its status: was it one of those that passed in a gap? If the tag
 * is used again, it was. The gap may not be known yet: then `missed` is below zero until it is. */
LUNSCOPE_INLINE void lunscope_doubt_sweep(struct lunscope_inflight* inflight,
                                          const struct lunscope_sweep* sweep, int is_doubtful) {
  if (sweep->of == LUNSCOPE_SWEEP_DOUBTFUL) return; /* lunscope_doubt_end() has counted these */
  if (is_doubtful || sweep->reason == LUNSCOPE_UNREPORTED_ITT_REUSED) inflight->missed--;
}

/* Is this a request, or an answer, that is no SCSI Command and no SCSI status? */
LUNSCOPE_INLINE int lunscope_is_other(const uint8_t* bhs) {
  switch (iscsi_opcode(bhs)) {
    case ISCSI_NOP_OUT:
    case ISCSI_NOP_IN: return iscsi_itt(bhs) != ISCSI_RESERVED_TAG;
    case ISCSI_TASK_REQUEST:
    case ISCSI_TASK_RESPONSE:
    case ISCSI_TEXT_REQUEST:
    case ISCSI_TEXT_RESPONSE:
    case ISCSI_LOGOUT_REQUEST:
    case ISCSI_LOGOUT_RESPONSE: return 1;
    default: return 0;
  }
}

/* A request of the initiator (no Data-Out, no SNACK) has this header. The statuses without a
 * command that came before it belong to the requests that passed in this gap, or in earlier ones.
 */
LUNSCOPE_INLINE void lunscope_doubt_request(struct lunscope_inflight* inflight, uint32_t direction,
                                            const uint8_t* bhs) {
  uint32_t cmdsn = iscsi_cmdsn(bhs);
  if (inflight->has_gap[direction & 1]) {
    inflight->unseen += lunscope_doubt_step(inflight->next_cmdsn, cmdsn);
    inflight->has_gap[direction & 1] = 0;
  }
  lunscope_doubt_take(&inflight->unseen, inflight->strays);
  inflight->strays = 0;
  inflight->next_cmdsn = iscsi_is_immediate(bhs) ? cmdsn : cmdsn + 1;
  if (lunscope_is_other(bhs)) inflight->others++;
}

/* Does the target's PDU with this header take a StatSN of its own? Data-In: with a status. */
LUNSCOPE_INLINE int lunscope_takes_statsn(const uint8_t* bhs) {
  switch (iscsi_opcode(bhs)) {
    case ISCSI_R2T: return 0;
    case ISCSI_NOP_IN: return iscsi_itt(bhs) != ISCSI_RESERVED_TAG;
    default: return 1;
  }
}

/* A PDU of the target (no Data-In without a status) has this header. One that takes no StatSN tells
 * the next one. */
LUNSCOPE_INLINE void lunscope_doubt_answer(struct lunscope_inflight* inflight, uint32_t direction,
                                           const uint8_t* bhs) {
  uint32_t statsn = iscsi_statsn(bhs);
  int is_taken = lunscope_takes_statsn(bhs);
  if (inflight->has_gap[direction & 1]) {
    if (inflight->knows_statsn)
      inflight->missed += (int32_t)lunscope_doubt_step(inflight->next_statsn, statsn);
    inflight->has_gap[direction & 1] = 0;
    if (inflight->doubtful == 0) lunscope_doubt_end(inflight);
    inflight->next_statsn = statsn;
  }
  if (inflight->missed < 0) inflight->missed = 0; /* no gap was before this PDU */
  inflight->taken_cmdsn = iscsi_expcmdsn(bhs);
  lunscope_window_note(inflight, bhs);
  if (!is_taken) return;
  inflight->next_statsn = statsn + 1;
  inflight->knows_statsn = 1;
  if (inflight->others != 0 && lunscope_is_other(bhs)) inflight->others--;
}

/* Look at the clock, if commands are doubtful. */
LUNSCOPE_INLINE void lunscope_doubt_look(struct lunscope_inflight* inflight, uint64_t now_ns) {
  if (inflight->doubtful == 0) return;
  if (inflight->doubtful_since_ns == 0) inflight->doubtful_since_ns = now_ns;
  int64_t since_ns = (int64_t)(now_ns - inflight->doubtful_since_ns);
  if (since_ns > LUNSCOPE_DOUBT_NS) inflight->is_overdue = 1;
}

/* Are the doubtful commands to be given up? */
LUNSCOPE_INLINE int lunscope_doubt_is_settled(const struct lunscope_inflight* inflight) {
  if (inflight->doubtful == 0) return 0;
  if (inflight->is_overdue) return 1;
  return inflight->missed > 0 && (uint32_t)inflight->missed >= inflight->doubtful +
                                                                   lunscope_doubt_unseen(inflight) +
                                                                   inflight->others;
}

#endif
