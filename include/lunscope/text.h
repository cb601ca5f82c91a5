/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Login and text negotiation, one byte at a time: what an operator needs passes, the rest is held
 * back (RFC 7143 section 6; keys in section 13).
 *
 * A data segment is a list of "key=value" strings. Each ends with a NUL, and may go on in the next
 * PDU. Every key passes; a value passes only if its key is in the list below. The list says what is
 * allowed, not what is secret. So the values of CHAP, SRP, Kerberos and of any future key stay in
 * the kernel.
 *
 * Keys are compared by their 64-bit FNV-1a hash, so that the filter needs no buffer. A test checks
 * each constant against its name.
 */
#ifndef LUNSCOPE_TEXT_H
#define LUNSCOPE_TEXT_H

#include "types.h"

#define LUNSCOPE_HASH_START 0xcbf29ce484222325ull
#define LUNSCOPE_HASH_PRIME 0x00000100000001b3ull

/* X(name, hash of the name): the keys whose values pass. */
#define LUNSCOPE_TEXT_KEYS(X)                                \
  X("AuthMethod", 0xb1fff18b9cddb006ull)                     \
  X("CHAP_A", 0x513341bbf8e275bbull)                         \
  X("HeaderDigest", 0xa98f7abe6af21508ull)                   \
  X("DataDigest", 0x8069057edbac2e9dull)                     \
  X("MaxConnections", 0x3a15cfa8743c6412ull)                 \
  X("SendTargets", 0x9b326ca9c9b74733ull)                    \
  X("TargetName", 0xfddf7663a233954bull)                     \
  X("InitiatorName", 0x403cc0746753d021ull)                  \
  X("TargetAlias", 0xb1e2ea8aa0bdb544ull)                    \
  X("InitiatorAlias", 0x7fdb764e531fc216ull)                 \
  X("TargetAddress", 0xa268495eaefd83b8ull)                  \
  X("TargetPortalGroupTag", 0xd4d018c52fac6097ull)           \
  X("InitialR2T", 0x1721b51d0ea2cc15ull)                     \
  X("ImmediateData", 0x70a7d8c2cd477d4aull)                  \
  X("MaxRecvDataSegmentLength", 0xb1a8f8986e43f32eull)       \
  X("MaxBurstLength", 0xa9953f148d54171dull)                 \
  X("FirstBurstLength", 0x5073f15c0ee74125ull)               \
  X("DefaultTime2Wait", 0x271ee0651fce2a26ull)               \
  X("DefaultTime2Retain", 0xe3c501911747543eull)             \
  X("MaxOutstandingR2T", 0xeda16ace55ccc835ull)              \
  X("DataPDUInOrder", 0x669424741199fe85ull)                 \
  X("DataSequenceInOrder", 0x7b96f20cd41f7ef9ull)            \
  X("ErrorRecoveryLevel", 0xc6b73b2216d47ce0ull)             \
  X("SessionType", 0x51de022c8ea33bcfull)                    \
  X("TaskReporting", 0xaacf1490c93cbfb2ull)                  \
  X("iSCSIProtocolLevel", 0x278ab8a1edf90a44ull)             \
  X("IFMarker", 0x9723f821938e0e2cull)                       \
  X("OFMarker", 0x4fc0c2b4859efca2ull)                       \
  X("IFMarkInt", 0xdf2a050e93d695b8ull)                      \
  X("OFMarkInt", 0xd0b7f2bf6f3c651aull)                      \
  X("RDMAExtensions", 0xd2daab8512507bf7ull)                 \
  X("TargetRecvDataSegmentLength", 0x873a4644cd388a61ull)    \
  X("InitiatorRecvDataSegmentLength", 0x5980a129e9dee777ull) \
  X("MaxOutstandingUnexpectedPDUs", 0xd2ae85e09215b124ull)   \
  X("X#NodeArchitecture", 0xeb5dd9a5a1ad4f83ull)

#define LUNSCOPE_KEY_HEADER_DIGEST 0xa98f7abe6af21508ull
#define LUNSCOPE_KEY_DATA_DIGEST 0x8069057edbac2e9dull
#define LUNSCOPE_VALUE_CRC32C 0x3c1b327b5430f9e5ull

enum lunscope_digest {
  LUNSCOPE_DIGEST_UNSAID = 0,
  LUNSCOPE_DIGEST_NONE, /* or a list, or any value but CRC32C alone */
  LUNSCOPE_DIGEST_CRC32C,
};

struct lunscope_text {
  uint64_t hash;         /* of the bytes of the key, then of the value, so far */
  uint8_t known;         /* 0: bytes were missed, and all up to the next NUL is held back */
  uint8_t in_value;      /* behind the '=' */
  uint8_t shown;         /* 1: the value passes */
  uint8_t digest_key;    /* 1: in HeaderDigest's value, 2: in DataDigest's */
  uint8_t header_digest; /* enum lunscope_digest: the last value of HeaderDigest */
  uint8_t data_digest;
  uint8_t reserved[2];
};

LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_text) == 16, "flat");

LUNSCOPE_SUBPROGRAM int lunscope_text_is_shown(uint64_t key) {
  switch (key) {
#define LUNSCOPE_CASE(name, hash) case hash:
    LUNSCOPE_TEXT_KEYS(LUNSCOPE_CASE)
#undef LUNSCOPE_CASE
    return 1;
    default: return 0;
  }
}

LUNSCOPE_INLINE void lunscope_text_next_key(struct lunscope_text* text) {
  text->hash = LUNSCOPE_HASH_START;
  text->known = 1;
  text->in_value = 0;
  text->shown = 0;
  text->digest_key = 0;
}

LUNSCOPE_INLINE void lunscope_text_end_value(struct lunscope_text* text) {
  uint8_t said =
      text->hash == LUNSCOPE_VALUE_CRC32C ? LUNSCOPE_DIGEST_CRC32C : LUNSCOPE_DIGEST_NONE;
  if (text->digest_key == 1) text->header_digest = said;
  if (text->digest_key == 2) text->data_digest = said;
}

/* Take the next byte of text. Returns 1 if it passes, that is, may leave the kernel. */
LUNSCOPE_SUBPROGRAM int lunscope_text_take(struct lunscope_text* text, uint8_t byte) {
  if (!text) return 0;
  if (!text->known && byte != 0) return 0;
  if (byte == 0) {
    lunscope_text_end_value(text);
    lunscope_text_next_key(text);
    return 1;
  }
  if (!text->in_value && byte == '=') {
    text->in_value = 1;
    text->shown = (uint8_t)lunscope_text_is_shown(text->hash);
    text->digest_key = text->hash == LUNSCOPE_KEY_HEADER_DIGEST ? 1
                       : text->hash == LUNSCOPE_KEY_DATA_DIGEST ? 2
                                                                : 0;
    text->hash = LUNSCOPE_HASH_START;
    return 1;
  }
  text->hash = (text->hash ^ byte) * LUNSCOPE_HASH_PRIME;
  return !text->in_value || text->shown;
}

#endif
