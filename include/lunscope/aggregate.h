/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Completed commands of one connection, added up instead of a record for each. Counts begin with
 * the connection and only grow. So a reader takes the difference to its last reading, and misses
 * nothing by reading late. The caller serialises the writers, as for all of a connection's state.
 */
#ifndef LUNSCOPE_AGGREGATE_H
#define LUNSCOPE_AGGREGATE_H

#include "marks.h"

/*
 * The bucket of a value, where bounds are first, 2 * first, 4 * first and so on: the first bucket
 * whose bound is not below the value, or `bounds` if the value is above all bounds. first: a
 * constant.
 */
LUNSCOPE_INLINE uint32_t lunscope_bucket_of(uint64_t value, uint64_t first, uint32_t bounds) {
  if (value <= first) return 0;
  uint32_t first_bits = 64 - (uint32_t)__builtin_clzll(first); /* of a constant, in BPF as well */
  uint32_t bucket = lunscope_bit_width(value) - first_bits;
  if (bucket >= bounds) return bounds;
  return value <= first << bucket ? bucket : bucket + 1;
}

LUNSCOPE_INLINE uint8_t lunscope_deciding_byte1(const uint8_t* cdb) {
  return cdb[1] & scsi_deciding_bits(cdb[0]);
}

LUNSCOPE_INLINE int lunscope_aggregate_is_of(const struct lunscope_aggregate* aggregate,
                                             const struct lunscope_command* command) {
  return aggregate->lun == command->lun && aggregate->opcode == command->cdb[0] &&
         aggregate->byte1 == lunscope_deciding_byte1(command->cdb) &&
         aggregate->flags == (command->flags & ISCSI_COMMAND_READ);
}

/* The place of this command's kind in the table; LUNSCOPE_AGGREGATES if the table is full. */
LUNSCOPE_SUBPROGRAM uint32_t lunscope_aggregate_place(struct lunscope_aggregates_record* table,
                                                      const struct lunscope_command* command) {
  if (!table || !command) return LUNSCOPE_AGGREGATES;
  for (uint32_t i = 0; i < LUNSCOPE_AGGREGATES; i++) {
    struct lunscope_aggregate* aggregate = &table->aggregates[i];
    if (i == table->count) {
      aggregate->lun = command->lun;
      aggregate->opcode = command->cdb[0];
      aggregate->byte1 = lunscope_deciding_byte1(command->cdb);
      aggregate->flags = command->flags & ISCSI_COMMAND_READ;
      table->count = i + 1;
      return i;
    }
    if (lunscope_aggregate_is_of(aggregate, command)) return i;
  }
  return LUNSCOPE_AGGREGATES;
}

/* The aggregate for this command, or 0 if the table is full. Mostly it is the last one used. */
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
 * Does a row of the table say all of this command? The bytes that decide the kind of a variable
 * length CDB are not in the row, and a bidirectional command has bytes both ways.
 */
LUNSCOPE_INLINE int lunscope_can_add_up(const struct lunscope_command* command) {
  return command->cdb[0] != SCSI_VARIABLE_LENGTH && !lunscope_is_bidirectional(command);
}

/* Add the phases of a command. below_units: the part of its duration that no unit holds. */
LUNSCOPE_INLINE void lunscope_aggregate_phases(struct lunscope_aggregate* aggregate,
                                               const struct lunscope_split_times* split,
                                               uint64_t below_units) {
  for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_SLOTS; slot++) {
    if (!(split->known >> slot & 1)) continue;
    uint64_t phase_ns = (uint64_t)split->units[slot] << LUNSCOPE_PHASE_SHIFT;
    if (slot == LUNSCOPE_PHASE_REST) phase_ns += below_units;
    uint32_t bucket =
        lunscope_bucket_of(phase_ns, LUNSCOPE_LATENCY_FIRST_NS, LUNSCOPE_LATENCY_BOUNDS);
    LUNSCOPE_BOUND(bucket);
    if (bucket > LUNSCOPE_LATENCY_BOUNDS) continue;
    aggregate->phases[slot][bucket]++;
    aggregate->phase_ns[slot] += phase_ns;
  }
}

/* A counter of 32 bits could overflow twice between two walks: beyond this, no more are added. */
#define LUNSCOPE_AGGREGATE_LIMIT (1u << 31)

/*
 * Add a command that has ended with success. Returns 0 if it needs a record instead: because it
 * took slow_ns or longer, because a row does not say all of it, because the table has no room for
 * its kind, or because no walk has read the row for too many commands.
 */
LUNSCOPE_SUBPROGRAM int lunscope_aggregate_add(struct lunscope_aggregates_record* table,
                                               const struct lunscope_command* command,
                                               const struct lunscope_split_times* split,
                                               uint64_t now_ns, uint64_t slow_ns) {
  if (!table || !command || !split) return 0;
  uint64_t duration_ns = now_ns > command->start_ns ? now_ns - command->start_ns : 0;
  if (duration_ns >= slow_ns || !lunscope_can_add_up(command)) return 0;
  struct lunscope_aggregate* aggregate = lunscope_aggregate_of(table, command);
  if (!aggregate || (uint32_t)aggregate->commands - aggregate->read >= LUNSCOPE_AGGREGATE_LIMIT)
    return 0;
  uint32_t duration =
      lunscope_bucket_of(duration_ns, LUNSCOPE_LATENCY_FIRST_NS, LUNSCOPE_LATENCY_BOUNDS);
  uint32_t size = lunscope_bucket_of(lunscope_transferred_bytes(command), LUNSCOPE_SIZE_FIRST_BYTES,
                                     LUNSCOPE_SIZE_BOUNDS);
  LUNSCOPE_BOUND(duration);
  LUNSCOPE_BOUND(size);
  if (duration > LUNSCOPE_LATENCY_BOUNDS || size > LUNSCOPE_SIZE_BOUNDS) return 0;
  aggregate->durations[duration]++;
  aggregate->sizes[size]++;
  aggregate->duration_ns += duration_ns;
  aggregate->transferred_bytes += lunscope_transferred_bytes(command);
  aggregate->commands++;
  lunscope_aggregate_phases(aggregate, split, duration_ns & ((1u << LUNSCOPE_PHASE_SHIFT) - 1));
  return 1;
}

/* Does this PDU with a status say that the command succeeded? */
LUNSCOPE_INLINE int lunscope_is_success(const uint8_t* bhs) {
  return scsi_is_success(iscsi_status(bhs)) &&
         (iscsi_opcode(bhs) != ISCSI_SCSI_RESPONSE || iscsi_response(bhs) == 0);
}

/* A walk hands out the counts as they are now. */
LUNSCOPE_INLINE void lunscope_aggregates_mark_read(struct lunscope_aggregates_record* table) {
  for (uint32_t i = 0; i < LUNSCOPE_AGGREGATES; i++)
    table->aggregates[i].read = (uint32_t)table->aggregates[i].commands;
}

/* Commands that no walk has handed out yet. */
LUNSCOPE_INLINE uint64_t
lunscope_aggregates_unread(const struct lunscope_aggregates_record* table) {
  uint64_t unread = 0;
  for (uint32_t i = 0; i < LUNSCOPE_AGGREGATES; i++)
    unread += (uint32_t)table->aggregates[i].commands - table->aggregates[i].read;
  return unread;
}

#endif
