/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Commands that end without a status, because the target rejected them or because a task management
 * function aborted them. Else they would stay in flight until their tag is used again.
 *
 * A Task Management Function Response does not repeat what was requested, so the latest requests
 * are kept until their response. Two cases are unknown on this connection: a reset by another
 * session, and commands whose allegiance is another connection.
 */
#ifndef LUNSCOPE_ABORT_H
#define LUNSCOPE_ABORT_H

#include "command.h"

#define LUNSCOPE_TASK_REQUESTS 4 /* that wait for their response; a power of two */
#define LUNSCOPE_ABORT_GROUP 40  /* places of the tables that are looked at together */

struct lunscope_task_request {
  uint64_t lun;
  uint32_t itt;
  uint32_t referenced_itt;
  uint32_t cmdsn;
  uint8_t function; /* 0: this place is free */
  uint8_t reserved[3];
};

struct lunscope_task_requests {
  struct lunscope_task_request waiting[LUNSCOPE_TASK_REQUESTS];
  uint32_t met;
  uint32_t reserved;
};

/* Keep this Task Management Function Request, in the place of the oldest. */
LUNSCOPE_INLINE void lunscope_abort_ask(struct lunscope_task_requests* requests,
                                        const uint8_t* bhs) {
  struct lunscope_task_request* request =
      &requests->waiting[requests->met++ % LUNSCOPE_TASK_REQUESTS];
  request->lun = iscsi_lun(bhs);
  request->itt = iscsi_itt(bhs);
  request->referenced_itt = iscsi_referenced_itt(bhs);
  request->cmdsn = iscsi_cmdsn(bhs);
  request->function = iscsi_task_function(bhs);
}

/* Does this function, once complete, end this command? (RFC 7143 section 11.5.1, RFC 7144) */
LUNSCOPE_INLINE int lunscope_abort_ends(const struct lunscope_task_request* request,
                                        const struct lunscope_command* command) {
  /* All functions but ABORT TASK act on commands with a lower CmdSN. */
  if (command->tag == 0 || lunscope_distance(command->cmdsn, request->cmdsn) <= 0) return 0;
  switch (request->function) {
    case ISCSI_TASK_ABORT_TASK_SET:
    case ISCSI_TASK_CLEAR_TASK_SET:
    case ISCSI_TASK_LUN_RESET: return command->lun == request->lun;
    case ISCSI_TASK_TARGET_WARM_RESET:
    case ISCSI_TASK_TARGET_COLD_RESET:
    case ISCSI_TASK_NEXUS_RESET: return 1;
    default: return 0;
  }
}

/* End the command in this place of the tables if the request ends it. Returns how many commands. */
LUNSCOPE_SUBPROGRAM uint32_t lunscope_abort_place(struct lunscope_inflight* inflight,
                                                  struct lunscope_spill* spill, uint64_t place,
                                                  const struct lunscope_task_request* request) {
  if (!inflight || !request) return 0;
  LUNSCOPE_BOUND(place);
  struct lunscope_command* command = lunscope_inflight_at(inflight, spill, place);
  if (!command || !lunscope_abort_ends(request, command)) return 0;
  lunscope_inflight_end(inflight, spill, command);
  return 1;
}

/*
 * The same for a group of places, from this one on. The verifier follows each turn of a loop, and
 * checks a group once; so two short loops cost it less than a long one.
 */
LUNSCOPE_SUBPROGRAM uint32_t lunscope_abort_group(struct lunscope_inflight* inflight,
                                                  struct lunscope_spill* spill, uint64_t first,
                                                  const struct lunscope_task_request* request) {
  uint32_t ended = 0;
  for (uint64_t i = 0; i < LUNSCOPE_ABORT_GROUP; i++)
    ended += lunscope_abort_place(inflight, spill, first + i, request);
  return ended;
}

/* End the commands that this request ends. Returns how many. */
LUNSCOPE_SUBPROGRAM uint32_t lunscope_abort_commands(struct lunscope_inflight* inflight,
                                                     struct lunscope_spill* spill,
                                                     const struct lunscope_task_request* request) {
  if (!inflight || !request) return 0;
  uint32_t ended = 0;
  if (request->function == ISCSI_TASK_ABORT_TASK) {
    struct lunscope_command* command =
        lunscope_inflight_find(inflight, spill, request->referenced_itt);
    if (!command) return 0;
    lunscope_inflight_end(inflight, spill, command);
    return 1;
  }
  for (uint64_t first = 0; first < LUNSCOPE_TRACKED_COMMANDS; first += LUNSCOPE_ABORT_GROUP)
    ended += lunscope_abort_group(inflight, spill, first, request);
  return ended;
}

/*
 * Does this response say that what the request names is not there any more? A task that the target
 * does not know is one that it ignored, because its CmdSN was outside the window (RFC 7143 section
 * 4.2.2.1). A task that has ended has its status in front of this response.
 */
LUNSCOPE_INLINE int lunscope_abort_is_done(const struct lunscope_task_request* request,
                                           uint8_t response) {
  return response == ISCSI_TASK_FUNCTION_COMPLETE ||
         (response == ISCSI_TASK_DOES_NOT_EXIST && request->function == ISCSI_TASK_ABORT_TASK);
}

/* Take the response to a request. Returns how many commands are not in flight any more. */
LUNSCOPE_INLINE uint32_t lunscope_abort_done(struct lunscope_task_requests* requests,
                                             struct lunscope_inflight* inflight,
                                             struct lunscope_spill* spill, const uint8_t* bhs) {
  uint32_t ended = 0;
  for (uint32_t i = 0; i < LUNSCOPE_TASK_REQUESTS; i++) {
    struct lunscope_task_request* request = &requests->waiting[i];
    if (request->function == 0 || request->itt != iscsi_itt(bhs)) continue;
    if (lunscope_abort_is_done(request, iscsi_response(bhs)))
      ended += lunscope_abort_commands(inflight, spill, request);
    request->function = 0;
  }
  return ended;
}

/*
 * A Reject returns the header of the PDU that it rejects. If that is a SCSI Command, the target did
 * not take the command and sends no response (RFC 7143 section 11.17.1). Returns how many commands
 * ended.
 */
LUNSCOPE_INLINE uint32_t lunscope_abort_rejected(struct lunscope_inflight* inflight,
                                                 struct lunscope_spill* spill,
                                                 const uint8_t* rejected) {
  if (iscsi_opcode(rejected) != ISCSI_SCSI_COMMAND) return 0;
  struct lunscope_command* command = lunscope_inflight_find(inflight, spill, iscsi_itt(rejected));
  if (!command) return 0;
  lunscope_inflight_end(inflight, spill, command);
  return 1;
}

#endif
