/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Shared by the benchmark and its BPF program: records to put into rings, and which of them. */
#ifndef LUNSCOPE_TESTS_PRODUCER_H
#define LUNSCOPE_TESTS_PRODUCER_H

#include <lunscope/records.h>

#define PRODUCER_RECORDS (1 << 16)

struct producer {
  uint32_t next;      /* the record to begin with */
  uint32_t count;     /* how many to put */
  uint32_t ring_mask; /* rings less 1; a record's ring is that of its connection's number */
  uint32_t refused;   /* out: no room */
  struct lunscope_command_record records[PRODUCER_RECORDS];
};

#endif
