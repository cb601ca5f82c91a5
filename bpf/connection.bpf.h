/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The life of a connection. */
#ifndef LUNSCOPE_CONNECTION_BPF_H
#define LUNSCOPE_CONNECTION_BPF_H

#include "emit.bpf.h"
#include "state.bpf.h"

/* REQUIRES: the current process is the one that reads the socket. */
static __always_inline void fill_process(struct lunscope_connection_record* record) {
  record->process = bpf_get_current_pid_tgid() >> 32;
  record->cgroup = bpf_get_current_cgroup_id();
  bpf_get_current_comm(record->comm, sizeof(record->comm));
}

/* The first bytes of a connection that was open before: emit its first record. */
static __always_inline void announce_midstream(struct lunscope_connection* connection,
                                               struct lunscope_totals* totals) {
  if (connection->record.header.time_ns == 0)
    emit_connection(connection, LUNSCOPE_FLAG_OPENED | LUNSCOPE_FLAG_MIDSTREAM, totals);
}

static __always_inline void on_open(struct sock* sk, struct lunscope_totals* totals) {
  struct tcp_sock* tcp = bpf_skc_to_tcp_sock(sk);
  struct lunscope_connection* connection = bpf_sk_storage_get(&connections, sk, 0, 0);
  /* A closed socket can be connected again, and its close may have been missed. */
  if (connection) forget_connection(sk, connection);
  connection = connection_of(sk);
  if (!tcp || !connection) return;
  lunscope_connection_open(connection, tcp->rcv_nxt, tcp->snd_nxt);
  emit_connection(connection, LUNSCOPE_FLAG_OPENED, totals);
}

/* How a connection ends that goes without a FIN (tcp_reset(), tcp_write_err(), tcp_close()). */
static __always_inline __u8 end_of(const struct sock* sk) {
  switch (sk->sk_err) {
    case EPIPE:
    case ECONNRESET: return LUNSCOPE_END_RESET_BY_PEER;
    case ECONNREFUSED: return LUNSCOPE_END_REFUSED;
    case ETIMEDOUT: return LUNSCOPE_END_TIMED_OUT;
    case ENETUNREACH:
    case EHOSTUNREACH: return LUNSCOPE_END_UNREACHABLE;
    default: return LUNSCOPE_END_RESET_HERE;
  }
}

/* The first FIN. */
static __always_inline void on_fin(struct sock* sk, __u8 end) {
  struct lunscope_connection* connection = bpf_sk_storage_get(&connections, sk, 0, 0);
  if (connection && connection->record.end == LUNSCOPE_END_UNKNOWN) connection->record.end = end;
}

static __always_inline void on_close(struct sock* sk, struct lunscope_totals* totals) {
  struct lunscope_connection* connection = bpf_sk_storage_get(&connections, sk, 0, 0);
  if (!connection || (connection->record.header.flags & LUNSCOPE_FLAG_CLOSED)) return;
  lunscope_connection_close(connection, totals);
  if (lunscope_inflight_count(&connection->inflight) != 0)
    emit_swept(connection, spill_in_use(sk, connection), bpf_ktime_get_ns(), totals);
  struct lunscope_aggregates_record* table = aggregates_in_use(sk);
  if (table) emit_aggregates(connection, table, totals);
  if (connection->record.end == LUNSCOPE_END_UNKNOWN) connection->record.end = end_of(sk);
  emit_connection(connection, LUNSCOPE_FLAG_CLOSED, totals);
  forget_connection(sk, connection);
}

/* How often a SYN was sent again before its connect counts as unanswered: 3 s have passed then, or
 * 2 s since Linux 6.5 (net.ipv4.tcp_syn_linear_timeouts). */
#define UNANSWERED_SYN_RETRANSMITS 2

static __always_inline __u32 retransmits_of(const struct sock* sk) {
  return BPF_CORE_READ((const struct inet_connection_sock*)sk, icsk_retransmits);
}

/* A connection that never came about: one record, and no state behind it. */
static __always_inline void emit_failed_connect(struct sock* sk, __u8 end,
                                                struct lunscope_totals* totals) {
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection) return;
  /* A port that the kernel chose is its own again by now (tcp_set_state()). */
  connection->record.local_port = bpf_ntohs(BPF_CORE_READ((const struct inet_sock*)sk, inet_sport));
  connection->record.end = end;
  emit_connection(connection,
                  LUNSCOPE_FLAG_OPENED | LUNSCOPE_FLAG_CLOSED | LUNSCOPE_FLAG_CONNECTING, totals);
  forget_connection(sk, connection);
}

/* A connect fails. If it was unanswered for long, that was said already. */
static __always_inline void on_failed_connect(struct sock* sk, struct lunscope_totals* totals) {
  __u8 end = end_of(sk);
  int is_late = end == LUNSCOPE_END_TIMED_OUT || end == LUNSCOPE_END_RESET_HERE;
  if (is_late && retransmits_of(sk) >= UNANSWERED_SYN_RETRANSMITS) return;
  emit_failed_connect(sk, end, totals);
}

static __always_inline int on_state_change(struct sock* sk, int old_state, int new_state) {
  if ((new_state == TCP_FIN_WAIT1 || new_state == TCP_CLOSE_WAIT) && is_watched(sk))
    on_fin(sk, new_state == TCP_FIN_WAIT1 ? LUNSCOPE_END_CLOSED_HERE : LUNSCOPE_END_CLOSED_BY_PEER);
  if (new_state != TCP_ESTABLISHED && new_state != TCP_CLOSE) return 0;
  /* When an accepted socket closes, it has no port any more, but it still has its state. */
  if (new_state == TCP_ESTABLISHED && !is_watched(sk)) return 0;
  struct lunscope_totals* totals = this_cpu_totals(HOOK_CONNECTION);
  if (!totals) return 0;
  if (new_state == TCP_ESTABLISHED) {
    on_open(sk, totals);
  } else if (old_state == TCP_SYN_SENT) {
    if (is_watched(sk)) on_failed_connect(sk, totals);
  } else {
    on_close(sk, totals);
  }
  return 0;
}

static __always_inline int on_retransmit(struct sock* sk) {
  if (!is_watched(sk)) return 0;
  if (sk->__sk_common.skc_state == TCP_SYN_SENT) {
    struct lunscope_totals* totals = this_cpu_totals(HOOK_RETRANSMIT);
    /* The kernel counts this one when it has been sent. */
    if (totals && retransmits_of(sk) + 1 == UNANSWERED_SYN_RETRANSMITS)
      emit_failed_connect(sk, LUNSCOPE_END_UNANSWERED, totals);
    return 0;
  }
  struct lunscope_connection* connection = bpf_sk_storage_get(&connections, sk, 0, 0);
  if (connection) connection->record.retransmits++;
  return 0;
}

#endif
