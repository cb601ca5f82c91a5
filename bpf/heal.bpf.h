/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sent bytes that no program saw: a firewall dropped the packet before its device, or the kernel
 * left the program out. They lie in TCP's retransmit queue until the peer acknowledges them, so
 * they are read from there when the next segment shows that they are missing. The times are those
 * at which TCP sent each skb. Bytes that are acknowledged by then are gone: a gap, and counted.
 */
#ifndef LUNSCOPE_HEAL_BPF_H
#define LUNSCOPE_HEAL_BPF_H

#include "transmit.bpf.h"
#include "tree.bpf.h"

static long follow_sent(__u64 i, struct tree_follow* tree) { return follow_tree(tree, 1); }

/*
 * `skb` is sent, and bytes before it are missing: on_transmit() says so. untyped: the same skb,
 * read as a number. The verifier would follow the loop for a typed skb and for those of the tree.
 */
static __always_inline int on_hole_in_sent(struct sock* sk, const struct sk_buff* skb,
                                           struct sk_buff* untyped) {
  struct tree_follow tree = {.socket = {.follow = {.now_ns = transmit_time(sk)}}, .last = untyped};
  if (segment_in_transmit(skb, &tree.last_segment)) return 0;
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection) return 0;
  const struct rb_node* root = BPF_CORE_READ(sk, tcp_rtx_queue.rb_node);
  if (!begin_search(&tree, sk, connection, root, HOOK_TRANSMIT)) return 0;
  __u32 queued = READ_MEMBER(struct tcp_sock, sk, snd_una);
  __u32 last = tree.last_segment.seq;
  if (lunscope_distance(last, queued) > 0) queued = last;
  const struct segment nothing = {.seq = queued, .end = queued};
  give_up_hole(connection, HOOK_TRANSMIT, &nothing, queued);
  tree.hole_bytes = last - connection->streams[LUNSCOPE_SENT].next;
  bpf_loop(MAX_READS_PER_SEGMENT, follow_sent, &tree, 0);
  return 0;
}

#endif
