/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Totals: counts that stay exact when records are lost. Programs count where things happen, in one
 * copy per program and CPU; the collector adds the copies up.
 *
 * In each copy: commands seen = reported + unreported (by reason) + in flight. A command that
 * begins in one copy and ends in another makes the second copy's commands in flight fewer than 0;
 * the sum over the copies is right.
 */
#ifndef LUNSCOPE_TOTALS_H
#define LUNSCOPE_TOTALS_H

#include "reasons.h"
#include "types.h"

struct lunscope_totals {
  uint64_t commands_seen[LUNSCOPE_ROLES];
  uint64_t commands_in_flight[LUNSCOPE_ROLES];
  uint64_t commands_reported[LUNSCOPE_ROLES];
  uint64_t records; /* that got into a ring */
  uint64_t commands_unreported[LUNSCOPE_ROLES][LUNSCOPE_UNREPORTED_COUNT];
  uint64_t gaps[LUNSCOPE_REASON_COUNT];
  uint64_t resyncs[LUNSCOPE_REASON_COUNT];
  uint64_t unparsed_bytes[LUNSCOPE_REASON_COUNT];
  uint64_t healed_bytes; /* sent bytes that were read from TCP's retransmit queue */
  uint64_t records_lost[LUNSCOPE_LOSS_COUNT];
  uint64_t untracked_connections; /* there was no memory for their state */
};

/* The same for the SCSI layers, with one copy per CPU. The rest is in flight. */
struct lunscope_scsi_totals {
  uint64_t commands_seen[LUNSCOPE_ROLES];
  uint64_t commands_reported[LUNSCOPE_ROLES];
  uint64_t commands_unreported[LUNSCOPE_ROLES][LUNSCOPE_SCSI_UNREPORTED_COUNT];
  uint64_t unmatched_completions[LUNSCOPE_ROLES];
  uint64_t refusals[LUNSCOPE_SCSI_REFUSAL_COUNT];
  uint64_t timeouts;
  uint64_t records;
  uint64_t records_lost[LUNSCOPE_LOSS_COUNT];
};

/* Returns 0 if the copy was read while its writer was updating a command. */
LUNSCOPE_INLINE int lunscope_totals_balance(const struct lunscope_totals* totals) {
  for (uint32_t role = 0; role < LUNSCOPE_ROLES; role++) {
    uint64_t accounted = totals->commands_reported[role] + totals->commands_in_flight[role];
    for (uint32_t reason = 0; reason < LUNSCOPE_UNREPORTED_COUNT; reason++)
      accounted += totals->commands_unreported[role][reason];
    if (totals->commands_seen[role] != accounted) return 0;
  }
  return 1;
}

/* Replace the command counts of one role with those of another reading of the same copy. */
LUNSCOPE_INLINE void lunscope_totals_take_commands(struct lunscope_totals* totals,
                                                   const struct lunscope_totals* from,
                                                   uint32_t role) {
  totals->commands_seen[role] = from->commands_seen[role];
  totals->commands_in_flight[role] = from->commands_in_flight[role];
  totals->commands_reported[role] = from->commands_reported[role];
  for (uint32_t reason = 0; reason < LUNSCOPE_UNREPORTED_COUNT; reason++)
    totals->commands_unreported[role][reason] = from->commands_unreported[role][reason];
}

#endif
