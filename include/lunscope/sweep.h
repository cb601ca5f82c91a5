/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A sweep: commands that end without a status, and why. The engine says which; the sink goes
 * through the places of the tables, emits a record for each command that the sweep takes, and ends
 * it (deliver.h).
 */
#ifndef LUNSCOPE_SWEEP_H
#define LUNSCOPE_SWEEP_H

#include "command.h"
#include "reasons.h"

enum lunscope_sweep_of {
  LUNSCOPE_SWEEP_TAG,      /* the command with this tag */
  LUNSCOPE_SWEEP_LUN,      /* the commands on this LUN with a lower CmdSN */
  LUNSCOPE_SWEEP_SESSION,  /* all commands with a lower CmdSN */
  LUNSCOPE_SWEEP_DOUBTFUL, /* the commands that were in flight in a gap */
  LUNSCOPE_SWEEP_TRIAL,    /* the commands whose status passed in this trial */
  LUNSCOPE_SWEEP_ALL,
};

struct lunscope_sweep {
  uint64_t lun;
  uint32_t tag; /* ~ITT; of a trial: where it began */
  uint32_t cmdsn;
  uint8_t of;     /* enum lunscope_sweep_of */
  uint8_t reason; /* enum lunscope_unreported */
  uint8_t cause;  /* as in the command's record */
  uint8_t reserved[5];
};

/* The sweep of one command. */
LUNSCOPE_INLINE void lunscope_sweep_tag(struct lunscope_sweep* sweep, uint32_t itt,
                                        enum lunscope_unreported reason, uint8_t cause) {
  sweep->of = LUNSCOPE_SWEEP_TAG;
  sweep->tag = ~itt;
  sweep->reason = (uint8_t)reason;
  sweep->cause = cause;
}

/* The sweep of many, without a cause of their own. */
LUNSCOPE_INLINE void lunscope_sweep_many(struct lunscope_sweep* sweep, enum lunscope_sweep_of of,
                                         enum lunscope_unreported reason) {
  sweep->of = (uint8_t)of;
  sweep->reason = (uint8_t)reason;
  sweep->cause = 0;
}

/* Was this command in flight in one of the connection's gaps? */
LUNSCOPE_INLINE int lunscope_is_doubtful(const struct lunscope_command* command, uint32_t gaps) {
  return command->gaps != (gaps & LUNSCOPE_GAPS_MASK);
}

/* Why does the sweep end this command? An abort, say, ends what the target never took. */
LUNSCOPE_INLINE uint32_t lunscope_sweep_reason(const struct lunscope_sweep* sweep,
                                               const struct lunscope_command* command) {
  int is_answered =
      sweep->reason == LUNSCOPE_UNREPORTED_GAP || sweep->reason == LUNSCOPE_UNREPORTED_REJECTED;
  if (command->is_beyond && !is_answered) return LUNSCOPE_UNREPORTED_BEYOND_WINDOW;
  return sweep->reason;
}

/* Does the sweep end what is in this place of the tables? gaps: of the connection. */
LUNSCOPE_INLINE int lunscope_sweep_takes(const struct lunscope_sweep* sweep,
                                         const struct lunscope_command* command, uint32_t gaps) {
  if (command->tag == 0) return 0;
  int is_earlier = lunscope_distance(command->cmdsn, sweep->cmdsn) > 0;
  switch (sweep->of) {
    case LUNSCOPE_SWEEP_TAG: return command->tag == sweep->tag;
    case LUNSCOPE_SWEEP_LUN: return is_earlier && command->lun == sweep->lun;
    case LUNSCOPE_SWEEP_SESSION: return is_earlier;
    case LUNSCOPE_SWEEP_TRIAL:
      return command->split_is == LUNSCOPE_SPLIT_TRIAL && command->split == sweep->tag;
    case LUNSCOPE_SWEEP_DOUBTFUL: return lunscope_is_doubtful(command, gaps);
    default: return 1;
  }
}

#endif
