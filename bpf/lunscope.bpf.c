/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Table of contents: every program, its hook, and the handler that it calls. All programs only
 * read, and leave a packet of another port after one test. Every packet of the host may pass
 * arrival, consumption and transmit. So these three hold that test alone; each handler is a
 * function of its own, with a stack of its own. A program whose section begins with "?" is loaded
 * only when the collector asks for it.
 */
#include "kernel.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "heal.bpf.h"
#include "out_of_order.bpf.h"
#include "receive.bpf.h"
#include "transmit.bpf.h"
#include "walk.bpf.h"

SEC("tp_btf/tcp_probe")
int BPF_PROG(arrival, struct sock* sk, struct sk_buff* skb) {
  return is_watched(sk) ? on_arrival(sk, skb) : 0;
}

SEC("tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(consumption, struct sk_buff* skb, int len) {
  struct sock* sk = skb->sk;
  return sk && is_watched(sk) ? on_consumption(sk, skb, len) : 0;
}

/*
 * The kernel's initiator does not copy: iscsi_tcp_recv_skb() receives each skb as it is. This
 * program is loaded apart from the others, when the kernel's initiator is in use.
 */
SEC("?" HOOK_OF_KERNEL_INITIATOR)
int BPF_PROG(kernel_consumption, struct sk_buff* skb) { return on_kernel_consumption(skb); }

/* The fallback where fentry is unavailable. Attached after `arrival`, so that it runs after it. */
SEC("?tp_btf/tcp_probe")
int BPF_PROG(out_of_order, struct sock* sk, struct sk_buff* skb) { return on_hole_filled(sk); }

SEC("tp_btf/net_dev_queue")
int BPF_PROG(transmit, struct sk_buff* skb) {
  struct sock* sk = skb->sk;
  if (sk && is_watched(sk) && on_transmit(sk, skb)) bpf_tail_call(ctx, &healing, 0);
  return 0;
}

/* Not attached: `transmit` goes on here if sent bytes are missing (map `healing`). A program of its
 * own, because the verifier checks the loop over PDUs once for each loop in a program. */
SEC("?tp_btf/net_dev_queue")
int BPF_PROG(heal, struct sk_buff* skb) {
  struct sock* sk = skb->sk;
  struct sk_buff* untyped = NULL;
  bpf_probe_read_kernel(&untyped, sizeof(untyped), ctx);
  return sk ? on_hole_in_sent(sk, skb, untyped) : 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(connection, struct sock* sk, int old_state, int new_state) {
  return on_state_change(sk, old_state, new_state);
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmit, struct sock* sk, struct sk_buff* skb) { return on_retransmit(sk); }

SEC("?iter/bpf_sk_storage_map")
int connection_walk(struct bpf_iter__bpf_sk_storage_map* ctx) {
  return dump_connection(ctx->meta->seq, socket_of_storage(ctx));
}

/* The fallback where the kernel forbids iterators over maps: one walk in each network namespace. */
SEC("?iter/tcp")
int socket_walk(struct bpf_iter__tcp* ctx) {
  return dump_connection(ctx->meta->seq, socket_of_list(ctx));
}

char program_license[] SEC("license") = "Dual BSD/GPL";
