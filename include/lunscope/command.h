/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The commands in flight of one connection.
 *
 * A command is stored under its Initiator Task Tag (ITT) when its PDU passes, and removed when its
 * status passes. A table is open-addressed. A tag has its place at its home, or in one of the
 * LUNSCOPE_PROBES - 1 places behind it if the home is taken. A home counts the tags that it turned
 * away, so that one look is nearly always enough. A tag that finds no place goes into the spill, a
 * larger table that the caller provides on request. If there is no place in the spill either, the
 * command is refused, and the caller counts that. Nothing is ever evicted.
 */
#ifndef LUNSCOPE_COMMAND_H
#define LUNSCOPE_COMMAND_H

#include "phases.h"
#include "records.h"

#define LUNSCOPE_PROBES 16
#define LUNSCOPE_HOMES (LUNSCOPE_COMMANDS - LUNSCOPE_PROBES + 1)
#define LUNSCOPE_SPILL_HOMES (LUNSCOPE_SPILL_COMMANDS - LUNSCOPE_PROBES + 1)

/* One cache line, because a command begins on one CPU and ends on another. */
struct lunscope_command {
  uint32_t tag;           /* ~ITT; 0: this place is free, because no command has ITT 0xffffffff */
  uint16_t gaps : 12;     /* the connection's gaps when the command passed */
  uint16_t due : 4;       /* pieces of data that are due to the target (marks.h) */
  uint8_t flags;          /* byte 1 of the SCSI Command */
  uint8_t away : 4;       /* tags whose home is here and whose place is elsewhere */
  uint8_t is_spilled : 1; /* 1: this place is in the spill */
  uint8_t is_beyond : 1;  /* 1: its CmdSN was above MaxCmdSN, so the target ignores it */
  uint8_t split_is : 2;   /* enum lunscope_split: what split and side say */
  uint64_t start_ns;
  uint64_t lun;
  uint8_t cdb[ISCSI_CDB_BYTES];
  uint32_t cmdsn;
  uint32_t expected_bytes;
  uint32_t data_bytes; /* in data segments: read if the flags say so, else written */
  uint32_t split;
  uint32_t side;
  uint16_t header;     /* lunscope_pack_short(): first to last byte of its header */
  uint8_t r2ts;        /* 255: or more */
  uint8_t retransmits; /* the connection's when the command passed */
};

/* How to read the members split and side of a command. Times are in units of phases.h, since
 * start_ns. */
enum lunscope_split {
  LUNSCOPE_SPLIT_DATA,    /* split: for how long data was due; side: time in the socket */
  LUNSCOPE_SPLIT_ANSWER,  /* split: the first byte of a read's answer; side: as before */
  LUNSCOPE_SPLIT_TRIAL,   /* split: where the trial began in which its status passed */
  LUNSCOPE_SPLIT_UNKNOWN, /* nothing: the phases of this command are not known */
  /* With the last two, side is the number of data bytes that went the other way. */
};

#define LUNSCOPE_GAPS_MASK 0xfffu
#define LUNSCOPE_MAX_DUE 15u

/* A tag's home and the places behind it: all that a search for the tag reads. */
struct lunscope_probes {
  struct lunscope_command commands[LUNSCOPE_PROBES];
};

struct lunscope_inflight {
  uint32_t limit; /* commands that may be in flight, at most LUNSCOPE_TRACKED_COMMANDS */
  uint32_t begun;
  uint32_t ended;
  uint32_t spilled; /* commands in flight that are in the spill */
  /* The accounts of gaps: doubt.h. */
  uint64_t doubtful_since_ns; /* 0: not yet known */
  uint32_t doubtful;          /* commands in flight that were so in a gap */
  int32_t missed;             /* statuses that passed in gaps */
  uint32_t unseen;            /* requests that passed in gaps, less the answers to such */
  uint32_t strays;            /* statuses without a command, since the latest request */
  uint32_t others;            /* requests that wait for another answer than a SCSI status */
  uint32_t next_cmdsn;
  uint32_t taken_cmdsn; /* ExpCmdSN: what the target expects next */
  uint32_t next_statsn;
  uint8_t has_gap[LUNSCOPE_DIRECTIONS]; /* 1: and no number was seen behind it */
  uint8_t knows_statsn;
  uint8_t is_overdue; /* 1: the doubtful commands have waited for too long */
  uint32_t max_cmdsn; /* commands above are beyond the window (lunscope_window_note) */
  struct lunscope_command commands[LUNSCOPE_COMMANDS];
};

struct lunscope_spill {
  struct lunscope_command commands[LUNSCOPE_SPILL_COMMANDS];
};

LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_command) == LUNSCOPE_CACHE_LINE, "one line");
LUNSCOPE_STATIC_ASSERT(__builtin_offsetof(struct lunscope_inflight, commands) ==
                           LUNSCOPE_CACHE_LINE,
                       "one line each");

LUNSCOPE_INLINE int lunscope_is_bidirectional(const struct lunscope_command* command) {
  uint8_t both_ways = ISCSI_COMMAND_READ | ISCSI_COMMAND_WRITE;
  return (command->flags & both_ways) == both_ways;
}

/* Bytes in data segments that did not go the way that the command's flags say. */
LUNSCOPE_INLINE uint32_t lunscope_other_bytes(const struct lunscope_command* command) {
  return command->split_is >= LUNSCOPE_SPLIT_TRIAL ? command->side : 0;
}

LUNSCOPE_INLINE uint32_t lunscope_read_bytes(const struct lunscope_command* command) {
  return command->flags & ISCSI_COMMAND_READ ? command->data_bytes : lunscope_other_bytes(command);
}

LUNSCOPE_INLINE uint32_t lunscope_written_bytes(const struct lunscope_command* command) {
  return command->flags & ISCSI_COMMAND_READ ? lunscope_other_bytes(command) : command->data_bytes;
}

/* Bytes in data segments, both ways. */
LUNSCOPE_INLINE uint32_t lunscope_transferred_bytes(const struct lunscope_command* command) {
  return command->data_bytes + lunscope_other_bytes(command);
}

/* The phases of this command will not be known. kind: SPLIT_TRIAL or SPLIT_UNKNOWN. */
LUNSCOPE_INLINE void lunscope_command_drop_phases(struct lunscope_command* command,
                                                  enum lunscope_split kind) {
  if (command->split_is < LUNSCOPE_SPLIT_TRIAL) command->side = 0;
  command->split_is = kind;
}

/* Data bytes of this command pass. is_read: from the target to the initiator. */
LUNSCOPE_INLINE void lunscope_command_count(struct lunscope_command* command, int is_read,
                                            uint32_t bytes) {
  int reads = (command->flags & ISCSI_COMMAND_READ) != 0;
  if (is_read == reads) {
    command->data_bytes += bytes;
  } else if (bytes != 0) {
    if (command->split_is < LUNSCOPE_SPLIT_TRIAL)
      lunscope_command_drop_phases(command, LUNSCOPE_SPLIT_UNKNOWN);
    command->side += bytes;
  }
}

/* Is this SCSI Command above the latest MaxCmdSN that the target has sent? */
LUNSCOPE_INLINE int lunscope_window_is_beyond(const struct lunscope_inflight* inflight,
                                              const uint8_t* bhs) {
  int is_above = lunscope_distance(inflight->max_cmdsn, iscsi_cmdsn(bhs)) > 0;
  return is_above && inflight->knows_statsn && !iscsi_is_immediate(bhs);
}

/* A PDU of the target (all carry the window) has this header. RFC 7143 section 4.2.2.1 says when
 * its numbers are to be ignored. */
LUNSCOPE_INLINE void lunscope_window_note(struct lunscope_inflight* inflight, const uint8_t* bhs) {
  if (iscsi_window(bhs) <= ISCSI_WINDOW_LIMIT) inflight->max_cmdsn = iscsi_maxcmdsn(bhs);
}

/* Bytes are missed, and a MaxCmdSN may be among them: no command is beyond until the next one. */
LUNSCOPE_INLINE void lunscope_window_forget(struct lunscope_inflight* inflight) {
  inflight->max_cmdsn = inflight->next_cmdsn + (1u << 30);
}

/* How many commands the target still takes; LUNSCOPE_NO_WINDOW: not known. */
#define LUNSCOPE_NO_WINDOW (~0u)
LUNSCOPE_INLINE uint32_t lunscope_window_commands(const struct lunscope_inflight* inflight) {
  uint32_t commands = inflight->max_cmdsn - inflight->taken_cmdsn + 1;
  return inflight->knows_statsn && commands <= ISCSI_WINDOW_LIMIT ? commands : LUNSCOPE_NO_WINDOW;
}

/* How many commands are in flight. */
LUNSCOPE_INLINE uint32_t lunscope_inflight_count(const struct lunscope_inflight* inflight) {
  return inflight->begun - inflight->ended;
}

/* Fibonacci hashing spreads dense, strided and byte-swapped tags. */
LUNSCOPE_INLINE uint32_t lunscope_command_home(uint32_t itt, uint32_t homes) {
  return (uint32_t)(((uint64_t)(itt * 0x9e3779b1u) * homes) >> 32);
}

/* Which place behind the home holds this tag (0: is free); LUNSCOPE_PROBES if no place does. */
LUNSCOPE_SUBPROGRAM uint64_t lunscope_command_probe(const struct lunscope_probes* probes,
                                                    uint32_t tag) {
  if (!probes) return LUNSCOPE_PROBES;
  for (uint32_t i = 1; i < LUNSCOPE_PROBES; i++) {
    if (probes->commands[i].tag == tag) return i;
  }
  return LUNSCOPE_PROBES;
}

/* The place behind home that holds this tag (0: is free), or 0. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_command_behind(struct lunscope_command* home,
                                                                 uint32_t tag) {
  uint64_t place = lunscope_command_probe((const struct lunscope_probes*)home, tag);
  if (place >= LUNSCOPE_PROBES) return 0;
  LUNSCOPE_BOUND(place);
  return home + place;
}

/* The command with this tag in a table with this number of homes, or 0. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_command_find(struct lunscope_command* commands,
                                                               uint32_t homes, uint32_t itt) {
  struct lunscope_command* home = commands + lunscope_command_home(itt, homes);
  if (itt == ISCSI_RESERVED_TAG) return 0;
  if (home->tag == ~itt) return home;
  return home->away != 0 ? lunscope_command_behind(home, ~itt) : 0;
}

/* Take a free place for a tag that is not in this table. Returns 0 if the table is full. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_command_place(struct lunscope_command* commands,
                                                                uint32_t homes, uint32_t itt) {
  struct lunscope_command* home = commands + lunscope_command_home(itt, homes);
  if (home->tag == 0) return home;
  struct lunscope_command* place = lunscope_command_behind(home, 0);
  if (place) home->away++;
  return place;
}

/* How many places there are in both tables. */
LUNSCOPE_INLINE uint32_t lunscope_inflight_places(const struct lunscope_spill* spill) {
  return spill ? LUNSCOPE_TRACKED_COMMANDS : LUNSCOPE_COMMANDS;
}

/* The place with this number, counted through both tables, or 0. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_inflight_at(struct lunscope_inflight* inflight,
                                                              struct lunscope_spill* spill,
                                                              uint64_t place) {
  if (place < LUNSCOPE_COMMANDS) return &inflight->commands[place];
  if (spill && place < LUNSCOPE_TRACKED_COMMANDS)
    return &spill->commands[place - LUNSCOPE_COMMANDS];
  return 0;
}

/* The number of no place. */
#define LUNSCOPE_NO_PLACE LUNSCOPE_TRACKED_COMMANDS

/* The number of a command's place, for lunscope_inflight_at(). */
LUNSCOPE_INLINE uint32_t lunscope_inflight_number(const struct lunscope_inflight* inflight,
                                                  const struct lunscope_spill* spill,
                                                  const struct lunscope_command* command) {
  if (spill && command->is_spilled)
    return LUNSCOPE_COMMANDS + (uint32_t)(command - spill->commands);
  return (uint32_t)(command - inflight->commands);
}

/* The command with this tag, or 0. spill: 0 if the connection has none. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_inflight_find(struct lunscope_inflight* inflight,
                                                                struct lunscope_spill* spill,
                                                                uint32_t itt) {
  struct lunscope_command* command = lunscope_command_find(inflight->commands, LUNSCOPE_HOMES, itt);
  if (command || !spill) return command;
  return lunscope_command_find(spill->commands, LUNSCOPE_SPILL_HOMES, itt);
}

/* Take a place for a tag that is not in flight. Returns 0 if no place is free. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_inflight_place(struct lunscope_inflight* inflight,
                                                                 struct lunscope_spill* spill,
                                                                 uint32_t itt) {
  struct lunscope_command* command =
      lunscope_command_place(inflight->commands, LUNSCOPE_HOMES, itt);
  if (command) return command;
  if (spill) command = lunscope_command_place(spill->commands, LUNSCOPE_SPILL_HOMES, itt);
  if (!command) return 0;
  command->is_spilled = 1;
  inflight->spilled++;
  return command;
}

enum lunscope_begin {
  LUNSCOPE_BEGUN,
  LUNSCOPE_TAG_IN_USE, /* the tag is in flight: end the earlier command, and call again */
  LUNSCOPE_CROWDED,    /* no place is free for this tag: call again with a spill */
  LUNSCOPE_REFUSED,    /* the limit is reached, or the spill has no place either */
};

/* Store the command with this SCSI Command BHS. begun: where it is stored. */
LUNSCOPE_INLINE enum lunscope_begin lunscope_inflight_begin(struct lunscope_inflight* inflight,
                                                            struct lunscope_spill* spill,
                                                            const uint8_t* bhs, uint64_t now_ns,
                                                            uint32_t gaps,
                                                            struct lunscope_command** begun) {
  uint32_t itt = iscsi_itt(bhs);
  if (itt == ISCSI_RESERVED_TAG) return LUNSCOPE_REFUSED;
  if (lunscope_inflight_find(inflight, spill, itt)) return LUNSCOPE_TAG_IN_USE;
  if (lunscope_inflight_count(inflight) >= inflight->limit) return LUNSCOPE_REFUSED;
  struct lunscope_command* command = lunscope_inflight_place(inflight, spill, itt);
  if (!command) return spill ? LUNSCOPE_REFUSED : LUNSCOPE_CROWDED;
  inflight->begun++;
  command->start_ns = now_ns;
  command->lun = iscsi_lun(bhs);
  lunscope_copy16(command->cdb, iscsi_cdb(bhs));
  command->cmdsn = iscsi_cmdsn(bhs);
  command->expected_bytes = iscsi_expected_bytes(bhs);
  command->data_bytes = 0;
  command->gaps = gaps & LUNSCOPE_GAPS_MASK;
  command->flags = iscsi_flags(bhs);
  command->is_beyond = lunscope_window_is_beyond(inflight, bhs) != 0;
  command->tag = ~itt;
  *begun = command;
  return LUNSCOPE_BEGUN;
}

/* Remove this command from a table with this number of homes. */
LUNSCOPE_INLINE void lunscope_command_leave(struct lunscope_command* commands, uint32_t homes,
                                            struct lunscope_command* command) {
  struct lunscope_command* home = commands + lunscope_command_home(~command->tag, homes);
  if (home != command) home->away--;
  command->tag = 0;
}

/* Remove a command. REQUIRES: it is in use in one of these tables. */
LUNSCOPE_INLINE void lunscope_inflight_end(struct lunscope_inflight* inflight,
                                           struct lunscope_spill* spill,
                                           struct lunscope_command* command) {
  inflight->ended++;
  if (!command->is_spilled) {
    lunscope_command_leave(inflight->commands, LUNSCOPE_HOMES, command);
  } else if (spill) {
    inflight->spilled--;
    lunscope_command_leave(spill->commands, LUNSCOPE_SPILL_HOMES, command);
  }
}

/* Add this place, if it is in use, to the list that a walk hands out. */
LUNSCOPE_INLINE void lunscope_inflight_list(struct lunscope_inflight_record* list,
                                            const struct lunscope_command* command) {
  uint32_t place = list->count;
  if (command->tag == 0 || place >= LUNSCOPE_TRACKED_COMMANDS) return;
  list->waiting[place].lun = command->lun;
  list->waiting[place].start_ns = command->is_beyond ? 0 : command->start_ns;
  list->count = place + 1;
}

/* The longer of the two mode parameter headers (SPC-5 section 7.5.5). */
#define SCSI_MODE_HEADER_BYTES 8

/* Bytes to gather of a Data-In that answers this CDB, because they describe the LUN. */
LUNSCOPE_INLINE uint32_t lunscope_explaining_bytes(const uint8_t* cdb) {
  switch (cdb[0]) {
    case SCSI_INQUIRY:
    case SCSI_READ_CAPACITY_10: return LUNSCOPE_CHUNK_BYTES;
    case SCSI_MODE_SENSE_6:
    case SCSI_MODE_SENSE_10: return SCSI_MODE_HEADER_BYTES;
    case SCSI_SERVICE_ACTION_IN_16:
      return scsi_service_action(cdb) == SCSI_SERVICE_ACTION_READ_CAPACITY_16 ? LUNSCOPE_CHUNK_BYTES
                                                                              : 0;
    default: return 0;
  }
}

#endif
