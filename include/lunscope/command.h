/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The commands in flight of one connection, and the record of one that is completed.
 *
 * A command is stored under its Initiator Task Tag (ITT) when its PDU passes, and taken out when
 * its status does. The table is open-addressed: a tag lives in its home place, or in one of the
 * LUNSCOPE_PROBES - 1 places behind it while another has that. A home counts those that it turned
 * away, so that nearly always one look is enough. A table that is too full for a tag refuses it,
 * and the caller counts that; nothing is ever evicted.
 */
#ifndef LUNSCOPE_COMMAND_H
#define LUNSCOPE_COMMAND_H

#include "event.h"
#include "scsi.h"

#define LUNSCOPE_TASKS 200 /* per connection: what fits into an allocation of 16 KiB with it */
#define LUNSCOPE_PROBES 16
#define LUNSCOPE_HOMES (LUNSCOPE_TASKS - LUNSCOPE_PROBES + 1)
#define LUNSCOPE_NO_TASK LUNSCOPE_TASKS

/* One cache line: it begins on one CPU and ends on another, and moves just once each way. */
struct lunscope_task {
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
  uint32_t reserved_too[3];
};

struct lunscope_inflight {
  struct lunscope_event header; /* first: a report hands the table out as it stands */
  uint32_t limit;               /* commands that may be in flight, at most LUNSCOPE_TASKS */
  uint32_t begun;
  uint32_t ended;
  uint32_t apart[7];
  struct lunscope_task tasks[LUNSCOPE_TASKS];
};

LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_task) == LUNSCOPE_CACHE_LINE, "one line");
LUNSCOPE_STATIC_ASSERT(__builtin_offsetof(struct lunscope_inflight, tasks) == LUNSCOPE_CACHE_LINE,
                       "one line each");

/* Commands in flight. */
LUNSCOPE_INLINE uint32_t lunscope_inflight_count(const struct lunscope_inflight* inflight) {
  return inflight->begun - inflight->ended;
}

/* Fibonacci hashing: dense, strided and byte-swapped tags all spread. */
LUNSCOPE_INLINE uint32_t lunscope_task_home(uint32_t itt) {
  return (uint32_t)(((uint64_t)(itt * 0x9e3779b1u) * LUNSCOPE_HOMES) >> 32);
}

/* The first place behind home that holds this tag (0: that is free), or LUNSCOPE_NO_TASK. */
LUNSCOPE_SUBPROGRAM uint32_t lunscope_inflight_probe(const struct lunscope_inflight* inflight,
                                                     uint32_t home, uint32_t tag) {
  if (!inflight || home >= LUNSCOPE_HOMES) return LUNSCOPE_NO_TASK;
  for (uint32_t i = 1; i < LUNSCOPE_PROBES; i++) {
    if (inflight->tasks[home + i].tag == tag) return home + i;
  }
  return LUNSCOPE_NO_TASK;
}

/* The index of this tag's task, or LUNSCOPE_NO_TASK. */
LUNSCOPE_INLINE uint32_t lunscope_inflight_find(const struct lunscope_inflight* inflight,
                                                uint32_t itt) {
  uint32_t home = lunscope_task_home(itt);
  if (itt == ISCSI_RESERVED_TAG) return LUNSCOPE_NO_TASK;
  if (inflight->tasks[home].tag == ~itt) return home;
  if (inflight->tasks[home].away == 0) return LUNSCOPE_NO_TASK;
  return lunscope_inflight_probe(inflight, home, ~itt);
}

/* A place for this tag: its own if it is in use, else a free one, else LUNSCOPE_NO_TASK. */
LUNSCOPE_INLINE uint32_t lunscope_inflight_place(const struct lunscope_inflight* inflight,
                                                 uint32_t itt) {
  uint32_t home = lunscope_task_home(itt);
  uint32_t own = lunscope_inflight_find(inflight, itt);
  if (own != LUNSCOPE_NO_TASK || itt == ISCSI_RESERVED_TAG) return own;
  return inflight->tasks[home].tag == 0 ? home : lunscope_inflight_probe(inflight, home, 0);
}

enum lunscope_begin {
  LUNSCOPE_BEGUN,
  LUNSCOPE_BEGUN_ANEW, /* the tag was in flight: the earlier command is forgotten */
  LUNSCOPE_REFUSED,    /* the limit is reached, or no place is free for this tag */
};

/* Store the command whose SCSI Command BHS this is. */
LUNSCOPE_INLINE enum lunscope_begin lunscope_inflight_begin(struct lunscope_inflight* inflight,
                                                            const uint8_t* bhs, uint64_t now_ns,
                                                            uint32_t gaps) {
  uint32_t itt = iscsi_itt(bhs);
  uint32_t place = lunscope_inflight_place(inflight, itt);
  if (place >= LUNSCOPE_TASKS) return LUNSCOPE_REFUSED;
  struct lunscope_task* task = &inflight->tasks[place];
  int is_anew = task->tag != 0;
  if (!is_anew && lunscope_inflight_count(inflight) >= inflight->limit) return LUNSCOPE_REFUSED;
  task->start_ns = now_ns;
  task->lun = iscsi_lun(bhs);
  lunscope_copy16(task->cdb, iscsi_cdb(bhs));
  task->cmdsn = iscsi_cmdsn(bhs);
  task->expected_bytes = iscsi_expected_bytes(bhs);
  task->transferred_bytes = iscsi_data_bytes(bhs); /* immediate data */
  task->gaps = (uint16_t)gaps;
  task->flags = iscsi_flags(bhs);
  task->tag = ~itt;
  if (!is_anew) {
    uint32_t home = lunscope_task_home(itt);
    if (place != home) inflight->tasks[home].away++;
    inflight->begun++;
  }
  return is_anew ? LUNSCOPE_BEGUN_ANEW : LUNSCOPE_BEGUN;
}

/* REQUIRES: index is that of a task. */
LUNSCOPE_INLINE void lunscope_inflight_end(struct lunscope_inflight* inflight, uint32_t index) {
  struct lunscope_task* task = &inflight->tasks[index];
  uint32_t home = lunscope_task_home(~task->tag);
  if (index != home) inflight->tasks[home].away--;
  task->tag = 0;
  inflight->ended++;
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
 * Fill the record of a task that the status in this BHS completes (a SCSI Response, or a Data-In
 * with S). The caller adds the sense and the header's connection, role and length.
 */
LUNSCOPE_INLINE void lunscope_command_fill(struct lunscope_command_event* event,
                                           const struct lunscope_task* task, const uint8_t* bhs,
                                           uint64_t now_ns, uint32_t gaps) {
  event->header.time_ns = now_ns;
  event->header.flags = task->gaps != (uint16_t)gaps ? LUNSCOPE_FLAG_GAP : 0;
  event->lun = task->lun;
  /* Hooks of the two directions can run on two CPUs whose clocks differ by a few nanoseconds. */
  event->duration_ns = now_ns > task->start_ns ? now_ns - task->start_ns : 0;
  event->itt = iscsi_itt(bhs);
  event->cmdsn = task->cmdsn;
  event->expected_bytes = task->expected_bytes;
  event->transferred_bytes = task->transferred_bytes;
  event->residual_bytes = iscsi_residual(bhs);
  event->bidi_residual_bytes =
      iscsi_opcode(bhs) == ISCSI_SCSI_RESPONSE ? iscsi_bidi_residual(bhs) : 0;
  lunscope_copy16(event->cdb, task->cdb);
  event->command_flags = task->flags;
  event->response_flags = iscsi_flags(bhs) & ISCSI_RESIDUAL_FLAGS;
  event->response = iscsi_opcode(bhs) == ISCSI_SCSI_RESPONSE ? iscsi_response(bhs) : 0;
  event->status = iscsi_status(bhs);
  event->sense_bytes = 0;
  event->reserved = 0;
}

#endif
