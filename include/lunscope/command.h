/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The commands in flight of one connection, and the record of one that is completed.
 *
 * A command is stored under its Initiator Task Tag (ITT) when its PDU passes, and taken out when
 * its status does. A table is open-addressed: a tag lives in its home place, or in one of the
 * LUNSCOPE_PROBES - 1 places behind it while another has that. A home counts those that it turned
 * away, so that nearly always one look is enough. What has no place there goes into the spill, a
 * larger table that the caller provides when it is asked to; what has no place there either is
 * refused, and the caller counts that. Nothing is ever evicted.
 */
#ifndef LUNSCOPE_COMMAND_H
#define LUNSCOPE_COMMAND_H

#include "records.h"

#define LUNSCOPE_PROBES 16
#define LUNSCOPE_HOMES (LUNSCOPE_COMMANDS - LUNSCOPE_PROBES + 1)
#define LUNSCOPE_SPILL_HOMES (LUNSCOPE_SPILL_COMMANDS - LUNSCOPE_PROBES + 1)

/* One cache line: it begins on one CPU and ends on another, and moves just once each way. */
struct lunscope_command {
  uint32_t tag;  /* ~ITT; 0: this place is free, for ITT 0xffffffff is no command's */
  uint16_t gaps; /* the connection's count when the command passed */
  uint8_t flags; /* byte 1 of the SCSI Command */
  uint8_t away;  /* tags that have their home here, and their place elsewhere */
  uint64_t start_ns;
  uint64_t lun;
  uint8_t cdb[ISCSI_CDB_BYTES];
  uint32_t cmdsn;
  uint32_t expected_bytes;
  uint32_t transferred_bytes;
  uint32_t is_spilled; /* 1: this place is in the spill */
  uint32_t reserved[2];
};

/* A tag's home and the places behind it: all that a look for it touches. */
struct lunscope_probes {
  struct lunscope_command commands[LUNSCOPE_PROBES];
};

struct lunscope_inflight {
  uint32_t limit; /* commands that may be in flight, at most LUNSCOPE_TRACKED_COMMANDS */
  uint32_t begun;
  uint32_t ended;
  uint32_t spilled; /* of those in flight, the ones in the spill */
  uint32_t apart[12];
  struct lunscope_command commands[LUNSCOPE_COMMANDS];
};

struct lunscope_spill {
  struct lunscope_command commands[LUNSCOPE_SPILL_COMMANDS];
};

LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_command) == LUNSCOPE_CACHE_LINE, "one line");
LUNSCOPE_STATIC_ASSERT(__builtin_offsetof(struct lunscope_inflight, commands) ==
                           LUNSCOPE_CACHE_LINE,
                       "one line each");

/* Commands in flight. */
LUNSCOPE_INLINE uint32_t lunscope_inflight_count(const struct lunscope_inflight* inflight) {
  return inflight->begun - inflight->ended;
}

/* Fibonacci hashing: dense, strided and byte-swapped tags all spread. */
LUNSCOPE_INLINE uint32_t lunscope_command_home(uint32_t itt, uint32_t homes) {
  return (uint32_t)(((uint64_t)(itt * 0x9e3779b1u) * homes) >> 32);
}

/* Which place behind the home holds this tag (0: is free); LUNSCOPE_PROBES: none. */
LUNSCOPE_SUBPROGRAM uint64_t lunscope_command_probe(const struct lunscope_probes* probes,
                                                    uint32_t tag) {
  if (!probes) return LUNSCOPE_PROBES;
  for (uint32_t i = 1; i < LUNSCOPE_PROBES; i++) {
    if (probes->commands[i].tag == tag) return i;
  }
  return LUNSCOPE_PROBES;
}

/* A place behind home that holds this tag (0: is free), or 0. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_command_behind(struct lunscope_command* home,
                                                                 uint32_t tag) {
  uint64_t place = lunscope_command_probe((const struct lunscope_probes*)home, tag);
  if (place >= LUNSCOPE_PROBES) return 0;
  LUNSCOPE_BOUND(place);
  return home + place;
}

/* This tag's command in a table with so many homes, or 0. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_command_find(struct lunscope_command* commands,
                                                               uint32_t homes, uint32_t itt) {
  struct lunscope_command* home = commands + lunscope_command_home(itt, homes);
  if (itt == ISCSI_RESERVED_TAG) return 0;
  if (home->tag == ~itt) return home;
  return home->away != 0 ? lunscope_command_behind(home, ~itt) : 0;
}

/* A free place for a tag that is not in this table, taken for it; or 0. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_command_place(struct lunscope_command* commands,
                                                                uint32_t homes, uint32_t itt) {
  struct lunscope_command* home = commands + lunscope_command_home(itt, homes);
  if (home->tag == 0) return home;
  struct lunscope_command* place = lunscope_command_behind(home, 0);
  if (place) home->away++;
  return place;
}

/* A place of the two tables, counted through both, or 0: there is none. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_inflight_at(struct lunscope_inflight* inflight,
                                                              struct lunscope_spill* spill,
                                                              uint64_t place) {
  if (place < LUNSCOPE_COMMANDS) return &inflight->commands[place];
  if (spill && place < LUNSCOPE_TRACKED_COMMANDS)
    return &spill->commands[place - LUNSCOPE_COMMANDS];
  return 0;
}

/* This tag's command, or 0. spill: 0 if the connection has none. */
LUNSCOPE_INLINE struct lunscope_command* lunscope_inflight_find(struct lunscope_inflight* inflight,
                                                                struct lunscope_spill* spill,
                                                                uint32_t itt) {
  struct lunscope_command* command = lunscope_command_find(inflight->commands, LUNSCOPE_HOMES, itt);
  if (command || !spill) return command;
  return lunscope_command_find(spill->commands, LUNSCOPE_SPILL_HOMES, itt);
}

/* A place for a tag that is not in flight, or 0. */
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
  LUNSCOPE_BEGUN_ANEW, /* the tag was in flight: the earlier command is forgotten */
  LUNSCOPE_CROWDED,    /* no place is free for this tag: ask again with a spill */
  LUNSCOPE_REFUSED,    /* the limit is reached, or there is no place in the spill either */
};

/* Store the command whose SCSI Command BHS this is. */
LUNSCOPE_INLINE enum lunscope_begin lunscope_inflight_begin(struct lunscope_inflight* inflight,
                                                            struct lunscope_spill* spill,
                                                            const uint8_t* bhs, uint64_t now_ns,
                                                            uint32_t gaps) {
  uint32_t itt = iscsi_itt(bhs);
  if (itt == ISCSI_RESERVED_TAG) return LUNSCOPE_REFUSED;
  struct lunscope_command* command = lunscope_inflight_find(inflight, spill, itt);
  int is_anew = command != 0;
  if (!is_anew) {
    if (lunscope_inflight_count(inflight) >= inflight->limit) return LUNSCOPE_REFUSED;
    command = lunscope_inflight_place(inflight, spill, itt);
    if (!command) return spill ? LUNSCOPE_REFUSED : LUNSCOPE_CROWDED;
    inflight->begun++;
  }
  command->start_ns = now_ns;
  command->lun = iscsi_lun(bhs);
  lunscope_copy16(command->cdb, iscsi_cdb(bhs));
  command->cmdsn = iscsi_cmdsn(bhs);
  command->expected_bytes = iscsi_expected_bytes(bhs);
  command->transferred_bytes = iscsi_data_bytes(bhs); /* immediate data */
  command->gaps = (uint16_t)gaps;
  command->flags = iscsi_flags(bhs);
  command->tag = ~itt;
  return is_anew ? LUNSCOPE_BEGUN_ANEW : LUNSCOPE_BEGUN;
}

/* This command of a table with so many homes has gone. */
LUNSCOPE_INLINE void lunscope_command_leave(struct lunscope_command* commands, uint32_t homes,
                                            struct lunscope_command* command) {
  struct lunscope_command* home = commands + lunscope_command_home(~command->tag, homes);
  if (home != command) home->away--;
  command->tag = 0;
}

/* REQUIRES: command is one of these tables', and in use. */
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
  list->waiting[place].start_ns = command->start_ns;
  list->count = place + 1;
}

/* Data segment bytes to gather of a Data-In that answers this CDB: what explains a LUN. */
LUNSCOPE_INLINE uint32_t lunscope_explaining_bytes(const uint8_t* cdb) {
  switch (cdb[0]) {
    case SCSI_INQUIRY:
    case SCSI_READ_CAPACITY_10: return LUNSCOPE_CHUNK_BYTES;
    case SCSI_SERVICE_ACTION_IN_16:
      return scsi_service_action(cdb) == SCSI_SERVICE_ACTION_READ_CAPACITY_16 ? LUNSCOPE_CHUNK_BYTES
                                                                              : 0;
    default: return 0;
  }
}

/*
 * Fill the record of a command that the status in this BHS completes (a SCSI Response, or a Data-In
 * with S). The caller adds the sense and the header's connection, role and length.
 */
LUNSCOPE_INLINE void lunscope_command_fill(struct lunscope_command_record* record,
                                           const struct lunscope_command* command,
                                           const uint8_t* bhs, uint64_t now_ns, uint32_t gaps) {
  record->header.time_ns = now_ns;
  record->header.flags = command->gaps != (uint16_t)gaps ? LUNSCOPE_FLAG_GAP : 0;
  record->lun = command->lun;
  /* Hooks of the two directions can run on two CPUs whose clocks differ by a few nanoseconds. */
  record->duration_ns = now_ns > command->start_ns ? now_ns - command->start_ns : 0;
  record->itt = iscsi_itt(bhs);
  record->cmdsn = command->cmdsn;
  record->expected_bytes = command->expected_bytes;
  record->transferred_bytes = command->transferred_bytes;
  record->residual_bytes = iscsi_residual(bhs);
  record->bidi_residual_bytes =
      iscsi_opcode(bhs) == ISCSI_SCSI_RESPONSE ? iscsi_bidi_residual(bhs) : 0;
  lunscope_copy16(record->cdb, command->cdb);
  record->command_flags = command->flags;
  record->response_flags = iscsi_flags(bhs) & ISCSI_RESIDUAL_FLAGS;
  record->response = iscsi_opcode(bhs) == ISCSI_SCSI_RESPONSE ? iscsi_response(bhs) : 0;
  record->status = iscsi_status(bhs);
  record->sense_bytes = 0;
  record->reserved = 0;
}

#endif
