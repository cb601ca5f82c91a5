/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Delivery: which records are due, what is in them, and which command ends with its record.
 *
 * The engine decides this while it follows a PDU, and leaves the answer in stream->due. A sink (the
 * ring in the kernel, a callback in a replay) decides nothing. For each bit that is due, in order,
 * it reserves a record of a constant size, fills it by the function here, and submits it. A sink
 * with little room asks rate.h before it does so for a record that is no command's. Then it calls
 * lunscope_connection_delivered() with the result. Only that function counts a command as reported
 * or as lost, and ends it. DUE_SWEEP is first and last: the sink makes the sweep, with
 * lunscope_swept_command() and lunscope_connection_swept(), before the other records of a PDU, and
 * looks once more behind them, because the end of one command may settle what became of others.
 *
 * stream->place is the number of the command that the PDU answers. A pointer to it would lose its
 * type: the verifier does not follow pointers in a struct into a subprogram.
 */
#ifndef LUNSCOPE_DELIVER_H
#define LUNSCOPE_DELIVER_H

#include "aggregate.h"
#include "doubt.h"
#include "fill.h"
#include "rate.h"
#include "totals.h"

/* Bits of stream->due. */
enum lunscope_due {
  LUNSCOPE_DUE_HEADER = 1,  /* lunscope_header_record */
  LUNSCOPE_DUE_PDU = 2,     /* lunscope_pdu_record */
  LUNSCOPE_DUE_COMMAND = 4, /* lunscope_command_record */
  LUNSCOPE_DUE_SENSE = 8,   /* with DUE_COMMAND: lunscope_sensed_command_record instead */
  LUNSCOPE_DUE_SWEEP = 16,  /* a record for each command that connection->sweep takes */
};

/* The fate of a record that was due. */
enum lunscope_delivery {
  LUNSCOPE_DELIVERED,
  LUNSCOPE_ADDED_UP, /* the command needs no record */
  LUNSCOPE_LOST,     /* and, added to it, enum lunscope_loss */
  LUNSCOPE_LOST_FULL = LUNSCOPE_LOST + LUNSCOPE_LOSS_FULL,
  LUNSCOPE_LOST_BUSY = LUNSCOPE_LOST + LUNSCOPE_LOSS_BUSY,
  LUNSCOPE_LOST_RESERVED = LUNSCOPE_LOST + LUNSCOPE_LOSS_RESERVED, /* never a command's */
  LUNSCOPE_LOST_RATE = LUNSCOPE_LOST + LUNSCOPE_LOSS_RATE,         /* never a command's */
};

/* The command that the PDU in the room answers, or 0. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_due_command(
    struct lunscope_connection* connection, struct lunscope_spill* spill, uint32_t direction) {
  uint64_t place = connection->streams[direction & 1].place;
  LUNSCOPE_BOUND(place);
  return lunscope_inflight_at(&connection->inflight, spill, place);
}

/* The records that are due now that this PDU, or a chunk of it, is complete. */
LUNSCOPE_INLINE uint32_t lunscope_due_of(struct lunscope_connection* connection,
                                         const struct lunscope_stream* stream) {
  const uint8_t* bhs = stream->room;
  switch (iscsi_opcode(bhs)) {
    case ISCSI_DATA_OUT:
    case ISCSI_R2T: return 0;
    case ISCSI_SCSI_RESPONSE:
    case ISCSI_DATA_IN: break;
    default: return LUNSCOPE_DUE_PDU;
  }
  uint32_t due = iscsi_has_status(bhs) ? LUNSCOPE_DUE_COMMAND : 0;
  if (stream->place >= LUNSCOPE_NO_PLACE) {
    if (due) connection->record.unmatched_responses++;
    return 0;
  }
  if (stream->have <= ISCSI_BHS_BYTES) return due;
  if (iscsi_opcode(bhs) == ISCSI_DATA_IN) return due | LUNSCOPE_DUE_PDU;
  return lunscope_sense_bytes(stream) != 0 ? due | LUNSCOPE_DUE_SENSE : due;
}

/* Add a command that is due to the table. Returns 0 if it needs a record: a failure, or slow. */
LUNSCOPE_INLINE int lunscope_add_up(struct lunscope_aggregates_record* table,
                                    const struct lunscope_connection* connection,
                                    uint32_t direction, const struct lunscope_command* command,
                                    uint64_t now_ns, uint64_t slow_ns) {
  const struct lunscope_stream* stream = &connection->streams[direction & 1];
  struct lunscope_split_times split = {0};
  if (!lunscope_is_success(stream->room)) return 0;
  lunscope_fill_split(&split, connection, command, &stream->times, now_ns);
  return lunscope_aggregate_add(table, command, &split, now_ns, slow_ns);
}

/* Count a record that was lost by its reason; one that was not lost changes nothing. */
LUNSCOPE_INLINE void lunscope_count_loss(uint64_t lost[LUNSCOPE_LOSS_COUNT],
                                         enum lunscope_delivery delivery) {
  uint32_t loss = (uint32_t)delivery - LUNSCOPE_LOST;
  LUNSCOPE_BOUND(loss);
  if (loss < LUNSCOPE_LOSS_COUNT) lost[loss]++;
}

/* Count a record that got into the ring, or did not. */
LUNSCOPE_INLINE void lunscope_totals_deliver(struct lunscope_totals* totals,
                                             enum lunscope_delivery delivery) {
  if (delivery == LUNSCOPE_DELIVERED) totals->records++;
  lunscope_count_loss(totals->records_lost, delivery);
}

/* Count commands whose record got into the ring, or did not. */
LUNSCOPE_INLINE void lunscope_totals_report(struct lunscope_totals* totals, uint32_t role,
                                            enum lunscope_delivery delivery, uint64_t commands) {
  role &= LUNSCOPE_ROLE_MASK;
  if (delivery < LUNSCOPE_LOST) {
    totals->commands_reported[role] += commands;
  } else if (delivery == LUNSCOPE_LOST_BUSY) {
    totals->commands_unreported[role][LUNSCOPE_UNREPORTED_RING_BUSY] += commands;
  } else {
    totals->commands_unreported[role][LUNSCOPE_UNREPORTED_RING_FULL] += commands;
  }
}

/* A command ends, with its status or without. */
LUNSCOPE_INLINE void lunscope_connection_end_command(struct lunscope_connection* connection,
                                                     struct lunscope_spill* spill,
                                                     struct lunscope_command* command,
                                                     struct lunscope_totals* totals) {
  if (lunscope_is_doubtful(command, connection->record.gaps))
    lunscope_doubt_clear(&connection->inflight);
  totals->commands_in_flight[connection->record.header.role & LUNSCOPE_ROLE_MASK]--;
  lunscope_inflight_end(&connection->inflight, spill, command);
}

/* Make the sweep of what is in doubt due with this PDU, if nothing is in doubt any more. */
LUNSCOPE_INLINE void lunscope_connection_settle_doubt(struct lunscope_connection* connection,
                                                      uint32_t direction) {
  if (!lunscope_doubt_is_settled(&connection->inflight)) return;
  lunscope_doubt_end(&connection->inflight);
  lunscope_sweep_many(&connection->sweep, LUNSCOPE_SWEEP_DOUBTFUL, LUNSCOPE_UNREPORTED_GAP);
  connection->streams[direction & 1].due |= LUNSCOPE_DUE_SWEEP;
}

/*
 * After each record that was due: what became of it. due: its bit, a constant. DUE_COMMAND may make
 * DUE_SWEEP due, so look at that bit once more.
 */
LUNSCOPE_INLINE void lunscope_connection_delivered(struct lunscope_connection* connection,
                                                   struct lunscope_spill* spill, uint32_t direction,
                                                   enum lunscope_due due,
                                                   enum lunscope_delivery delivery,
                                                   struct lunscope_totals* totals) {
  lunscope_totals_deliver(totals, delivery);
  lunscope_count_loss(connection->record.traffic[direction & 1].records_lost, delivery);
  if (due != LUNSCOPE_DUE_COMMAND) return;
  struct lunscope_command* command = lunscope_due_command(connection, spill, direction);
  if (!command) return;
  lunscope_totals_report(totals, connection->record.header.role, delivery, 1);
  lunscope_connection_end_command(connection, spill, command, totals);
  lunscope_connection_settle_doubt(connection, direction);
}

/*
 * DUE_SWEEP: the command in this place of the tables, if the sweep takes it, or 0. There are
 * lunscope_inflight_places() of them.
 */
LUNSCOPE_INLINE struct lunscope_command* lunscope_swept_command(
    struct lunscope_connection* connection, struct lunscope_spill* spill, uint64_t place) {
  struct lunscope_command* command = lunscope_inflight_at(&connection->inflight, spill, place);
  if (!command || !lunscope_sweep_takes(&connection->sweep, command, connection->record.gaps))
    return 0;
  return command;
}

/* After the record of a swept command. The command counts by its reason, with a record or without.
 */
LUNSCOPE_INLINE void lunscope_connection_swept(struct lunscope_connection* connection,
                                               struct lunscope_spill* spill,
                                               struct lunscope_command* command,
                                               enum lunscope_delivery delivery,
                                               struct lunscope_totals* totals) {
  uint32_t role = connection->record.header.role & LUNSCOPE_ROLE_MASK;
  uint32_t reason = lunscope_sweep_reason(&connection->sweep, command);
  LUNSCOPE_BOUND(reason);
  lunscope_totals_deliver(totals, delivery);
  if (reason < LUNSCOPE_UNREPORTED_COUNT) totals->commands_unreported[role][reason]++;
  lunscope_doubt_sweep(&connection->inflight, &connection->sweep,
                       lunscope_is_doubtful(command, connection->record.gaps));
  lunscope_connection_end_command(connection, spill, command, totals);
}

/* After the connection's own record. */
LUNSCOPE_INLINE void lunscope_connection_announced(struct lunscope_connection* connection,
                                                   enum lunscope_delivery delivery,
                                                   struct lunscope_totals* totals) {
  lunscope_totals_deliver(totals, delivery);
  connection->record.header.flags &= (uint8_t)~LUNSCOPE_FLAG_OPENED;
}

/*
 * After the last record of the aggregates. Their commands were counted as reported when they ended.
 * If the record is lost, the commands that no walk has handed out are not reported after all.
 */
LUNSCOPE_INLINE void lunscope_aggregates_delivered(const struct lunscope_connection* connection,
                                                   const struct lunscope_aggregates_record* table,
                                                   enum lunscope_delivery delivery,
                                                   struct lunscope_totals* totals) {
  lunscope_totals_deliver(totals, delivery);
  if (delivery == LUNSCOPE_DELIVERED) return;
  uint32_t role = connection->record.header.role & LUNSCOPE_ROLE_MASK;
  uint64_t unread = lunscope_aggregates_unread(table);
  totals->commands_reported[role] -= unread;
  lunscope_totals_report(totals, role, delivery, unread);
}

#endif
