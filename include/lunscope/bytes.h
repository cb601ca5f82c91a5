/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Loads, copies, the width of a number, and the comparison of serial numbers.
 *
 * Native code loads by shifts: that works at any alignment and needs no libc, and compilers make
 * one load and one swap of it. The compiler for BPF would load byte by byte, so there the load is
 * spelled out. The verifier refuses it on machines that cannot load unaligned.
 */
#ifndef LUNSCOPE_BYTES_H
#define LUNSCOPE_BYTES_H

#include "types.h"

#if defined(__bpf__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

LUNSCOPE_INLINE uint16_t lunscope_be16(const uint8_t* p) {
  return __builtin_bswap16(*(const uint16_t*)p);
}
LUNSCOPE_INLINE uint32_t lunscope_be32(const uint8_t* p) {
  return __builtin_bswap32(*(const uint32_t*)p);
}
LUNSCOPE_INLINE uint64_t lunscope_be64(const uint8_t* p) {
  return __builtin_bswap64(*(const uint64_t*)p);
}
LUNSCOPE_INLINE void lunscope_copy16(uint8_t* to, const uint8_t* from) {
  *(uint64_t*)to = *(const uint64_t*)from;
  *(uint64_t*)(to + 8) = *(const uint64_t*)(from + 8);
}
/* REQUIRES: bytes is a constant, and a multiple of 8. */
LUNSCOPE_INLINE void lunscope_copy(uint8_t* to, const uint8_t* from, uint32_t bytes) {
#pragma clang loop unroll(full)
  for (uint32_t i = 0; i < bytes; i += 8) *(uint64_t*)(to + i) = *(const uint64_t*)(from + i);
}

#else

LUNSCOPE_INLINE uint16_t lunscope_be16(const uint8_t* p) {
  return (uint16_t)((uint16_t)p[0] << 8 | p[1]);
}
LUNSCOPE_INLINE uint32_t lunscope_be32(const uint8_t* p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
LUNSCOPE_INLINE uint64_t lunscope_be64(const uint8_t* p) {
  return (uint64_t)lunscope_be32(p) << 32 | lunscope_be32(p + 4);
}
LUNSCOPE_INLINE void lunscope_copy16(uint8_t* to, const uint8_t* from) {
  __builtin_memcpy(to, from, 16);
}
LUNSCOPE_INLINE void lunscope_copy(uint8_t* to, const uint8_t* from, uint32_t bytes) {
  __builtin_memcpy(to, from, bytes);
}

#endif

LUNSCOPE_INLINE uint32_t lunscope_be24(const uint8_t* p) {
  return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/* Compilers make one load of it. */
LUNSCOPE_INLINE uint32_t lunscope_le32(const uint8_t* p) {
  return __builtin_bswap32(lunscope_be32(p));
}

LUNSCOPE_SUBPROGRAM uint32_t lunscope_bit_width_by_halves(uint64_t value) {
  uint32_t bits = value != 0;
  for (uint32_t step = 32; step != 0; step /= 2) {
    if (value >> step == 0) continue;
    value >>= step;
    bits += step;
  }
  return bits;
}

/* How many bits a number takes: 0 for 0. */
LUNSCOPE_INLINE uint32_t lunscope_bit_width(uint64_t value) {
#ifdef __bpf__ /* BPF has no instruction for it */
  return lunscope_bit_width_by_halves(value);
#else
  return value == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(value);
#endif
}

/* How far b lies behind a, where 32-bit numbers wrap (TCP sequence numbers, RFC 1982). */
LUNSCOPE_INLINE int32_t lunscope_distance(uint32_t a, uint32_t b) { return (int32_t)(b - a); }

#endif
