/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Marks: the moments of a command from which its phases are made (phases.h).
 *
 * Data is due to the target from the moment when the command says that it sends some along, or an
 * R2T asks for it, until the last byte of that piece has passed. Several pieces may be due at once.
 * The time with at least one of them counts. It is added up in one number: the moment when the
 * first piece becomes due is subtracted, and the moment when none is due any more is added.
 *
 * A piece ends in the middle of a segment that nobody needs to read. So the stream remembers the
 * end of the piece, and the caller says when it has passed (lunscope_stream_has_passed()).
 */
#ifndef LUNSCOPE_MARKS_H
#define LUNSCOPE_MARKS_H

#include "command.h"
#include "stream.h"

/* The moment of the command from which on its first data is due: its header is complete, and out of
 * the socket. Later pieces become due after it, so it is a lower bound for each of them. */
LUNSCOPE_INLINE uint32_t lunscope_marks_ready(const struct lunscope_command* command) {
  return (uint32_t)lunscope_unpack_short(command->header) + command->side;
}

/* One more piece of data is due, from this moment on. */
LUNSCOPE_INLINE void lunscope_marks_due(struct lunscope_command* command, uint32_t moment) {
  if (command->split_is != LUNSCOPE_SPLIT_DATA) return;
  if (command->due == LUNSCOPE_MAX_DUE) {
    lunscope_command_drop_phases(command, LUNSCOPE_SPLIT_UNKNOWN);
    return;
  }
  if (command->due == 0) command->split -= moment;
  command->due++;
}

/* The last byte of this PDU's data ends a piece. */
LUNSCOPE_INLINE void lunscope_marks_await(struct lunscope_stream* stream, uint32_t place) {
  stream->awaiting = (uint16_t)(place + 1);
  stream->awaited = stream->pdu_end;
}

/* A command begins in this place, which had another one before. */
LUNSCOPE_INLINE void lunscope_marks_clear(struct lunscope_command* command, uint32_t retransmits) {
  command->header = 0;
  command->side = 0;
  command->split = 0;
  command->split_is = LUNSCOPE_SPLIT_DATA;
  command->due = 0;
  command->r2ts = 0;
  command->retransmits = (uint8_t)retransmits;
}

/* After lunscope_marks_clear(): the header of the command is in the room. place: of the command. */
LUNSCOPE_INLINE void lunscope_marks_begin(struct lunscope_command* command,
                                          struct lunscope_stream* stream, uint32_t place) {
  const struct lunscope_times* times = &stream->times;
  const uint8_t* bhs = stream->room;
  uint64_t header = lunscope_phase_units(times->began_ns, times->passed_ns);
  if (header != 0) command->header = lunscope_pack_short(header); /* mostly 0, and no call then */
  command->side = (uint32_t)lunscope_phase_units(times->passed_ns, times->taken_ns);
  if (command->side == 0 && times->taken_ns != 0) command->side = 1; /* 0: unknown */
  /* It has data in both directions, and only one place for marks. */
  if (lunscope_is_bidirectional(command))
    lunscope_command_drop_phases(command, LUNSCOPE_SPLIT_UNKNOWN);
  if (!(command->flags & ISCSI_COMMAND_WRITE)) return;
  if (iscsi_data_bytes(bhs) == 0 && (command->flags & ISCSI_FLAG_FINAL)) return;
  lunscope_marks_due(command, lunscope_marks_ready(command));
  if (command->flags & ISCSI_FLAG_FINAL) lunscope_marks_await(stream, place);
}

/* An R2T for this command is in the room. */
LUNSCOPE_INLINE void lunscope_marks_r2t(struct lunscope_command* command,
                                        const struct lunscope_times* times) {
  if (command->r2ts != 0xff) command->r2ts++;
  lunscope_marks_due(command, (uint32_t)lunscope_phase_units(command->start_ns, times->passed_ns));
}

/* A Data-In for this command is in the room. The first one begins the answer. */
LUNSCOPE_INLINE void lunscope_marks_answer(struct lunscope_command* command,
                                           const struct lunscope_times* times) {
  if (command->split_is != LUNSCOPE_SPLIT_DATA || !(command->flags & ISCSI_COMMAND_READ)) return;
  command->split = (uint32_t)lunscope_phase_units(command->start_ns, times->began_ns);
  command->split_is = LUNSCOPE_SPLIT_ANSWER;
}

/* The last byte of a piece of data has passed, and was taken out of the socket (0: unknown). */
LUNSCOPE_INLINE void lunscope_marks_passed(struct lunscope_command* command, uint64_t passed_ns,
                                           uint64_t taken_ns) {
  if (command->split_is != LUNSCOPE_SPLIT_DATA || command->due == 0) return;
  command->due--;
  if (command->due != 0) return;
  uint32_t ready = lunscope_marks_ready(command);
  uint32_t passed = (uint32_t)lunscope_phase_units(command->start_ns, passed_ns);
  uint32_t taken = (uint32_t)lunscope_phase_units(command->start_ns, taken_ns);
  if (passed < ready) passed = ready;
  command->split += passed;
  if (command->side != 0 && taken > passed) command->side += taken - passed;
}

/* Is the end of the awaited data among the bytes before `end`? */
LUNSCOPE_INLINE int lunscope_stream_has_passed(const struct lunscope_stream* stream, uint32_t end) {
  return stream->awaiting != 0 && lunscope_distance(stream->awaited, end) >= 0;
}

/* A command's duration, split into its phases, in units of phases.h. */
struct lunscope_split_times {
  uint32_t known;                       /* bit i: the phase in slot i is known */
  uint32_t units[LUNSCOPE_PHASE_SLOTS]; /* by slot; the rest without what is below a unit */
};

/* Fill in a phase that lasted so long, or what the phases before it have left. */
LUNSCOPE_INLINE void lunscope_split_off(struct lunscope_split_times* split,
                                        enum lunscope_phase phase, uint32_t units, uint32_t* left) {
  uint32_t slot = (uint32_t)phase % LUNSCOPE_PHASE_SLOTS;
  if (units > *left) units = *left;
  *left -= units;
  split->units[slot] = units;
  split->known |= 1u << slot;
}

/*
 * Split the time of a command up to now. answer: of the PDU with its status; 0: none has come.
 * REQUIRES: split is zeroed, split_is says how, and no bytes were missed while the command was in
 * flight.
 */
LUNSCOPE_SUBPROGRAM int lunscope_split(struct lunscope_split_times* split,
                                       const struct lunscope_command* command,
                                       const struct lunscope_times* answer, uint64_t now_ns,
                                       int is_target) {
  if (!split || !command) return 0;
  /* The same rounding as that of the record's duration, which the rest is taken from. */
  uint64_t duration_ns = now_ns > command->start_ns ? now_ns - command->start_ns : 0;
  uint64_t duration = duration_ns >> LUNSCOPE_PHASE_SHIFT;
  uint32_t left = (uint32_t)duration;
  uint32_t answered = left;
  uint32_t data = 0;
  int is_answered = answer || command->split_is == LUNSCOPE_SPLIT_ANSWER;
  if (duration != left) return 0; /* longer than marks can tell */
  if (answer) answered = (uint32_t)lunscope_phase_units(command->start_ns, answer->began_ns);
  if (command->split_is == LUNSCOPE_SPLIT_ANSWER) answered = command->split;
  if (answered > left) answered = left;
  if (command->split_is == LUNSCOPE_SPLIT_DATA)
    data = command->split + (command->due != 0 ? answered : 0);
  lunscope_split_off(split, is_target ? LUNSCOPE_PHASE_ARRIVAL : LUNSCOPE_PHASE_SEND,
                     (uint32_t)lunscope_unpack_short(command->header), &left);
  if (is_target && command->side != 0)
    lunscope_split_off(split, LUNSCOPE_PHASE_QUEUE, command->side, &left);
  if (command->flags & ISCSI_COMMAND_WRITE)
    lunscope_split_off(split, is_target ? LUNSCOPE_PHASE_TRANSFER_IN : LUNSCOPE_PHASE_DATA_OUT,
                       data, &left);
  if (is_answered)
    lunscope_split_off(split, is_target ? LUNSCOPE_PHASE_TRANSFER_OUT : LUNSCOPE_PHASE_TRANSFER,
                       (uint32_t)duration - answered, &left);
  split->known |= 1u << LUNSCOPE_PHASE_REST;
  split->units[LUNSCOPE_PHASE_REST] = left;
  if (is_target || !answer || answer->taken_ns == 0) return 0;
  uint64_t pickup = lunscope_phase_units(now_ns, answer->taken_ns);
  left = (uint32_t)pickup;
  if (pickup == left) lunscope_split_off(split, LUNSCOPE_PHASE_PICKUP, left, &left);
  return 0;
}

#endif
