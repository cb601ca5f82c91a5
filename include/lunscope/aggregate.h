/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Completed commands of one connection, added up in place of a record each. Counts begin with the
 * connection and only grow: who reads them keeps what was there before, and misses nothing by
 * reading late. The caller serialises the writers, as for all of a connection's state.
 */
#ifndef LUNSCOPE_AGGREGATE_H
#define LUNSCOPE_AGGREGATE_H

#include "command.h"

LUNSCOPE_INLINE uint32_t lunscope_bit_width_by_halves(uint64_t value) {
  uint32_t bits = value != 0;
  for (uint32_t step = 32; step != 0; step /= 2) {
    if (value >> step == 0) continue;
    value >>= step;
    bits += step;
  }
  return bits;
}

/* How many bits a number takes: 0 for 0. */
LUNSCOPE_INLINE uint32_t lunscope_bit_width(uint64_t value) {
#ifdef __bpf__ /* which has no instruction for it */
  return lunscope_bit_width_by_halves(value);
#else
  return value == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(value);
#endif
}

/*
 * The bucket of a value among bounds first, 2 first, 4 first, ...: the first whose bound is not
 * below it, or `bounds` for one that is above all.
 */
LUNSCOPE_INLINE uint32_t lunscope_bucket_of(uint64_t value, uint64_t first, uint32_t bounds) {
  if (value <= first) return 0;
  uint32_t bucket = lunscope_bit_width(value) - lunscope_bit_width(first);
  if (bucket >= bounds) return bounds;
  return value <= first << bucket ? bucket : bucket + 1;
}

LUNSCOPE_INLINE int lunscope_aggregate_is_of(const struct lunscope_aggregate* aggregate,
                                             const struct lunscope_command* command) {
  return aggregate->lun == command->lun && aggregate->opcode == command->cdb[0] &&
         aggregate->flags == (command->flags & ISCSI_COMMAND_READ);
}

/* The place in the table of this command's kind, LUNSCOPE_AGGREGATES if it is full. */
LUNSCOPE_SUBPROGRAM uint32_t lunscope_aggregate_place(struct lunscope_aggregates_record* table,
                                                      const struct lunscope_command* command) {
  if (!table || !command) return LUNSCOPE_AGGREGATES;
  for (uint32_t i = 0; i < LUNSCOPE_AGGREGATES; i++) {
    struct lunscope_aggregate* aggregate = &table->aggregates[i];
    if (i == table->count) {
      aggregate->lun = command->lun;
      aggregate->opcode = command->cdb[0];
      aggregate->flags = command->flags & ISCSI_COMMAND_READ;
      table->count = i + 1;
      return i;
    }
    if (lunscope_aggregate_is_of(aggregate, command)) return i;
  }
  return LUNSCOPE_AGGREGATES;
}

/* The aggregate for this command, or 0: it is to have a record. Mostly that of the command before.
 */
LUNSCOPE_INLINE struct lunscope_aggregate* lunscope_aggregate_of(
    struct lunscope_aggregates_record* table, const struct lunscope_command* command) {
  uint32_t place = table->last;
  LUNSCOPE_BOUND(place);
  if (place < table->count && place < LUNSCOPE_AGGREGATES &&
      lunscope_aggregate_is_of(&table->aggregates[place], command))
    return &table->aggregates[place];
  place = lunscope_aggregate_place(table, command);
  LUNSCOPE_BOUND(place);
  if (place >= LUNSCOPE_AGGREGATES) return 0;
  table->last = place;
  return &table->aggregates[place];
}

/*
 * Add the command that the status in this BHS completes (a SCSI Response, or a Data-In with S).
 * False if it is to have a record: a failure, one that took slow_ns or longer, or of a kind that
 * the table has no room for.
 */
LUNSCOPE_SUBPROGRAM int lunscope_aggregate_add(struct lunscope_aggregates_record* table,
                                               const struct lunscope_command* command,
                                               uint64_t now_ns, uint64_t slow_ns) {
  if (!table || !command) return 0;
  uint64_t duration_ns = now_ns > command->start_ns ? now_ns - command->start_ns : 0;
  if (duration_ns >= slow_ns) return 0;
  struct lunscope_aggregate* aggregate = lunscope_aggregate_of(table, command);
  if (!aggregate) return 0;
  uint32_t duration =
      lunscope_bucket_of(duration_ns, LUNSCOPE_LATENCY_FIRST_NS, LUNSCOPE_LATENCY_BOUNDS);
  uint32_t size = lunscope_bucket_of(command->transferred_bytes, LUNSCOPE_SIZE_FIRST_BYTES,
                                     LUNSCOPE_SIZE_BOUNDS);
  LUNSCOPE_BOUND(duration);
  LUNSCOPE_BOUND(size);
  if (duration > LUNSCOPE_LATENCY_BOUNDS || size > LUNSCOPE_SIZE_BOUNDS) return 0;
  aggregate->durations[duration]++;
  aggregate->sizes[size]++;
  aggregate->duration_ns += duration_ns;
  aggregate->transferred_bytes += command->transferred_bytes;
  aggregate->commands++;
  return 1;
}

/* Did this status come without any trouble? */
LUNSCOPE_INLINE int lunscope_is_success(const uint8_t* bhs) {
  return iscsi_status(bhs) == SCSI_STATUS_GOOD &&
         (iscsi_opcode(bhs) != ISCSI_SCSI_RESPONSE || iscsi_response(bhs) == 0);
}

/* A walk hands out what is there now. */
LUNSCOPE_INLINE void lunscope_aggregates_tell(struct lunscope_aggregates_record* table) {
  for (uint32_t i = 0; i < LUNSCOPE_AGGREGATES; i++)
    table->aggregates[i].told = table->aggregates[i].commands;
}

/* Commands that no walk has handed out. */
LUNSCOPE_INLINE uint64_t
lunscope_aggregates_untold(const struct lunscope_aggregates_record* table) {
  uint64_t untold = 0;
  for (uint32_t i = 0; i < LUNSCOPE_AGGREGATES; i++)
    untold += table->aggregates[i].commands - table->aggregates[i].told;
  return untold;
}

#endif
