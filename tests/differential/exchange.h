/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Shared by the test and its BPF program: one conversation, and the state behind it. */
#ifndef LUNSCOPE_TESTS_EXCHANGE_H
#define LUNSCOPE_TESTS_EXCHANGE_H

#include <lunscope/connection.h>

#define EXCHANGE_SEGMENTS 256
#define EXCHANGE_BYTES (1 << 18)

struct exchange_segment {
  uint64_t now_ns;
  uint32_t direction;
  uint32_t seq;
  uint32_t bytes;
  uint32_t offset; /* in exchange.bytes */
};

struct exchange {
  struct lunscope_connection connection; /* in: as it starts; out: as it ends */
  struct lunscope_spill spill;
  struct lunscope_totals totals[LUNSCOPE_DIRECTIONS]; /* out: a copy each */
  uint32_t segments;
  uint32_t reserved;
  struct exchange_segment segment[EXCHANGE_SEGMENTS];
  uint8_t bytes[EXCHANGE_BYTES];
};

#endif
