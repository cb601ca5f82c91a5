/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The command window: for how long an initiator could send no further command. command.h says which
 * MaxCmdSN counts.
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

/* In a walk: the command window. */
LUNSCOPE_INLINE void lunscope_fill_window(struct lunscope_connection* connection, uint64_t now_ns) {
  uint64_t since_ns = connection->record.window_closed_since_ns;
  uint32_t commands = lunscope_window_commands(&connection->inflight);
  connection->record.has_window = commands != LUNSCOPE_NO_WINDOW;
  connection->record.window = connection->record.has_window ? commands : 0;
  connection->record.window_waiting_ns = since_ns != 0 && now_ns > since_ns ? now_ns - since_ns : 0;
}

#endif
