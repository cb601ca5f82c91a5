/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A command begins. Its tag may be in flight still, or its table may have no place; then the caller
 * does something first, and calls again.
 */
#ifndef LUNSCOPE_BEGIN_H
#define LUNSCOPE_BEGIN_H

#include "deliver.h"

enum lunscope_header {
  LUNSCOPE_HEADER_FOLLOWED, /* go on with the next bytes */
  LUNSCOPE_HEADER_TRIAL,    /* the PDU is on trial: call lunscope_connection_note_trial() */
  LUNSCOPE_HEADER_ACT,      /* the PDU does something: call lunscope_connection_act() */
  LUNSCOPE_HEADER_REUSED,   /* its tag is in flight: call lunscope_connection_begin() */
  LUNSCOPE_HEADER_CROWDED,  /* no place for the command: call the same, with a spill */
  LUNSCOPE_HEADER_LOST,     /* not a header: call lunscope_connection_lose_header() */
};

/* The tag of the SCSI Command in the room is in flight: the earlier command was answered in a gap,
 * or never. */
LUNSCOPE_INLINE void lunscope_connection_end_earlier(struct lunscope_connection* connection,
                                                     struct lunscope_spill* spill,
                                                     uint32_t direction) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  uint32_t itt = iscsi_itt(stream->room);
  const struct lunscope_command* earlier =
      lunscope_inflight_find(&connection->inflight, spill, itt);
  int is_doubtful = earlier && lunscope_is_doubtful(earlier, connection->record.gaps);
  lunscope_sweep_tag(&connection->sweep, itt,
                     is_doubtful ? LUNSCOPE_UNREPORTED_GAP : LUNSCOPE_UNREPORTED_ITT_REUSED, 0);
  stream->due |= LUNSCOPE_DUE_SWEEP;
}

/* The command whose header is in the room has begun: set its marks, and count its own data. */
LUNSCOPE_INLINE void lunscope_connection_mark(struct lunscope_connection* connection,
                                              const struct lunscope_spill* spill,
                                              struct lunscope_stream* stream,
                                              struct lunscope_command* command) {
  if (!command) return;
  if (command->is_beyond) connection->record.commands_beyond++;
  lunscope_marks_clear(command, connection->record.retransmits);
  if (connection->skips_phases) {
    command->split_is = LUNSCOPE_SPLIT_UNKNOWN;
  } else {
    lunscope_marks_begin(command, stream,
                         lunscope_inflight_number(&connection->inflight, spill, command));
  }
  uint32_t bytes = iscsi_data_bytes(stream->room);
  lunscope_keep_largest(&connection->record.largest_immediate, bytes);
  lunscope_command_count(command, 0, bytes);
}

/* The command whose header is in the room begins. */
LUNSCOPE_INLINE enum lunscope_header lunscope_connection_begin_command(
    struct lunscope_connection* connection, struct lunscope_spill* spill, uint32_t direction,
    uint64_t now_ns, struct lunscope_totals* totals) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  struct lunscope_command* command = 0;
  /* If the other direction is not followed, answers are missed: the command spans a gap. */
  uint32_t is_followed = connection->record.followed[~direction & 1];
  uint32_t gaps = is_followed ? connection->record.gaps : connection->record.gaps - 1;
  uint32_t role = connection->record.header.role & LUNSCOPE_ROLE_MASK;
  switch (
      lunscope_inflight_begin(&connection->inflight, spill, stream->room, now_ns, gaps, &command)) {
    case LUNSCOPE_CROWDED: return LUNSCOPE_HEADER_CROWDED;
    case LUNSCOPE_TAG_IN_USE:
      lunscope_connection_end_earlier(connection, spill, direction);
      return LUNSCOPE_HEADER_REUSED;
    case LUNSCOPE_REFUSED:
      totals->commands_unreported[role][LUNSCOPE_UNREPORTED_TABLE_FULL]++;
      break;
    case LUNSCOPE_BEGUN:
      totals->commands_in_flight[role]++;
      if (!is_followed) connection->inflight.doubtful++;
      lunscope_connection_mark(connection, spill, stream, command);
      break;
  }
  return LUNSCOPE_HEADER_FOLLOWED;
}

/*
 * After HEADER_REUSED, once the sweep was made; and after HEADER_CROWDED. spill: after CROWDED one
 * that was zeroed before its first use, or 0 if there is no memory for it.
 */
LUNSCOPE_SUBPROGRAM int lunscope_connection_begin(struct lunscope_connection* connection,
                                                  struct lunscope_spill* spill, uint32_t direction,
                                                  uint64_t now_ns, struct lunscope_totals* totals) {
  if (!connection || !totals) return 0;
  uint32_t role = connection->record.header.role & LUNSCOPE_ROLE_MASK;
  enum lunscope_header header =
      lunscope_connection_begin_command(connection, spill, direction, now_ns, totals);
  if (header == LUNSCOPE_HEADER_CROWDED)
    totals->commands_unreported[role][LUNSCOPE_UNREPORTED_TABLE_FULL]++;
  return 0;
}

#endif
