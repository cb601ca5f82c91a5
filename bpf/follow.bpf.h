/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The loop over the PDUs of one segment: read the bytes that the stream wants, let the engine judge
 * them, emit what it says. The hooks of both directions end here.
 */
#ifndef LUNSCOPE_FOLLOW_BPF_H
#define LUNSCOPE_FOLLOW_BPF_H

#include "connection.bpf.h"
#include "skb.bpf.h"

/* 64 KiB of bare headers and some to spare. What is left over stays wanted, and is not lost. */
#define MAX_READS_PER_SEGMENT 8192

struct follow {
  struct lunscope_connection* connection;
  struct lunscope_spill* spill;                  /* NULL: not in use */
  struct lunscope_aggregates_record* aggregates; /* NULL: not in use */
  struct lunscope_totals* totals;
  struct skb_reader reader;
  struct segment segment;
  __u32 hook;
  __u32 is_noted; /* the time is that of the arrival, which was noted */
  __u64 now_ns;   /* of this segment; 0: not known yet */
};

/* The time of the byte that was just taken: it completed a header or a chunk. */
static __always_inline void tell_time(struct follow* follow, const struct lunscope_stream* stream) {
  if (follow->is_noted) {
    follow->now_ns = lunscope_arrivals_time(&follow->connection->arrivals, stream->next - 1);
  }
  if (follow->now_ns == 0) follow->now_ns = bpf_ktime_get_ns();
}

/* The room holds an answer to a command: a SCSI Response, or a Data-In. */
LUNSCOPE_SUBPROGRAM int deliver_answer(struct lunscope_connection* connection,
                                       struct lunscope_spill* spill,
                                       struct lunscope_aggregates_record* aggregates, __u32 hook,
                                       __u64 now_ns) {
  struct lunscope_totals* totals = this_cpu_totals(hook);
  __u32 direction = direction_at(hook);
  if (!connection || !totals) return 0;
  struct lunscope_stream* stream = &connection->streams[direction];
  __u32 role = connection->record.header.role & LUNSCOPE_ROLE_MASK;
  struct lunscope_command* command =
      lunscope_inflight_find(&connection->inflight, spill, iscsi_itt(stream->room));
  if (!command) {
    totals->unmatched_responses[role]++;
    return 0;
  }
  if (iscsi_opcode(stream->room) == ISCSI_DATA_IN) {
    if (stream->have > ISCSI_BHS_BYTES)
      emit_pdu(connection, stream, direction, command, now_ns, totals);
    if (!(iscsi_flags(stream->room) & ISCSI_DATA_IN_STATUS)) return 0;
  }
  int needs_no_record = last_step < LUNSCOPE_STEP_EMIT ||
                        (aggregates_commands && lunscope_is_success(stream->room) &&
                         lunscope_aggregate_add(aggregates, command, now_ns, slow_command_ns));
  if (needs_no_record || !emit_command(connection, stream, command, now_ns, totals))
    totals->commands_reported[role]++;
  totals->commands_in_flight[role]--;
  lunscope_inflight_end(&connection->inflight, spill, command);
  return 0;
}

/* The room holds a management PDU. */
LUNSCOPE_SUBPROGRAM int deliver_management(struct lunscope_connection* connection,
                                           struct lunscope_spill* spill, __u32 direction,
                                           __u64 now_ns, struct lunscope_totals* totals) {
  if (!connection || !totals) return 0;
  struct lunscope_stream* stream = &connection->streams[direction & 1];
  emit_pdu(connection, stream, direction, NULL, now_ns, totals);
  if (lunscope_is_text(iscsi_opcode(stream->room)) && lunscope_stream_chunk_is_last(stream))
    lunscope_connection_end_text(connection, direction);
  if (iscsi_opcode(stream->room) == ISCSI_REJECT)
    lunscope_connection_reject(connection, spill, direction, totals);
  return 0;
}

LUNSCOPE_SUBPROGRAM int deliver_header(struct lunscope_connection* connection, __u32 direction,
                                       __u64 now_ns, struct lunscope_totals* totals) {
  if (!connection || !totals) return 0;
  const struct lunscope_stream* stream = &connection->streams[direction & 1];
  if (stream->sync == LUNSCOPE_SYNC_FOLLOWED)
    emit_header(connection, stream, direction, now_ns, totals);
  return 0;
}

static __always_inline void deliver(struct follow* follow, const struct lunscope_stream* stream) {
  __u8 opcode = iscsi_opcode(stream->room);
  if (opcode == ISCSI_SCSI_RESPONSE || opcode == ISCSI_DATA_IN) {
    deliver_answer(follow->connection, follow->spill, follow->aggregates, follow->hook,
                   follow->now_ns);
  } else {
    deliver_management(follow->connection, follow->spill, direction_at(follow->hook),
                       follow->now_ns, follow->totals);
  }
}

enum follow_next {
  FOLLOW_DONE,    /* the segment has nothing more to give */
  FOLLOW_MORE,    /* read on */
  FOLLOW_CROWDED, /* a command has no place in the connection's own table: spill_command() */
};

/* One read, and what follows from it. is_walked: a constant, of two ways to read an skb. */
static __always_inline enum follow_next follow_read(struct follow* follow, int is_walked) {
  struct lunscope_stream* stream = &follow->connection->streams[direction_at(follow->hook)];
  __u32 end = follow->segment.end;
  __u32 wanted = lunscope_stream_wants(stream, end);
  __u32 offset = follow->segment.offset + (stream->next - follow->segment.seq);
  if (wanted == 0 || lunscope_distance(follow->segment.seq, stream->next) < 0) return FOLLOW_DONE;
  int bytes = read_skb(&follow->reader, is_walked, lunscope_stream_room(stream), wanted, offset);
  if (bytes <= 0) return bytes == 0 ? FOLLOW_MORE : FOLLOW_DONE;
  if (last_step < LUNSCOPE_STEP_PAIR) {
    stream->next = end;
    return FOLLOW_DONE;
  }
  enum lunscope_take take = lunscope_stream_take(stream, bytes);
  if (take == LUNSCOPE_TAKE_UNSURE)
    take = lunscope_connection_settle(follow->connection, direction_at(follow->hook), end,
                                      follow->totals);
  if (take == LUNSCOPE_TAKE_SHORT)
    return lunscope_distance(stream->next, end) <= 0 ? FOLLOW_DONE : FOLLOW_MORE;
  tell_time(follow, stream);
  if (take == LUNSCOPE_TAKE_CHUNK) {
    deliver(follow, stream);
    lunscope_stream_chunk_done(stream);
    return lunscope_distance(stream->next, end) <= 0 ? FOLLOW_DONE : FOLLOW_MORE;
  }
  enum lunscope_header header =
      lunscope_connection_header(follow->connection, follow->spill, direction_at(follow->hook),
                                 follow->now_ns, follow->totals);
  if (emit_headers && header != LUNSCOPE_HEADER_LOST)
    deliver_header(follow->connection, direction_at(follow->hook), follow->now_ns, follow->totals);
  switch (header) {
    case LUNSCOPE_HEADER_DELIVER: deliver(follow, stream); break;
    case LUNSCOPE_HEADER_CROWDED: return FOLLOW_CROWDED;
    case LUNSCOPE_HEADER_LOST:
      lunscope_connection_lose_header(follow->connection, direction_at(follow->hook),
                                      follow->segment.seq, follow->totals);
      break;
    default: break;
  }
  return lunscope_distance(stream->next, end) <= 0 ? FOLLOW_DONE : FOLLOW_MORE;
}

/* Here is a spill for the command in the room, or NULL: there is none to be had. */
static __always_inline void spill_command(struct follow* follow, struct lunscope_spill* spill) {
  follow->spill = spill;
  lunscope_connection_spill(follow->connection, spill, direction_at(follow->hook), follow->now_ns,
                            follow->totals);
}

struct socket_follow {
  struct follow follow;
  struct sock* sk;
};

/* One turn of bpf_loop(): 1 ends it. */
static __always_inline long follow_socket(struct socket_follow* socket, int is_walked) {
  enum follow_next next = follow_read(&socket->follow, is_walked);
  if (next == FOLLOW_CROWDED)
    spill_command(&socket->follow, spill_of(socket->sk, BPF_SK_STORAGE_GET_F_CREATE));
  return next == FOLLOW_DONE;
}

static long follow_by_function(__u64 i, struct socket_follow* socket) {
  return follow_socket(socket, 0);
}

static long follow_by_walk(__u64 i, struct socket_follow* socket) {
  return follow_socket(socket, 1);
}

/* The wanted bytes lie before the segment and will not come again: start anew with this one. */
static __always_inline enum lunscope_offer give_up_hole(struct lunscope_connection* connection,
                                                        __u32 hook, const struct segment* segment) {
  struct lunscope_totals* totals = this_cpu_totals(hook);
  __u32 direction = direction_at(hook);
  if (!totals) return LUNSCOPE_OFFER_OLD;
  lunscope_connection_lose(connection, direction, segment->seq, LUNSCOPE_REASON_MISSING_BYTES,
                           totals);
  return lunscope_stream_offer(&connection->streams[direction], segment->seq, segment->end);
}

/* What is known of the bytes of a segment besides where they lie. */
struct segment_facts {
  __u32 hook;
  __u32 is_noted;    /* their arrival was */
  __u32 is_borrowed; /* the verifier does not trust the skb: walk it */
  __u64 now_ns;      /* 0: not known yet */
};

/* REQUIRES: the segment was offered, and holds something new. */
static __always_inline void follow_segment(struct sk_buff* skb, struct sock* sk,
                                           struct lunscope_connection* connection,
                                           const struct segment* segment,
                                           const struct segment_facts facts) {
  if (last_step < LUNSCOPE_STEP_READ) return;
  struct bpf_dynptr bytes;
  struct socket_follow socket = {
      .follow = {.connection = connection,
                 .spill = connection->inflight.spilled != 0 ? spill_of(sk, 0) : NULL,
                 .aggregates = aggregates_of(sk, connection->inflight.begun),
                 .totals = this_cpu_totals(facts.hook),
                 .reader = {.skb = skb, .bytes = &bytes},
                 .segment = *segment,
                 .hook = facts.hook,
                 .is_noted = facts.is_noted,
                 .now_ns = facts.now_ns},
      .sk = sk};
  if (!socket.follow.totals) return;
  announce_midstream(connection, socket.follow.totals);
  if (walks_skbs || facts.is_borrowed) {
    linear_piece(&socket.follow.reader.piece, skb, 0);
    bpf_loop(MAX_READS_PER_SEGMENT, follow_by_walk, &socket, 0);
  } else if (!bpf_dynptr_from_skb(skb, 0, &bytes)) {
    bpf_loop(MAX_READS_PER_SEGMENT, follow_by_function, &socket, 0);
  }
}

#endif
