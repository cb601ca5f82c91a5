/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Big-endian loads by shifts (no alignment, no libc), and serial-number comparison.
 *
 * Compilers for every target of this project turn the shifts into one load and one swap.
 */
#ifndef LUNSCOPE_BYTES_H
#define LUNSCOPE_BYTES_H

#include "types.h"

LUNSCOPE_INLINE uint16_t lunscope_be16(const uint8_t* p) {
  return (uint16_t)((uint16_t)p[0] << 8 | p[1]);
}

LUNSCOPE_INLINE uint32_t lunscope_be24(const uint8_t* p) {
  return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

LUNSCOPE_INLINE uint32_t lunscope_be32(const uint8_t* p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

LUNSCOPE_INLINE uint64_t lunscope_be64(const uint8_t* p) {
  return (uint64_t)lunscope_be32(p) << 32 | lunscope_be32(p + 4);
}

/* How far b lies behind a in a 32-bit number space that wraps (TCP sequence numbers, RFC 1982). */
LUNSCOPE_INLINE int32_t lunscope_distance(uint32_t a, uint32_t b) { return (int32_t)(b - a); }

#endif
