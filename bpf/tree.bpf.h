/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Following bytes that TCP keeps in a tree of skbs by sequence number: what it has received ahead
 * of its turn (out_of_order.bpf.h), and what it has sent without an answer yet (heal.bpf.h). The
 * tree is only read, under the socket's lock.
 */
#ifndef LUNSCOPE_TREE_BPF_H
#define LUNSCOPE_TREE_BPF_H

#include "follow.bpf.h"

struct tree_follow {
  struct socket_follow socket;
  const struct rb_node* root;
  const struct rb_node* searched; /* how far the search has come */
  __u32 found;                    /* the byte that was found last */
  __u32 is_reading;               /* 1: the search is over, and its segment is read */
  __u32 hole_bytes;               /* that no program saw as they were sent */
  /* Behind a tree of sent bytes comes the skb that is sent now. */
  struct sk_buff* last;
  struct segment last_segment;
};

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
  segment->offset = unknown_zero;
  if (lunscope_distance(segment->seq, seq) < 0) return BPF_CORE_READ(node, rb_left);
  return lunscope_distance(seq, segment->end) <= 0 ? BPF_CORE_READ(node, rb_right) : node;
}

static __always_inline void read_from(struct tree_follow* tree, struct sk_buff* skb) {
  tree->is_reading = 1 + unknown_zero;
  tree->socket.follow.passed_to = tree->socket.follow.segment.end;
  tree->socket.follow.reader.skb = skb;
  first_piece(&tree->socket.follow.reader.piece, skb);
}

/*
 * The queue of sent skbs holds nothing more that is wanted and can be read. Go on with the last
 * skb, and give up what is still missing before it. Returns 1 if it was read. (A flag for that
 * would make the verifier follow the loop once more for each of its values.)
 */
static __always_inline long follow_last(struct tree_follow* tree, struct lunscope_stream* stream) {
  struct follow* follow = &tree->socket.follow;
  int32_t missing = lunscope_distance(stream->next, tree->last_segment.seq);
  int is_at_end = lunscope_distance(stream->next, tree->last_segment.end) <= 0;
  if (is_at_end || (missing <= 0 && tree->found == stream->next)) return 1;
  int32_t healed = (int32_t)tree->hole_bytes - (missing > 0 ? missing : 0);
  if (healed > 0) follow->totals->healed_bytes += (__u32)healed;
  follow->segment = tree->last_segment;
  follow->now_ns = transmit_time(tree->socket.sk);
  read_from(tree, tree->last);
  lunscope_connection_offer(follow->connection, LUNSCOPE_SENT, follow->segment.seq,
                            follow->segment.end, follow->segment.seq, follow->totals);
  tree->found = stream->next;
  return 0;
}

/*
 * One turn of bpf_loop(), which the verifier checks once: a read of the current segment, or a step
 * of the search for the segment that holds the next wanted byte. is_sent: a constant; the tree is
 * of sent skbs, and a last one comes behind it.
 */
static __always_inline long follow_tree(struct tree_follow* tree, int is_sent) {
  struct follow* follow = &tree->socket.follow;
  if (tree->is_reading) {
    if (!follow_socket(&tree->socket, 1)) return 0;
    tree->is_reading = unknown_zero;
    tree->searched = tree->root;
    return 0;
  }
  struct lunscope_stream* stream = &follow->connection->streams[direction_at(follow->hook)];
  const struct rb_node* node = search_tree(tree->searched, stream->next, &follow->segment);
  if (node && node != tree->searched) {
    tree->searched = node;
    return 0;
  }
  if (!node || tree->found == stream->next) return is_sent ? follow_last(tree, stream) : 1;
  tree->found = stream->next;
  lunscope_stream_offer(stream, follow->segment.seq, follow->segment.end);
  if (is_sent) follow->now_ns = BPF_CORE_READ(skb_of_node(node), skb_mstamp_ns);
  read_from(tree, skb_of_node(node));
  return 0;
}

/* Begin a search of the tree for the next wanted byte. Returns 0 if the counts cannot be reached.
 */
static __always_inline int begin_search(struct tree_follow* tree, struct sock* sk,
                                        struct lunscope_connection* connection,
                                        const struct rb_node* root, __u32 hook) {
  struct follow* follow = &tree->socket.follow;
  tree->socket.sk = sk;
  tree->root = root;
  tree->searched = root;
  follow->connection = connection;
  follow->spill = spill_in_use(sk, connection);
  follow->aggregates = aggregates_of(sk, connection);
  follow->totals = this_cpu_totals(hook);
  follow->hook = hook;
  follow->reader.skb = skb_of_node(root);
  first_piece(&follow->reader.piece, follow->reader.skb);
  const struct lunscope_stream* stream = &connection->streams[direction_at(hook)];
  tree->found = stream->next - 1;
  tree->is_reading = unknown_zero;
  /* Set to a value: the verifier would follow a known 0 through every turn of the loop. */
  search_tree(root, stream->next, &follow->segment);
  return follow->totals != NULL;
}

#endif
