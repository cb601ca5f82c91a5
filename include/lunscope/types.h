/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fixed-width types, and the few words of C that BPF C, C11 and C++20 spell the same way.
 *
 * Everything in this folder is valid in all three languages, includes nothing but itself and
 * <stdint.h>, and calls nothing. So the same code follows a connection inside the kernel, in a unit
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
 * A function that the BPF verifier checks once by itself, instead of at every call and for every
 * path that leads to the call. The verifier assumes that its pointers may be NULL, so the function
 * compares them first. It takes at most five arguments, and a pointer only as an argument of its
 * own: a pointer inside a struct has no type for the verifier.
 */
#ifdef __bpf__
#define LUNSCOPE_SUBPROGRAM __attribute__((noinline))
#else
#define LUNSCOPE_SUBPROGRAM LUNSCOPE_INLINE
#endif

/*
 * Keep this variable in one register here. clang may compare one copy of a number and use another,
 * or use it before the comparison. The verifier then does not see that the number is bounded.
 */
#ifdef __bpf__
#define LUNSCOPE_BOUND(variable) asm volatile("" : "+r"(variable))
#else
#define LUNSCOPE_BOUND(variable) (void)(variable)
#endif

/*
 * Two CPUs may work on one connection: one sends while the other receives. Members that one CPU
 * keeps writing have cache lines of their own; else each CPU would take the line from the other. A
 * socket's storage begins 8 bytes into a line (struct bpf_local_storage_data), and this is true for
 * a member that begins a line there.
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

/* The role of the observed host: it sends (initiator) or receives (target) the SCSI commands. */
enum lunscope_role {
  LUNSCOPE_ROLE_UNKNOWN = 0,
  LUNSCOPE_ROLE_INITIATOR = 1,
  LUNSCOPE_ROLE_TARGET = 2,
  LUNSCOPE_ROLES = 4, /* a power of two: a masked role is an index */
};
#define LUNSCOPE_ROLE_MASK (LUNSCOPE_ROLES - 1)

/* How far the programs go with a segment. Only a benchmark that measures the steps stops early. */
enum lunscope_step {
  LUNSCOPE_STEP_NONE,    /* an empty program, which is not one of lunscope's */
  LUNSCOPE_STEP_PORT,    /* compare the port */
  LUNSCOPE_STEP_STORAGE, /* look up the connection's state */
  LUNSCOPE_STEP_READ,    /* read the first header, note the arrival */
  LUNSCOPE_STEP_PAIR,    /* follow PDUs, pair answers with commands */
  LUNSCOPE_STEP_EMIT,    /* emit records */
};

#endif
