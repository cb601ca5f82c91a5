/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes that TCP has received ahead of their turn. They lie in a tree by sequence number until the
 * hole before them is filled. A reader that leaves no trace then gets them with no hook in between.
 * So the segment that fills a hole is followed by what waits behind it. The tree is only read,
 * under the socket's lock.
 */
#ifndef LUNSCOPE_OUT_OF_ORDER_BPF_H
#define LUNSCOPE_OUT_OF_ORDER_BPF_H

#include "follow.bpf.h"

struct tree_follow {
  struct socket_follow socket;
  const struct rb_node* root;
  const struct rb_node* searched; /* NULL: no search is going on */
  __u32 found;                    /* the byte that the last search found */
};

static __always_inline struct sk_buff* skb_of_node(const struct rb_node* node) {
  return (void*)node - bpf_core_field_offset(struct sk_buff, rbnode);
}

/*
 * One step down the tree, towards the skb that holds the byte at seq. Returns the next node; or the
 * node itself, with its segment, if it holds the byte; or NULL if no skb does.
 */
static __always_inline const struct rb_node* search_tree(const struct rb_node* node, __u32 seq,
                                                         struct segment* segment) {
  const struct sk_buff* skb = skb_of_node(node);
  const void* cb = (const void*)skb + bpf_core_field_offset(struct sk_buff, cb);
  segment->seq = BPF_CORE_READ((const struct tcp_skb_cb*)cb, seq);
  segment->end = segment->seq + BPF_CORE_READ(skb, len);
  segment->offset = 0;
  if (lunscope_distance(segment->seq, seq) < 0) return BPF_CORE_READ(node, rb_left);
  return lunscope_distance(seq, segment->end) <= 0 ? BPF_CORE_READ(node, rb_right) : node;
}

/*
 * One turn of bpf_loop(), which the verifier checks once: a read of the current segment, or a step
 * of the search for the segment that holds the next wanted byte.
 */
static long follow_tree(__u64 i, struct tree_follow* tree) {
  struct follow* follow = &tree->socket.follow;
  if (!tree->searched) {
    if (follow_socket(&tree->socket, 1)) tree->searched = tree->root;
    return 0;
  }
  struct lunscope_stream* stream = &follow->connection->streams[direction_at(follow->hook)];
  const struct rb_node* node = search_tree(tree->searched, stream->next, &follow->segment);
  if (node != tree->searched) {
    tree->searched = node;
    return node == NULL;
  }
  if (tree->found == stream->next) return 1; /* the byte cannot be read */
  tree->found = stream->next;
  tree->searched = NULL;
  lunscope_stream_offer(stream, follow->segment.seq, follow->segment.end);
  follow->reader.skb = skb_of_node(node);
  linear_piece(&follow->reader.piece, follow->reader.skb, 0);
  return 0;
}

/* A segment has arrived. If it was the next one, it has been followed. */
static __always_inline int on_hole_filled(struct sock* sk) {
  if (!is_watched(sk)) return 0;
  const struct rb_node* root = READ_MEMBER(struct tcp_sock, sk, out_of_order_queue.rb_node);
  if (!root) return 0;
  struct lunscope_connection* connection = connection_of(sk);
  if (!connection || connection->record.is_read) return 0;
  struct lunscope_stream* stream = &connection->streams[LUNSCOPE_RECEIVED];
  struct tree_follow tree = {
      .socket = {.follow = {.connection = connection,
                            .spill = spill_in_use(sk, connection),
                            .aggregates = aggregates_of(sk, connection->inflight.begun),
                            .totals = this_cpu_totals(HOOK_OUT_OF_ORDER),
                            .reader = {.skb = skb_of_node(root)},
                            .hook = HOOK_OUT_OF_ORDER,
                            .now_ns = bpf_ktime_get_ns()},
                 .sk = sk},
      .root = root,
      .searched = root,
      .found = stream->next - 1};
  /* Set to a value: the verifier would follow a known 0 through every turn of the loop. */
  search_tree(root, stream->next, &tree.socket.follow.segment);
  linear_piece(&tree.socket.follow.reader.piece, tree.socket.follow.reader.skb, 0);
  if (tree.socket.follow.totals) bpf_loop(MAX_READS_PER_SEGMENT, follow_tree, &tree, 0);
  return 0;
}

#endif
