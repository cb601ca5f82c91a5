/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * CRC32C, the digest of iSCSI (RFC 7143 section 13.1), half a byte at a time. A table of 16 words
 * fits in one cache line, and headers are short. No BPF helper computes this CRC.
 */
#ifndef LUNSCOPE_CRC32C_H
#define LUNSCOPE_CRC32C_H

#include "bytes.h"

/* The remainders of the 16 values of half a byte, for the reflected polynomial 0x82f63b78. */
static const uint32_t lunscope_crc32c_table[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

#define LUNSCOPE_CRC32C_START 0xffffffffu

/* The next four bytes. Headers and AHSs are whole words. */
LUNSCOPE_INLINE uint32_t lunscope_crc32c_word(uint32_t crc, const uint8_t* word) {
  crc ^= lunscope_le32(word);
  for (uint32_t half = 0; half < 2 * sizeof(crc); half++)
    crc = (crc >> 4) ^ lunscope_crc32c_table[crc & 15];
  return crc;
}

/* Are these four bytes, least significant first, the digest of all bytes that went into crc? */
LUNSCOPE_INLINE int lunscope_crc32c_is(uint32_t crc, const uint8_t* digest) {
  return lunscope_le32(digest) == ~crc;
}

#endif
