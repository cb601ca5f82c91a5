/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Phases: whose time a command took. A phase is one row: X(ENUMERATOR, ROLE, slot, "label",
 * "help"). ROLE is the role of the observed host, the label is the value of the metric label
 * `phase`, the help says from when to when the phase lasts and whose time that is.
 *
 * A record has the phases of its role in slots. The last slot is the rest: what the others leave of
 * the duration. So phases add up to the duration, without an error of rounding. Only PICKUP comes
 * behind the duration.
 */
#ifndef LUNSCOPE_PHASES_H
#define LUNSCOPE_PHASES_H

#include "bytes.h"

#define LUNSCOPE_PHASES(X)                                                                        \
  X(SEND, INITIATOR, 0, "send",                                                                   \
    "The first to the last byte of the command's header, handed to the device: this host, if it " \
    "sends the header in pieces.")                                                                \
  X(DATA_OUT, INITIATOR, 1, "data_out",                                                           \
    "Data that is due (immediate, unsolicited or asked for by an R2T) until it is handed to the " \
    "device: this host.")                                                                         \
  X(TRANSFER, INITIATOR, 2, "transfer",                                                           \
    "The first byte of the answer to its status: the target and the network.")                    \
  X(PICKUP, INITIATOR, 3, "pickup",                                                               \
    "The status has arrived until it is copied out of the socket: the initiator on this host. "   \
    "Comes behind the duration.")                                                                 \
  X(WAIT, INITIATOR, 4, "wait", "All else: the network and the target.")                          \
  X(ARRIVAL, TARGET, 0, "arrival",                                                                \
    "The first to the last byte of the command's header arrives: the initiator and the network, " \
    "if the header comes in pieces.")                                                             \
  X(QUEUE, TARGET, 1, "queue",                                                                    \
    "The header, and the data for it, have arrived until they are copied out of the socket: the " \
    "target's process on this host.")                                                             \
  X(TRANSFER_IN, TARGET, 2, "transfer_in",                                                        \
    "Data that is due (immediate, unsolicited or asked for by an R2T) until it has arrived: the " \
    "initiator and the network.")                                                                 \
  X(TRANSFER_OUT, TARGET, 3, "transfer_out",                                                      \
    "The first byte of the answer to its status, handed to the device: the target, and a peer "   \
    "that does not read.")                                                                        \
  X(SERVICE, TARGET, 4, "service",                                                                \
    "All else: the target and what is behind it. From a capture it includes `queue`.")

#define LUNSCOPE_PHASE_SLOTS 5
#define LUNSCOPE_PHASE_REST 4 /* the slot of the rest */

#define LUNSCOPE_PHASE_ENUM(name, role, slot, label, help) LUNSCOPE_PHASE_##name,
enum lunscope_phase { LUNSCOPE_PHASES(LUNSCOPE_PHASE_ENUM) LUNSCOPE_PHASE_COUNT };
#undef LUNSCOPE_PHASE_ENUM
#define LUNSCOPE_PHASE_ASSERT(name, role, slot, label, help)                                \
  LUNSCOPE_STATIC_ASSERT(                                                                   \
      LUNSCOPE_PHASE_##name ==                                                              \
          (LUNSCOPE_ROLE_##role - LUNSCOPE_ROLE_INITIATOR) * LUNSCOPE_PHASE_SLOTS + (slot), \
      "a slot follows from the order of the rows");
LUNSCOPE_PHASES(LUNSCOPE_PHASE_ASSERT)
#undef LUNSCOPE_PHASE_ASSERT

/* The phase in this slot of a role's record. REQUIRES: role is the initiator's or the target's. */
LUNSCOPE_INLINE uint32_t lunscope_phase_of(uint32_t role, uint32_t slot) {
  return (role == LUNSCOPE_ROLE_TARGET ? LUNSCOPE_PHASE_SLOTS : 0) + slot;
}

/* Marks and phases are kept in units of 64 ns, so that 32 bits hold 274 seconds. A command that
 * takes longer has no phases. */
#define LUNSCOPE_PHASE_SHIFT 6

LUNSCOPE_INLINE uint64_t lunscope_phase_units(uint64_t from_ns, uint64_t to_ns) {
  /* Hooks of two directions may run on CPUs whose clocks differ by a few nanoseconds. */
  return to_ns > from_ns ? (to_ns - from_ns) >> LUNSCOPE_PHASE_SHIFT : 0;
}

/* When the PDU in a room passed. */
struct lunscope_times {
  uint64_t began_ns;  /* the first byte of its header */
  uint64_t passed_ns; /* the last byte of its header */
  uint64_t taken_ns;  /* a reader copied it out of the socket; 0: unknown */
};

/*
 * A header that came in pieces is seldom, so its time has 16 bits: 11 of a number, 5 of how far it
 * is shifted. The error is below 0.1 %.
 */
#define LUNSCOPE_SHORT_BITS 11
#define LUNSCOPE_SHORT_MASK ((1u << LUNSCOPE_SHORT_BITS) - 1)

LUNSCOPE_INLINE uint16_t lunscope_pack_short(uint64_t units) {
  uint32_t width = lunscope_bit_width(units);
  uint32_t shift = width > LUNSCOPE_SHORT_BITS ? width - LUNSCOPE_SHORT_BITS : 0;
  if (shift > 31) return (uint16_t)~0u;
  return (uint16_t)(shift << LUNSCOPE_SHORT_BITS | (uint32_t)(units >> shift));
}

LUNSCOPE_INLINE uint64_t lunscope_unpack_short(uint16_t packed) {
  return (uint64_t)(packed & LUNSCOPE_SHORT_MASK) << (packed >> LUNSCOPE_SHORT_BITS);
}

#endif
