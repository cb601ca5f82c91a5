/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fixed-width types and the few words of C that BPF C, C11 and C++20 spell the same way.
 *
 * Everything in this folder is valid in all three languages, includes nothing but itself and
 * <stdint.h>, and calls nothing: the same code follows a connection inside the kernel, in a unit
 * test and in a fuzzer.
 */
#ifndef LUNSCOPE_TYPES_H
#define LUNSCOPE_TYPES_H

#include <stdint.h>

#ifdef __cplusplus
#define LUNSCOPE_STATIC_ASSERT static_assert
#else
#define LUNSCOPE_STATIC_ASSERT _Static_assert
#endif

#define LUNSCOPE_INLINE static inline __attribute__((always_inline, unused))

/*
 * A function that the BPF verifier checks once by itself, and not again at every call and for every
 * path that leads there. Its pointers may be NULL as far as the verifier knows, so it asks first.
 */
#ifdef __bpf__
#define LUNSCOPE_SUBPROGRAM __attribute__((noinline))
#else
#define LUNSCOPE_SUBPROGRAM LUNSCOPE_INLINE
#endif

/*
 * Keep this variable in one register here. clang may test one copy of a number and use another, or
 * use it before the test, and the verifier then does not see that it is bounded.
 */
#ifdef __bpf__
#define LUNSCOPE_BOUND(variable) asm volatile("" : "+r"(variable))
#else
#define LUNSCOPE_BOUND(variable) (void)(variable)
#endif

/*
 * Two CPUs work on one connection: one sends while the other receives. What one of them keeps
 * writing has cache lines of its own, or each would take the other's. A socket's storage begins 8
 * bytes into a line (struct bpf_local_storage_data), so that a line starts where this is true.
 */
#define LUNSCOPE_CACHE_LINE 64
#define LUNSCOPE_STARTS_LINE(type, member) \
  ((__builtin_offsetof(type, member) + 8) % LUNSCOPE_CACHE_LINE == 0)

/* Which way bytes go, as the observed end of the connection sees it. Also an array index. */
enum lunscope_direction {
  LUNSCOPE_RECEIVED = 0,
  LUNSCOPE_SENT = 1,
  LUNSCOPE_DIRECTIONS = 2,
};

/* Where the observed host stands: it sent (initiator) or received (target) the SCSI commands. */
enum lunscope_role {
  LUNSCOPE_ROLE_UNKNOWN = 0,
  LUNSCOPE_ROLE_INITIATOR = 1,
  LUNSCOPE_ROLE_TARGET = 2,
  LUNSCOPE_ROLES = 4, /* a power of two: a masked role is an index */
};
#define LUNSCOPE_ROLE_MASK (LUNSCOPE_ROLES - 1)

/* How far the programs go with a segment. All the way, except where a benchmark measures the steps.
 */
enum lunscope_step {
  LUNSCOPE_STEP_NONE,    /* an empty program; not one of lunscope's */
  LUNSCOPE_STEP_PORT,    /* is it a port that is watched? */
  LUNSCOPE_STEP_STORAGE, /* the connection's state */
  LUNSCOPE_STEP_READ,    /* its first header is read, its arrival noted */
  LUNSCOPE_STEP_PAIR,    /* PDUs are followed, answers paired with commands */
  LUNSCOPE_STEP_EMIT,    /* records */
};

#endif
