/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Commands that a task management function or a Reject ends. Else they would stay in flight until
 * their tag is used again.
 *
 * A Task Management Function Response does not repeat what was requested, so the latest requests
 * are kept until their response. Two cases are unknown on this connection: a reset by another
 * session, and commands whose allegiance is another connection.
 */
#ifndef LUNSCOPE_ABORT_H
#define LUNSCOPE_ABORT_H

#include "sweep.h"

#define LUNSCOPE_TASK_REQUESTS 4 /* that wait for their response; a power of two */

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

/* The place of the request that waits with this tag; else that of the oldest. */
LUNSCOPE_INLINE struct lunscope_task_request* lunscope_abort_place(
    struct lunscope_task_requests* requests, uint32_t itt) {
  for (uint32_t i = 0; i < LUNSCOPE_TASK_REQUESTS; i++) {
    struct lunscope_task_request* request = &requests->waiting[i];
    if (request->function != 0 && request->itt == itt) return request;
  }
  return &requests->waiting[requests->met++ % LUNSCOPE_TASK_REQUESTS];
}

/* Keep this Task Management Function Request. */
LUNSCOPE_INLINE void lunscope_abort_ask(struct lunscope_task_requests* requests,
                                        const uint8_t* bhs) {
  struct lunscope_task_request* request = lunscope_abort_place(requests, iscsi_itt(bhs));
  request->lun = iscsi_lun(bhs);
  request->itt = iscsi_itt(bhs);
  request->referenced_itt = iscsi_referenced_itt(bhs);
  request->cmdsn = iscsi_cmdsn(bhs);
  request->function = iscsi_task_function(bhs);
}

/* The sweep that this function makes once it is complete (RFC 7143 section 11.5.1, RFC 7144).
 * Returns 0 if it ends nothing. */
LUNSCOPE_INLINE int lunscope_abort_sweep(struct lunscope_sweep* sweep,
                                         const struct lunscope_task_request* request) {
  sweep->lun = request->lun;
  sweep->tag = ~request->referenced_itt;
  sweep->cmdsn = request->cmdsn;
  sweep->reason = LUNSCOPE_UNREPORTED_ABORTED;
  sweep->cause = request->function;
  switch (request->function) {
    case ISCSI_TASK_ABORT_TASK: sweep->of = LUNSCOPE_SWEEP_TAG; return 1;
    case ISCSI_TASK_ABORT_TASK_SET:
    case ISCSI_TASK_CLEAR_TASK_SET:
    case ISCSI_TASK_LUN_RESET: sweep->of = LUNSCOPE_SWEEP_LUN; return 1;
    case ISCSI_TASK_TARGET_WARM_RESET:
    case ISCSI_TASK_TARGET_COLD_RESET:
    case ISCSI_TASK_NEXUS_RESET: sweep->of = LUNSCOPE_SWEEP_SESSION; return 1;
    default: return 0;
  }
}

/*
 * Take the response to a request. Returns 1 if the sweep is to be made. A task that the target does
 * not know is one that it ignored, because its CmdSN was outside the window (RFC 7143 section
 * 4.2.2.1). A task that has ended has its status in front of this response.
 */
LUNSCOPE_INLINE int lunscope_abort_done(struct lunscope_task_requests* requests,
                                        struct lunscope_sweep* sweep, const uint8_t* bhs) {
  for (uint32_t i = 0; i < LUNSCOPE_TASK_REQUESTS; i++) {
    struct lunscope_task_request* request = &requests->waiting[i];
    if (request->function == 0 || request->itt != iscsi_itt(bhs)) continue;
    int ends = lunscope_abort_sweep(sweep, request);
    int is_task = request->function == ISCSI_TASK_ABORT_TASK;
    request->function = 0;
    if (iscsi_response(bhs) == ISCSI_TASK_FUNCTION_COMPLETE) return ends;
    if (iscsi_response(bhs) != ISCSI_TASK_DOES_NOT_EXIST || !is_task) return 0;
    sweep->reason = LUNSCOPE_UNREPORTED_NO_SUCH_TASK;
    return 1;
  }
  return 0;
}

/*
 * A Reject returns the header of the PDU that it rejects. If that is a SCSI Command, the target did
 * not take the command and sends no response (RFC 7143 section 11.17.1). Returns 1 if the sweep is
 * to be made.
 */
LUNSCOPE_INLINE int lunscope_abort_rejected(struct lunscope_sweep* sweep, const uint8_t* reject,
                                            const uint8_t* rejected) {
  if (iscsi_opcode(rejected) != ISCSI_SCSI_COMMAND) return 0;
  lunscope_sweep_tag(sweep, iscsi_itt(rejected), LUNSCOPE_UNREPORTED_REJECTED,
                     iscsi_response(reject));
  return 1;
}

#endif
