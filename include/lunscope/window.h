/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The command window: for how long an initiator could send no further command, and how small the
 * window was between two walks. command.h says which MaxCmdSN counts.
 */
#ifndef LUNSCOPE_WINDOW_H
#define LUNSCOPE_WINDOW_H

#include "state.h"

/*
 * After the numbers of a PDU: can the initiator send a further command? It cannot if the CmdSN of
 * its last one is MaxCmdSN (RFC 7143 section 4.2.2.1). If a session has several connections, each
 * one knows its own commands only.
 */
LUNSCOPE_INLINE void lunscope_connection_watch_window(struct lunscope_connection* connection,
                                                      uint64_t now_ns) {
  const struct lunscope_inflight* inflight = &connection->inflight;
  struct lunscope_connection_record* record = &connection->record;
  uint64_t since_ns = record->window_closed_since_ns;
  int is_closed =
      inflight->knows_statsn && lunscope_distance(inflight->next_cmdsn, inflight->max_cmdsn) < 0;
  if (is_closed == (since_ns != 0)) return;
  record->window_closed_since_ns = is_closed ? now_ns : 0;
  if (!is_closed && now_ns > since_ns) record->window_closed_ns += now_ns - since_ns;
}

/* The smallest window is that of this period and of the one before: who looks once a minute, or
 * more often, misses none. No look changes it, so any number may look. */
#define LUNSCOPE_WINDOW_PERIOD_NS (60ll * 1000 * 1000 * 1000)

/* For how long the period has lasted. REQUIRES: one has begun. */
LUNSCOPE_INLINE int64_t lunscope_window_age_ns(const struct lunscope_connection_record* record,
                                               uint64_t now_ns) {
  return (int64_t)(now_ns - record->window_period_ns);
}

/* A PDU of the target has this header. A login's windows are of the time before the session. */
LUNSCOPE_INLINE void lunscope_connection_measure_window(struct lunscope_connection* connection,
                                                        const uint8_t* bhs, uint64_t now_ns) {
  struct lunscope_connection_record* record = &connection->record;
  uint32_t commands = iscsi_window(bhs);
  if (commands > ISCSI_WINDOW_LIMIT || iscsi_opcode(bhs) == ISCSI_LOGIN_RESPONSE) return;
  int64_t age_ns = record->window_period_ns == 0 ? 2 * LUNSCOPE_WINDOW_PERIOD_NS
                                                 : lunscope_window_age_ns(record, now_ns);
  if (age_ns < LUNSCOPE_WINDOW_PERIOD_NS) {
    if (commands < record->lowest_window) record->lowest_window = commands;
    return;
  }
  record->lowest_window_before =
      age_ns < 2 * LUNSCOPE_WINDOW_PERIOD_NS ? record->lowest_window : commands;
  record->lowest_window = commands;
  record->window_period_ns = now_ns;
}

/* window: the one of now, which is as it was since the target's last PDU. */
LUNSCOPE_INLINE uint32_t lunscope_smallest_window(const struct lunscope_connection_record* record,
                                                  uint32_t window, uint64_t now_ns) {
  if (record->window_period_ns == 0) return window;
  int64_t age_ns = lunscope_window_age_ns(record, now_ns);
  uint32_t smallest = window;
  if (age_ns < 2 * LUNSCOPE_WINDOW_PERIOD_NS && record->lowest_window < smallest)
    smallest = record->lowest_window;
  if (age_ns < LUNSCOPE_WINDOW_PERIOD_NS && record->lowest_window_before < smallest)
    smallest = record->lowest_window_before;
  return smallest;
}

/* In a walk: the command window. */
LUNSCOPE_INLINE void lunscope_fill_window(struct lunscope_connection* connection, uint64_t now_ns) {
  uint64_t since_ns = connection->record.window_closed_since_ns;
  uint32_t commands = lunscope_window_commands(&connection->inflight);
  connection->record.has_window = commands != LUNSCOPE_NO_WINDOW;
  connection->record.window = connection->record.has_window ? commands : 0;
  connection->record.smallest_window =
      lunscope_smallest_window(&connection->record, connection->record.window, now_ns);
  connection->record.window_waiting_ns = since_ns != 0 && now_ns > since_ns ? now_ns - since_ns : 0;
}

#endif
