/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The port test: is this a socket of a target, and of which role? */
#ifndef LUNSCOPE_WATCHED_BPF_H
#define LUNSCOPE_WATCHED_BPF_H

#include <bpf/bpf_endian.h>

#include "compat.bpf.h"
#include "maps.bpf.h"

static __always_inline int is_target_port(__u16 port) {
  if (has_few_ports)
    return port == few_ports[0] || port == few_ports[1] || port == few_ports[2] ||
           port == few_ports[3];
  return (target_ports[port >> 6] >> (port & 63)) & 1;
}

/*
 * The test that every packet of the host meets. The fields that it reads are common to full,
 * request and time-wait sockets. The latter two carry no iSCSI, and have no storage. A closed
 * socket has lost its state (connection.bpf.h), and gets no other one.
 */
static __always_inline int is_watched(const struct sock* sk) {
  __u8 state = sk->__sk_common.skc_state;
  __u16 family = sk->__sk_common.skc_family;
  int is_initiator = watch_initiators && is_target_port(bpf_ntohs(sk->__sk_common.skc_dport));
  int is_target = watch_targets && is_target_port(sk->__sk_common.skc_num);
  if (!is_initiator && !is_target) return 0;
  return state != TCP_NEW_SYN_RECV && state != TCP_TIME_WAIT && state != TCP_CLOSE &&
         (family == AF_INET || family == AF_INET6) && sk->sk_protocol == IPPROTO_TCP;
}

/* The role by the ports; unknown only if both are ports of a target. */
static __always_inline __u8 role_by_port(const struct sock* sk) {
  int is_initiator = is_target_port(bpf_ntohs(sk->__sk_common.skc_dport));
  int is_target = is_target_port(sk->__sk_common.skc_num);
  if (is_initiator && is_target) return LUNSCOPE_ROLE_UNKNOWN;
  return is_target ? LUNSCOPE_ROLE_TARGET : LUNSCOPE_ROLE_INITIATOR;
}

#endif
