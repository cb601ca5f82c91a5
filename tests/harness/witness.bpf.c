/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The witness's program, at the hook of lunscope's `transmit` and without a line in common with it.
 * For each stream of a watched port it keeps the place up to which it has seen bytes being sent.
 * TCP sends new bytes in order, so a segment that begins behind that place proves that the kernel
 * passed this hook and did not run this program.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define MAX_PORTS 4
#define MAX_STREAMS 8192
#define TCP_HEADER_BYTES 20
#define TCP_SYN 2

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock_common {
  __be16 skc_dport;
  __u16 skc_num;
};

struct sock {
  struct sock_common __sk_common;
};

struct sk_buff {
  struct sock* sk;
  unsigned int len;
  __u16 transport_header;
  unsigned char* head;
  unsigned char* data;
};

#pragma clang attribute pop

const volatile __u16 ports[MAX_PORTS]; /* 0: none */
/* Other than 0: every so many segments of a stream are not looked at. */
const volatile __u32 blind_every;

struct stream {
  __u16 local_port;
  __u16 remote_port;
};

struct seen {
  __u64 bytes; /* also those that are sent again */
  __u64 segments;
  __u32 next;
  __u32 holes;
  __u64 hole_bytes;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, MAX_STREAMS);
  __type(key, struct stream);
  __type(value, struct seen);
} streams SEC(".maps");

static int is_watched(const struct stream* stream) {
  for (int i = 0; i < MAX_PORTS; i++) {
    __u16 port = ports[i];
    if (port != 0 && (port == stream->local_port || port == stream->remote_port)) return 1;
  }
  return 0;
}

/* A connection; an earlier one may have had the same ports. */
static void begin(const struct stream* stream, __u32 first) {
  struct seen* seen = bpf_map_lookup_elem(&streams, stream);
  struct seen begun = {.next = first};
  if (seen)
    seen->next = first;
  else
    bpf_map_update_elem(&streams, stream, &begun, BPF_ANY);
}

static void see(const struct stream* stream, __u32 seq, __u32 bytes) {
  struct seen* seen = bpf_map_lookup_elem(&streams, stream);
  if (!seen) {
    struct seen begun = {.bytes = bytes, .segments = 1, .next = seq + bytes};
    bpf_map_update_elem(&streams, stream, &begun, BPF_ANY);
    return;
  }
  if (blind_every != 0 && seen->segments++ % blind_every == blind_every - 1) return;
  __s32 missing = (__s32)(seq - seen->next);
  if (missing > 0) {
    seen->holes++;
    seen->hole_bytes += missing;
  }
  if ((__s32)(seq + bytes - seen->next) > 0) seen->next = seq + bytes;
  seen->bytes += bytes;
}

SEC("tp_btf/net_dev_queue")
int BPF_PROG(witness, struct sk_buff* skb) {
  struct sock* sk = skb->sk;
  if (!sk) return 0;
  struct stream stream = {.local_port = sk->__sk_common.skc_num,
                          .remote_port = bpf_ntohs(sk->__sk_common.skc_dport)};
  if (!is_watched(&stream)) return 0;
  __u8 tcp[TCP_HEADER_BYTES];
  if (bpf_probe_read_kernel(tcp, sizeof(tcp), skb->head + skb->transport_header)) return 0;
  __u32 seq = (__u32)tcp[4] << 24 | (__u32)tcp[5] << 16 | (__u32)tcp[6] << 8 | tcp[7];
  __u32 headers =
      skb->transport_header - (__u32)(skb->data - skb->head) + (__u32)(tcp[12] >> 4) * 4;
  if (tcp[13] & TCP_SYN) {
    begin(&stream, seq + 1);
    return 0;
  }
  if (skb->len <= headers) return 0;
  see(&stream, seq, skb->len - headers);
  return 0;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
