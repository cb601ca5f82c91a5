/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's structs, reduced to the fields that the programs read. Offsets are relocated when
 * the programs are loaded (CO-RE), so the build needs neither a vmlinux.h nor the BTF of any
 * kernel. Structs that differ between kernels are in compat.bpf.h.
 */
#ifndef LUNSCOPE_KERNEL_H
#define LUNSCOPE_KERNEL_H

#include <linux/types.h>

/* include/linux/socket.h, include/uapi/linux/in.h, include/net/tcp_states.h */
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_FIN_WAIT1 4
#define TCP_TIME_WAIT 6
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define TCP_LAST_ACK 9
#define TCP_CLOSING 11
#define TCP_NEW_SYN_RECV 12

/* include/uapi/asm-generic/errno-base.h, include/uapi/asm-generic/errno.h */
#define EPIPE 32
#define ENETUNREACH 101
#define ECONNRESET 104
#define ETIMEDOUT 110
#define ECONNREFUSED 111
#define EHOSTUNREACH 113

/* include/net/tcp.h */
#define TCPHDR_FIN 1

/* include/linux/skbuff.h */
#define CHECKSUM_UNNECESSARY 1
#define CHECKSUM_PARTIAL 3

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
  union {
    __u8 u6_addr8[16];
  } in6_u;
};

struct ns_common {
  unsigned int inum;
};

struct net {
  struct ns_common ns;
};

typedef struct {
  struct net* net;
} possible_net_t;

struct sock_common {
  possible_net_t skc_net;
  __be32 skc_daddr;
  __be32 skc_rcv_saddr;
  __be16 skc_dport;
  __u16 skc_num;
  unsigned short skc_family;
  volatile unsigned char skc_state;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
};

struct rb_node {
  struct rb_node* rb_right;
  struct rb_node* rb_left;
};

struct rb_root {
  struct rb_node* rb_node;
};

struct sock {
  struct sock_common __sk_common;
  __u16 sk_protocol;
  int sk_err;
  struct rb_root tcp_rtx_queue; /* of skbs, by sequence number, until they are acknowledged */
};

struct inet_sock {
  __be16 inet_sport;
};

struct inet_connection_sock {
  __u8 icsk_retransmits; /* of the segment that is not acknowledged */
};

struct tcp_sock {
  __u32 rcv_nxt;
  __u32 copied_seq;
  __u32 snd_una; /* the first byte that is not acknowledged */
  __u32 snd_nxt;
  __u32 write_seq; /* behind the last byte that the process has written */
  __u32 snd_wnd;
  __u32 srtt_us;       /* in eighths */
  __u32 retrans_stamp; /* when the first byte was sent again, in ms; 0: none was */
  __u64 tcp_clock_cache;
  struct rb_root out_of_order_queue; /* of skbs, by sequence number */
};

struct tcphdr {
  __be16 source;
  __be16 dest;
  __be32 seq;
  __be32 ack_seq;
  __u16 res1 : 4;
  __u16 doff : 4;
};

/* TCP's use of sk_buff.cb (include/net/tcp.h) while it owns the skb. */
struct tcp_skb_cb {
  __u32 seq;
  __u32 end_seq; /* SYN and FIN count as one */
  __u8 tcp_flags;
};

struct sk_buff {
  struct sk_buff* next;
  struct rb_node rbnode;
  struct sock* sk;
  char cb[48];
  __u64 skb_mstamp_ns; /* when TCP sent it, of CLOCK_MONOTONIC; while TCP owns the skb */
  unsigned int len;
  unsigned int data_len; /* the part of len that is not in the linear part */
  __u8 ip_summed : 2;
  __u8 csum_valid : 1;
  __u16 transport_header;
  unsigned int end; /* from head, on 64-bit machines */
  unsigned char* head;
  unsigned char* data;
};

#pragma clang attribute pop

#endif
