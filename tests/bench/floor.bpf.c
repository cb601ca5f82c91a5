/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Nothing, at every hook of lunscope: what a program costs that does not look at anything. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("tp_btf/tcp_probe")
int arrival(void* ctx) { return 0; }

SEC("tp_btf/skb_copy_datagram_iovec")
int consumption(void* ctx) { return 0; }

SEC("tp_btf/net_dev_queue")
int transmit(void* ctx) { return 0; }

SEC("tp_btf/inet_sock_set_state")
int connection(void* ctx) { return 0; }

SEC("tp_btf/tcp_retransmit_skb")
int retransmit(void* ctx) { return 0; }

char program_license[] SEC("license") = "Dual BSD/GPL";
