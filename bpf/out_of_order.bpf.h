/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes that TCP has received ahead of their turn. They lie in a tree until the hole before them is
 * filled. A reader that leaves no trace then gets them with no hook in between. So the segment that
 * fills a hole is followed by what waits behind it.
 */
#ifndef LUNSCOPE_OUT_OF_ORDER_BPF_H
#define LUNSCOPE_OUT_OF_ORDER_BPF_H

#include "tree.bpf.h"

static long follow_early(__u64 i, struct tree_follow* tree) { return follow_tree(tree, 0); }

/* A segment has arrived. If it was the next one, it has been followed. */
static __always_inline int on_hole_filled(struct sock* sk) {
  if (!is_watched(sk)) return 0;
  const struct rb_node* root =
      BPF_CORE_READ((const struct tcp_sock*)sk, out_of_order_queue.rb_node);
  if (!root) return 0;
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection || connection->record.is_read) return 0;
  struct tree_follow tree = {.socket = {.follow = {.now_ns = bpf_ktime_get_ns()}}};
  if (begin_search(&tree, sk, connection, root, HOOK_OUT_OF_ORDER))
    bpf_loop(MAX_READS_PER_SEGMENT, follow_early, &tree, 0);
  return 0;
}

#endif
