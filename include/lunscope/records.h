/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the engine tells the collector: the records of the ring buffer and of a scrape's walk over
 * the live connections, the totals that stay exact when records are lost, and the reasons for loss.
 *
 * Members are fixed-width, largest first, never packed; every size is asserted. Change
 * LUNSCOPE_ABI with any layout. Numbers are in host order, times in nanoseconds of CLOCK_MONOTONIC,
 * addresses, CDBs and BHSs as on the wire. A LUN is its 8 bytes read as one big-endian number.
 */
#ifndef LUNSCOPE_RECORDS_H
#define LUNSCOPE_RECORDS_H

#include "stream.h"

#define LUNSCOPE_ABI 6
#define LUNSCOPE_SENSE_BYTES 96
#define LUNSCOPE_COMM_BYTES 16
/* Commands in flight of a connection that are tracked: what fits, with it, into an allocation of
 * 16 KiB, and what a socket's storage can hold besides. */
#define LUNSCOPE_TASKS 200
#define LUNSCOPE_SPILL_TASKS 1000
#define LUNSCOPE_TRACKED_COMMANDS (LUNSCOPE_TASKS + LUNSCOPE_SPILL_TASKS)

enum lunscope_record_kind {
  LUNSCOPE_RECORD_CONNECTION =
      1,                        /* opened, closed, or read by a walk: lunscope_connection_record */
  LUNSCOPE_RECORD_COMMAND,      /* one completed SCSI command: lunscope_command_record */
  LUNSCOPE_RECORD_PDU,          /* a management PDU, or a chunk of its data: lunscope_pdu_record */
  LUNSCOPE_RECORD_INFLIGHT,     /* the commands in flight, in a walk */
  LUNSCOPE_RECORD_HEADER,       /* any PDU's header, where that was asked for */
  LUNSCOPE_RECORD_NEXUS,        /* a SCSI device or a LUN of LIO is met: lunscope_nexus_record */
  LUNSCOPE_RECORD_SCSI_COMMAND, /* one command of a nexus: lunscope_scsi_command_record */
  LUNSCOPE_RECORD_AGGREGATES,   /* completed commands, added up: lunscope_aggregates_record */
  LUNSCOPE_RECORD_KINDS,
};

enum lunscope_record_flag {
  LUNSCOPE_FLAG_OPENED = 1,    /* connection: this is its first record */
  LUNSCOPE_FLAG_MIDSTREAM = 2, /* connection: it was open before we looked */
  LUNSCOPE_FLAG_CLOSED = 4,    /* connection: this is its last record */
  LUNSCOPE_FLAG_GAP = 8,       /* command: bytes were missed while it was in flight */
};

struct lunscope_record {
  uint64_t connection; /* numbered as they are met, from 1 on */
  uint64_t time_ns;
  uint32_t bytes; /* of the whole record */
  uint8_t abi;
  uint8_t kind;
  uint8_t role;
  uint8_t flags;
};

struct lunscope_command_record {
  struct lunscope_record header; /* time: of the response */
  uint64_t lun;
  uint64_t duration_ns; /* from the command's PDU to its status */
  uint32_t itt;
  uint32_t cmdsn;
  uint32_t expected_bytes;
  uint32_t transferred_bytes; /* in data segments, both ways */
  uint32_t residual_bytes;
  uint32_t bidi_residual_bytes;
  uint8_t cdb[ISCSI_CDB_BYTES];
  uint8_t command_flags;  /* byte 1 of the SCSI Command */
  uint8_t response_flags; /* byte 1 of the PDU with the status, ISCSI_RESIDUAL_FLAGS only */
  uint8_t response;
  uint8_t status;
  uint16_t sense_bytes; /* that follow this struct: lunscope_sensed_command_record */
  uint16_t reserved;
};

struct lunscope_sensed_command_record {
  struct lunscope_command_record command;
  uint8_t sense[LUNSCOPE_SENSE_BYTES];
};

struct lunscope_pdu_record {
  struct lunscope_record header;
  uint64_t lun; /* Data-In only, with cdb: of the command that it answers */
  uint8_t bhs[ISCSI_BHS_BYTES];
  uint8_t cdb[ISCSI_CDB_BYTES];
  uint32_t chunk_offset; /* of the chunk in the data segment */
  uint16_t chunk_bytes;  /* text: without the values that are held back */
  uint8_t direction;
  uint8_t last; /* no further chunk of this PDU follows */
  uint8_t chunk[LUNSCOPE_CHUNK_BYTES];
};

#define LUNSCOPE_AHS_BYTES 200 /* a longer AHS is left out */

struct lunscope_header_record {
  struct lunscope_record header;
  uint8_t bhs[ISCSI_BHS_BYTES];
  uint16_t ahs_bytes; /* of those in ahs */
  uint8_t direction;
  uint8_t has_wrong_digest; /* its receiver drops the PDU */
  uint8_t reserved[4];
  uint8_t ahs[LUNSCOPE_AHS_BYTES];
};

/* One direction's PDUs. */
struct lunscope_traffic {
  uint64_t bytes;    /* headers and digests included */
  uint64_t pdus[32]; /* by opcode without ISCSI_OPCODE_FROM_TARGET */
  uint64_t apart[7];
};

struct lunscope_connection_record {
  struct lunscope_record header;
  uint64_t retransmits; /* TCP segments */
  uint32_t gaps;
  uint32_t unread_bytes; /* that have arrived and wait for their reader; a walk's only */
  uint16_t local_port;
  uint16_t remote_port;
  uint8_t is_ipv6;
  uint8_t header_digest;
  uint8_t data_digest;
  uint8_t is_read; /* 1: who takes the bytes out of the socket is followed doing so */
  uint8_t followed[LUNSCOPE_DIRECTIONS]; /* 1: the boundaries of this direction are known */
  uint8_t reserved[2];
  uint32_t header_digest_errors;
  uint8_t local_address[16]; /* IPv4: the first four bytes */
  uint8_t remote_address[16];
  uint64_t cgroup;            /* of the process that reads the socket; 0: none was seen */
  uint32_t process;           /* its id; a kernel thread has one, too */
  uint32_t network_namespace; /* inode of the socket's */
  char comm[LUNSCOPE_COMM_BYTES];
  /* What is above is hardly ever written, what is below with every PDU. */
  struct lunscope_traffic traffic[LUNSCOPE_DIRECTIONS];
};

struct lunscope_waiting {
  uint64_t lun;
  uint64_t start_ns;
};

/* Cut behind the last one. */
struct lunscope_inflight_record {
  struct lunscope_record header;
  uint32_t count;
  uint32_t reserved;
  struct lunscope_waiting waiting[LUNSCOPE_TRACKED_COMMANDS];
};

LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_record) == 24, "ABI");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_command_record) == 88, "ABI");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_sensed_command_record) == 184, "ABI");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_pdu_record) == 312, "ABI");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_header_record) == 280, "ABI");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_connection_record) == 760, "ABI");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_inflight_record) == 32 + 16 * 1200, "ABI");
LUNSCOPE_STATIC_ASSERT(LUNSCOPE_STARTS_LINE(struct lunscope_connection_record, traffic), "lines");

/* X(ENUMERATOR, "label"): why a command that was seen has no record. */
#define LUNSCOPE_UNREPORTED_REASONS(X)                                               \
  X(RING_FULL, "ring_full")                 /* no room for its record */             \
  X(RING_BUSY, "ring_busy")                 /* the ring's lock was not to be had */  \
  X(TABLE_FULL, "table_full")               /* no place in the connection's table */ \
  X(ITT_REUSED, "itt_reused")               /* never answered, its tag taken anew */ \
  X(REJECTED, "rejected")                   /* by a Reject: it never was a task */   \
  X(ABORTED, "aborted")                     /* by a task management function */      \
  X(CONNECTION_CLOSED, "connection_closed") /* never answered, the connection ended */

/* X(ENUMERATOR, "label"): why the boundaries of a stream are not known. The first is no gap. */
#define LUNSCOPE_SYNC_REASONS(X)                                                    \
  X(ATTACH, "attach")               /* met in the middle */                         \
  X(MISSING_BYTES, "missing_bytes") /* a header was among bytes that no hook saw */ \
  X(BAD_HEADER, "bad_header")       /* where a header had to be, there is none */   \
  X(NOT_ISCSI, "not_iscsi")         /* the connection does not begin with a login */

/* X(ENUMERATOR, "label"): why a record could not be put into the ring. */
#define LUNSCOPE_LOSS_REASONS(X) \
  X(FULL, "full")                \
  X(BUSY, "busy")

#define LUNSCOPE_UNREPORTED_ENUM(name, label) LUNSCOPE_UNREPORTED_##name,
#define LUNSCOPE_SYNC_ENUM(name, label) LUNSCOPE_REASON_##name,
#define LUNSCOPE_LOSS_ENUM(name, label) LUNSCOPE_LOSS_##name,
enum lunscope_unreported {
  LUNSCOPE_UNREPORTED_REASONS(LUNSCOPE_UNREPORTED_ENUM) LUNSCOPE_UNREPORTED_COUNT
};
enum lunscope_sync_reason { LUNSCOPE_SYNC_REASONS(LUNSCOPE_SYNC_ENUM) LUNSCOPE_REASON_COUNT };
#define LUNSCOPE_REASON_MASK 3
LUNSCOPE_STATIC_ASSERT(LUNSCOPE_REASON_COUNT == LUNSCOPE_REASON_MASK + 1, "a mask bounds an index");
enum lunscope_loss { LUNSCOPE_LOSS_REASONS(LUNSCOPE_LOSS_ENUM) LUNSCOPE_LOSS_COUNT };

/*
 * Counted where things happen, one copy per program and CPU, never lost:
 * commands seen = reported + unreported (by reason) + in flight, in each copy. A command that
 * begins in one and ends in another makes that one's commands in flight fewer than 0: the sum is
 * right.
 */
struct lunscope_totals {
  uint64_t commands_seen[LUNSCOPE_ROLES];
  uint64_t commands_in_flight[LUNSCOPE_ROLES];
  uint64_t commands_reported[LUNSCOPE_ROLES];
  uint64_t records; /* records put into the ring */
  uint64_t commands_unreported[LUNSCOPE_ROLES][LUNSCOPE_UNREPORTED_COUNT];
  uint64_t unmatched_responses[LUNSCOPE_ROLES];
  uint64_t gaps[LUNSCOPE_REASON_COUNT];
  uint64_t resyncs[LUNSCOPE_REASON_COUNT];
  uint64_t unparsed_bytes[LUNSCOPE_REASON_COUNT];
  uint64_t records_lost[LUNSCOPE_LOSS_COUNT];
  uint64_t untracked_connections; /* no memory for their state */
};

/* False for a copy whose writer is amid a command. */
LUNSCOPE_INLINE int lunscope_totals_balance(const struct lunscope_totals* totals) {
  for (uint32_t role = 0; role < LUNSCOPE_ROLES; role++) {
    uint64_t accounted = totals->commands_reported[role] + totals->commands_in_flight[role];
    for (uint32_t reason = 0; reason < LUNSCOPE_UNREPORTED_COUNT; reason++)
      accounted += totals->commands_unreported[role][reason];
    if (totals->commands_seen[role] != accounted) return 0;
  }
  return 1;
}

/* The commands of one role as another reading of the same copy has them. */
LUNSCOPE_INLINE void lunscope_totals_take_commands(struct lunscope_totals* totals,
                                                   const struct lunscope_totals* from,
                                                   uint32_t role) {
  totals->commands_seen[role] = from->commands_seen[role];
  totals->commands_in_flight[role] = from->commands_in_flight[role];
  totals->commands_reported[role] = from->commands_reported[role];
  for (uint32_t reason = 0; reason < LUNSCOPE_UNREPORTED_COUNT; reason++)
    totals->commands_unreported[role][reason] = from->commands_unreported[role][reason];
}

/* Commands in flight end without a record. */
LUNSCOPE_INLINE void lunscope_totals_give_up(struct lunscope_totals* totals, uint32_t role,
                                             enum lunscope_unreported reason, uint64_t commands) {
  totals->commands_unreported[role & LUNSCOPE_ROLE_MASK][reason] += commands;
  totals->commands_in_flight[role & LUNSCOPE_ROLE_MASK] -= commands;
}

/*
 * What the kernel's own SCSI layers tell, without iSCSI: the mid-layer, which dispatches commands
 * to low-level drivers (role initiator), and LIO, which serves them over some fabric (role target).
 * In the place of a connection stands a nexus: an initiator, a target and a LUN (SAM-5 4.7). Its
 * number has this bit, which no connection's has.
 */
#define LUNSCOPE_NEXUS_BIT (1ull << 63)
#define LUNSCOPE_NAME_BYTES 224 /* RFC 7143 section 4.2.7.1, and what LIO has room for */
#define LUNSCOPE_TRANSPORT_BYTES 24
#define LUNSCOPE_UNKNOWN_DEVICE_TYPE 0xff

struct lunscope_nexus_record {
  struct lunscope_record header; /* connection: the number of the nexus */
  uint64_t lun;
  uint32_t host; /* of the mid-layer: "host:channel:id:lun" */
  uint32_t channel;
  uint32_t id;
  uint8_t device_type; /* peripheral device type, if it is known */
  uint8_t reserved[3];
  /* Text ends at its first NUL, if there is one. */
  char transport[LUNSCOPE_TRANSPORT_BYTES]; /* the low-level driver, or LIO's fabric */
  char vendor[8];
  char model[16];
  char target[LUNSCOPE_NAME_BYTES];    /* LIO's; the mid-layer has none */
  char initiator[LUNSCOPE_NAME_BYTES]; /* likewise */
};

/* The command of iSCSI's record, whose fields iSCSI alone has are 0, and what only the layers have.
 */
struct lunscope_scsi_command_record {
  struct lunscope_sensed_command_record sensed; /* duration: from dispatch to completion */
  uint8_t host_status;                          /* DID_... of the mid-layer; 0: none */
  uint8_t retries;                              /* of the mid-layer, before this dispatch */
  uint8_t is_timeout; /* no end: its timer ran out, and it may still be completed */
  uint8_t reserved[5];
};

/* A command in flight, in the table of the layers. */
struct lunscope_scsi_task {
  uint64_t nexus;
  uint64_t lun;
  uint64_t start_ns;
  uint64_t timed_out_ns; /* 0: its timer has not run out */
  uint32_t expected_bytes;
  uint8_t role;
  uint8_t retries;
  uint8_t reserved[2];
};

LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_nexus_record) == 544, "ABI");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_scsi_command_record) == 192, "ABI");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_scsi_task) == 40, "ABI");

/* X(ENUMERATOR, "label"): why a command that a layer took has no record. */
#define LUNSCOPE_SCSI_UNREPORTED_REASONS(X)                                         \
  X(RING_FULL, "ring_full")   /* no room for its record */                          \
  X(RING_BUSY, "ring_busy")   /* the ring's lock was not to be had */               \
  X(TABLE_FULL, "table_full") /* no place in the table of commands in flight */     \
  X(REFUSED, "refused")       /* by the low-level driver; it is dispatched again */ \
  X(TIMED_OUT, "timed_out")   /* ended by the error handler, which has no hook */   \
  X(NOT_ENDED, "not_ended")   /* no end was seen until its memory held another one */

/* X(ENUMERATOR, "label"): what the low-level driver said as it refused (include/scsi/scsi.h). */
#define LUNSCOPE_SCSI_REFUSALS(X) \
  X(HOST, "host_busy")            \
  X(DEVICE, "device_busy")        \
  X(TARGET, "target_busy")        \
  X(OTHER, "other")

#define LUNSCOPE_SCSI_UNREPORTED_ENUM(name, label) LUNSCOPE_SCSI_UNREPORTED_##name,
#define LUNSCOPE_SCSI_REFUSAL_ENUM(name, label) LUNSCOPE_SCSI_REFUSAL_##name,
enum lunscope_scsi_unreported {
  LUNSCOPE_SCSI_UNREPORTED_REASONS(LUNSCOPE_SCSI_UNREPORTED_ENUM) LUNSCOPE_SCSI_UNREPORTED_COUNT
};
enum lunscope_scsi_refusal {
  LUNSCOPE_SCSI_REFUSALS(LUNSCOPE_SCSI_REFUSAL_ENUM) LUNSCOPE_SCSI_REFUSAL_COUNT
};

/* As lunscope_totals: seen = reported + unreported (by reason) + in flight. */
struct lunscope_scsi_totals {
  uint64_t commands_seen[LUNSCOPE_ROLES];
  uint64_t commands_reported[LUNSCOPE_ROLES];
  uint64_t commands_unreported[LUNSCOPE_ROLES][LUNSCOPE_SCSI_UNREPORTED_COUNT];
  uint64_t unmatched_completions[LUNSCOPE_ROLES];
  uint64_t refusals[LUNSCOPE_SCSI_REFUSAL_COUNT];
  uint64_t timeouts;
  uint64_t records;
  uint64_t records_lost[LUNSCOPE_LOSS_COUNT];
};

#endif
