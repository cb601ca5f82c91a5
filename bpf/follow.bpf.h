/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The loop over the PDUs of one segment: read the bytes that the stream wants, let the engine judge
 * them, emit the records that are due. The hooks of both directions end here.
 */
#ifndef LUNSCOPE_FOLLOW_BPF_H
#define LUNSCOPE_FOLLOW_BPF_H

#include "connection.bpf.h"
#include "skb.bpf.h"

/* 64 KiB of bare headers, and some more. Bytes behind this limit stay wanted and are not lost. */
#define MAX_READS_PER_SEGMENT 8192

struct follow {
  struct lunscope_connection* connection;
  struct lunscope_spill* spill;                  /* NULL: not in use */
  struct lunscope_aggregates_record* aggregates; /* NULL: not in use */
  struct lunscope_totals* totals;
  struct skb_reader reader;
  struct segment segment;
  __u32 hook;
  __u32 passed_to; /* sequence number behind the bytes that a reader has now, or that pass */
  __u64 now_ns;    /* the time of this segment; 0: not read yet */
  __u64 taken_ns;  /* when a reader took it out of the socket; 0: not read yet */
};

/* Does a reader take the bytes out of the socket here? Then the arrival hook has noted their times.
 */
static __always_inline int is_taken_at(__u32 hook) {
  return hook == HOOK_CONSUMPTION || hook == HOOK_KERNEL_CONSUMPTION;
}

/* Set the time at which the byte that was read last arrived, which completed a header or a chunk.
 */
static __always_inline void set_time(struct follow* follow, const struct lunscope_stream* stream) {
  if (is_taken_at(follow->hook)) {
    follow->now_ns = lunscope_arrivals_time(&follow->connection->arrivals, stream->next - 1);
  }
  if (follow->now_ns == 0) follow->now_ns = bpf_ktime_get_ns();
}

/*
 * The time of the first byte of a header is the time of its PDU. A header that came in pieces took
 * its time along. bytes: that were read just now. is_whole: the header is complete with them.
 */
static __always_inline void set_begin(struct follow* follow, struct lunscope_stream* stream,
                                      __u32 bytes, int is_whole) {
  if (stream->capture_bytes != 0 || stream->have != bytes) return;
  if (!is_whole) set_time(follow, stream);
  stream->times.began_ns = follow->now_ns;
}

/*
 * A reader takes the PDU in the room out of the socket now. The clock is read only where that is
 * the end of a phase, and once for all that is in one skb. (An arrival's time is looked up; a sent
 * segment has its own.)
 */
static __always_inline void set_taken(struct follow* follow, struct lunscope_stream* stream) {
  stream->times.taken_ns = 0;
  if (!measures_phases || !is_taken_at(follow->hook)) return;
  if (iscsi_opcode(stream->room) != ISCSI_SCSI_COMMAND && !iscsi_has_status(stream->room)) return;
  if (follow->taken_ns == 0) follow->taken_ns = bpf_ktime_get_ns();
  stream->times.taken_ns = follow->taken_ns;
}

/* Data that the stream awaited has passed. now_ns: of its segment; 0: not read yet. */
LUNSCOPE_SUBPROGRAM int pass_data(struct lunscope_connection* connection,
                                  struct lunscope_spill* spill, __u32 hook, __u64 now_ns) {
  if (!connection) return 0;
  const struct lunscope_stream* stream = &connection->streams[direction_at(hook)];
  __u64 taken_ns = is_taken_at(hook) ? bpf_ktime_get_ns() : 0;
  if (is_taken_at(hook))
    now_ns = lunscope_arrivals_time(&connection->arrivals, stream->awaited - 1);
  if (now_ns == 0) now_ns = bpf_ktime_get_ns();
  return lunscope_connection_data_passed(connection, spill, direction_at(hook), now_ns, taken_ns);
}

/* Does the PDU in the room end in this segment, at the time of its header? */
static __always_inline int ends_at_once(const struct follow* follow,
                                        const struct lunscope_stream* stream) {
  if (lunscope_distance(stream->pdu_end, follow->segment.end) < 0) return 0;
  return !is_taken_at(follow->hook) ||
         lunscope_arrivals_same(&follow->connection->arrivals, stream->pdu_end - 1);
}

/* A Data-In with a status is due: wait for its last byte, or return when that has arrived. 0: it
 * has not, or the time of the segment is its time. */
LUNSCOPE_SUBPROGRAM __u64 reach_end(struct lunscope_connection* connection, __u32 hook, __u32 end) {
  if (!connection) return 0;
  struct lunscope_stream* stream = &connection->streams[direction_at(hook)];
  if (!lunscope_connection_reach_end(stream, end) || !is_taken_at(hook)) return 0;
  return lunscope_arrivals_time(&connection->arrivals, stream->pdu_end - 1);
}

/* Emit the records that the engine says are due, in the order of their bits. */
static __always_inline void emit_due(struct follow* follow, const struct lunscope_stream* stream) {
  __u32 direction = direction_at(follow->hook);
  __u8 due = stream->due;
  if (due & LUNSCOPE_DUE_SWEEP)
    emit_swept(follow->connection, follow->spill, follow->now_ns, follow->totals);
  if (due & LUNSCOPE_DUE_HEADER)
    emit_pdu_header(follow->connection, direction, follow->now_ns, follow->totals);
  if (due & LUNSCOPE_DUE_PDU)
    emit_pdu(follow->connection, follow->spill, direction, follow->now_ns, follow->totals);
  if (!(due & LUNSCOPE_DUE_COMMAND)) return;
  emit_command(follow->connection, follow->spill, follow->aggregates, follow->hook, follow->now_ns);
  if (stream->due & LUNSCOPE_DUE_SWEEP)
    emit_swept(follow->connection, follow->spill, follow->now_ns, follow->totals);
}

enum follow_next {
  FOLLOW_DONE,    /* the segment holds nothing more that is wanted */
  FOLLOW_MORE,    /* read on */
  FOLLOW_CROWDED, /* a command has no place in the connection's own table: spill_command() */
};

/* Let the engine judge the header or the chunk that is complete in the room. */
static __always_inline enum follow_next judge(struct follow* follow, struct lunscope_stream* stream,
                                              enum lunscope_take take) {
  __u32 direction = direction_at(follow->hook);
  enum lunscope_header header = LUNSCOPE_HEADER_FOLLOWED;
  set_taken(follow, stream);
  if (take == LUNSCOPE_TAKE_HEADER) {
    /* One time for all that is in one skb, although the reader may take the rest later. */
    if (stream->awaiting != 0)
      pass_data(follow->connection, follow->spill, follow->hook, follow->now_ns);
    stream->times.passed_ns = follow->now_ns;
    header = lunscope_connection_header(follow->connection, follow->spill, direction,
                                        stream->times.began_ns, follow->totals);
    if (header == LUNSCOPE_HEADER_TRIAL)
      lunscope_connection_note_trial(follow->connection, follow->spill, direction);
  } else if (lunscope_is_text(iscsi_opcode(stream->room))) {
    header = LUNSCOPE_HEADER_ACT;
  } else {
    lunscope_connection_chunk(follow->connection, follow->spill, direction);
  }
  if (header == LUNSCOPE_HEADER_ACT) lunscope_connection_act(follow->connection, direction);
  if (stream->due & LUNSCOPE_DUE_COMMAND && iscsi_opcode(stream->room) == ISCSI_DATA_IN &&
      !ends_at_once(follow, stream)) {
    __u64 ended_ns = reach_end(follow->connection, follow->hook, follow->segment.end);
    if (ended_ns != 0) follow->now_ns = ended_ns;
  }
  emit_due(follow, stream);
  if (take == LUNSCOPE_TAKE_CHUNK || stream->awaits_end) lunscope_stream_go_on(stream);
  if (header == LUNSCOPE_HEADER_REUSED)
    lunscope_connection_begin(follow->connection, follow->spill, direction, stream->times.began_ns,
                              follow->totals);
  if (header == LUNSCOPE_HEADER_CROWDED) return FOLLOW_CROWDED;
  if (header == LUNSCOPE_HEADER_LOST)
    lunscope_connection_lose_header(follow->connection, direction, follow->segment.seq,
                                    follow->totals);
  return lunscope_distance(stream->next, follow->segment.end) <= 0 && stream->awaiting == 0
             ? FOLLOW_DONE
             : FOLLOW_MORE;
}

/* One read, and what follows from it. is_walked: a constant, of two ways to read an skb. */
static __always_inline enum follow_next follow_read(struct follow* follow, int is_walked) {
  struct lunscope_stream* stream = &follow->connection->streams[direction_at(follow->hook)];
  __u32 end = follow->segment.end;
  if (lunscope_stream_has_passed(stream, follow->passed_to))
    pass_data(follow->connection, follow->spill, follow->hook, follow->now_ns);
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
  if (take == LUNSCOPE_TAKE_SHORT) {
    set_begin(follow, stream, bytes, 0);
    return lunscope_distance(stream->next, end) <= 0 ? FOLLOW_DONE : FOLLOW_MORE;
  }
  set_time(follow, stream);
  set_begin(follow, stream, bytes, 1);
  return judge(follow, stream, take);
}

/* Begin the command in the room with this spill; NULL if there is no memory for one. */
static __always_inline void spill_command(struct follow* follow, struct lunscope_spill* spill) {
  const struct lunscope_stream* stream = &follow->connection->streams[direction_at(follow->hook)];
  follow->spill = spill;
  lunscope_connection_begin(follow->connection, spill, direction_at(follow->hook),
                            stream->times.began_ns, follow->totals);
}

struct socket_follow {
  struct follow follow;
  struct sock* sk;
};

/* One turn of bpf_loop(): 1 ends it. */
static __always_inline long follow_socket(struct socket_follow* socket, int is_walked) {
  enum follow_next next = follow_read(&socket->follow, is_walked);
  if (next == FOLLOW_CROWDED) spill_command(&socket->follow, make_spill(socket->sk));
  return next == FOLLOW_DONE;
}

static long follow_by_function(__u64 i, struct socket_follow* socket) {
  return follow_socket(socket, 0);
}

static long follow_by_walk(__u64 i, struct socket_follow* socket) {
  return follow_socket(socket, 1);
}

/*
 * A segment holds nothing that is to be read, and perhaps the end of awaited data. passed_to: as in
 * struct follow. now_ns: of the segment; 0: not read yet.
 */
static __always_inline void pass_payload(struct sock* sk, struct lunscope_connection* connection,
                                         __u32 hook, __u32 passed_to, __u64 now_ns) {
  if (lunscope_stream_has_passed(&connection->streams[direction_at(hook)], passed_to))
    pass_data(connection, spill_in_use(sk, connection), hook, now_ns);
}

/* Offer a segment to the engine. */
static __always_inline enum lunscope_offer offer_segment(struct lunscope_connection* connection,
                                                         __u32 hook,
                                                         const struct segment* segment) {
  return lunscope_stream_offer(&connection->streams[direction_at(hook)], segment->seq,
                               segment->end);
}

/*
 * After OFFER_HOLE: give up the missing bytes if they lie before gone_to, because they will not
 * come again. Then offer the segment once more.
 */
static __always_inline enum lunscope_offer give_up_hole(struct lunscope_connection* connection,
                                                        __u32 hook, const struct segment* segment,
                                                        __u32 gone_to) {
  struct lunscope_totals* totals = this_cpu_totals(hook);
  if (!totals) return LUNSCOPE_OFFER_OLD;
  return lunscope_connection_give_up(connection, direction_at(hook), segment->seq, segment->end,
                                     gone_to, totals);
}

/* Facts about a segment besides where its bytes lie. */
struct segment_facts {
  __u32 hook;
  __u32 is_borrowed; /* 1: the verifier does not trust the skb, which must be walked */
  __u32 passed_to;   /* as in struct follow */
  __u64 now_ns;      /* 0: not read yet */
};

/* REQUIRES: the segment was offered, and holds new bytes. */
static __always_inline void follow_segment(struct sk_buff* skb, struct sock* sk,
                                           struct lunscope_connection* connection,
                                           const struct segment* segment,
                                           const struct segment_facts facts) {
  if (last_step < LUNSCOPE_STEP_READ) return;
  struct bpf_dynptr bytes;
  struct socket_follow socket = {.follow = {.connection = connection,
                                            .spill = spill_in_use(sk, connection),
                                            .aggregates = aggregates_of(sk, connection),
                                            .totals = this_cpu_totals(facts.hook),
                                            .reader = {.skb = skb, .bytes = &bytes},
                                            .segment = *segment,
                                            .hook = facts.hook,
                                            .passed_to = facts.passed_to,
                                            .now_ns = facts.now_ns},
                                 .sk = sk};
  if (!socket.follow.totals) return;
  announce_midstream(connection, socket.follow.totals);
  if (walks_skbs || facts.is_borrowed) {
    first_piece(&socket.follow.reader.piece, skb);
    bpf_loop(MAX_READS_PER_SEGMENT, follow_by_walk, &socket, 0);
  } else if (!bpf_dynptr_from_skb(skb, 0, &bytes)) {
    bpf_loop(MAX_READS_PER_SEGMENT, follow_by_function, &socket, 0);
  }
  if (lunscope_troubles(connection) != connection->told)
    emit_troubles(connection, facts.hook, socket.follow.totals);
}

#endif
