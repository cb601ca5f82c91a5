/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The data of commands: what a PDU with data, or an R2T, means for the command that it belongs to.
 */
#ifndef LUNSCOPE_TRANSFER_H
#define LUNSCOPE_TRANSFER_H

#include "deliver.h"
#include "marks.h"

/* The Data-In, Data-Out or SCSI Response in the room is of this command. */
LUNSCOPE_INLINE void lunscope_connection_pass_data(struct lunscope_stream* stream,
                                                   struct lunscope_command* command) {
  const uint8_t* bhs = stream->room;
  uint8_t opcode = iscsi_opcode(bhs);
  if (opcode == ISCSI_DATA_IN) lunscope_marks_answer(command, &stream->times);
  if (opcode == ISCSI_DATA_OUT && (iscsi_flags(bhs) & ISCSI_FLAG_FINAL) && command->due != 0)
    lunscope_marks_await(stream, stream->place);
  if (opcode != ISCSI_SCSI_RESPONSE)
    lunscope_command_count(command, opcode == ISCSI_DATA_IN, iscsi_data_bytes(bhs));
  /* The sweep of a trial that ends here leaves this command alone: it goes on, or ends below. */
  if (stream->due & LUNSCOPE_DUE_SWEEP && command->split_is == LUNSCOPE_SPLIT_TRIAL)
    command->split_is = LUNSCOPE_SPLIT_UNKNOWN;
}

/* The R2T in the room asks for data of a command. */
LUNSCOPE_INLINE void lunscope_connection_ask_data(struct lunscope_connection* connection,
                                                  struct lunscope_spill* spill,
                                                  const struct lunscope_stream* stream) {
  struct lunscope_command* command =
      lunscope_inflight_find(&connection->inflight, spill, iscsi_itt(stream->room));
  if (command) lunscope_marks_r2t(command, &stream->times);
}

/*
 * After lunscope_stream_has_passed(): the data that the stream awaited has passed, and was taken
 * out of the socket then (0: unknown).
 */
LUNSCOPE_INLINE int lunscope_connection_data_passed(struct lunscope_connection* connection,
                                                    struct lunscope_spill* spill,
                                                    uint32_t direction, uint64_t passed_ns,
                                                    uint64_t taken_ns) {
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  uint64_t place = (uint64_t)stream->awaiting - 1;
  LUNSCOPE_BOUND(place);
  struct lunscope_command* command = lunscope_inflight_at(&connection->inflight, spill, place);
  stream->awaiting = 0;
  if (command) lunscope_marks_passed(command, passed_ns, taken_ns);
  return 0;
}

#endif
