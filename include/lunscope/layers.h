/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's own SCSI layers, observed without iSCSI: the mid-layer, which dispatches commands to
 * low-level drivers (role initiator), and LIO, which serves commands over a fabric (role target).
 *
 * A layer has nexuses where iSCSI has connections. A nexus is an initiator, a target and a LUN
 * (SAM-5 section 4.7). The number of a nexus has LUNSCOPE_NEXUS_BIT set, which the number of a
 * connection never has.
 */
#ifndef LUNSCOPE_LAYERS_H
#define LUNSCOPE_LAYERS_H

#include "types.h"

#define LUNSCOPE_NEXUS_BIT (1ull << 63)
#define LUNSCOPE_NEXUS_TARGET_BIT (1ull << 62) /* of LIO: each layer counts its own nexuses */

/* A command in flight, in the table of the layers. */
struct lunscope_scsi_command {
  uint64_t nexus;
  uint64_t lun;
  uint64_t start_ns;
  uint64_t timed_out_ns; /* 0: its timer has not run out */
  uint32_t expected_bytes;
  uint8_t role;
  uint8_t retries;
  uint8_t reserved[2];
};

LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_scsi_command) == 40, "flat");

#endif
