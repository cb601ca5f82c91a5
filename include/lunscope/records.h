/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records: what the kernel half hands to the collector, through a ring or in a walk over the live
 * connections. Every kind of record has one row in LUNSCOPE_RECORDS, which gives its number, its
 * type and its size. collector/base/record.h checks and visits records by the same rows.
 *
 * Members are fixed-width, largest first, never packed. Change LUNSCOPE_ABI with any layout.
 * Numbers are in host order, times in nanoseconds of CLOCK_MONOTONIC, addresses, CDBs and BHSs as
 * on the wire. A LUN is its 8 bytes read as one big-endian number.
 */
#ifndef LUNSCOPE_RECORDS_H
#define LUNSCOPE_RECORDS_H

#include "iscsi.h"
#include "phases.h"
#include "reasons.h"
#include "scsi.h"
#include "types.h"

#define LUNSCOPE_ABI 18

/* Limits: what a record has room for. */
#define LUNSCOPE_SENSE_BYTES 96
#define LUNSCOPE_COMM_BYTES 16
#define LUNSCOPE_CHUNK_BYTES 208 /* of a data segment: sense (2 + 96), standard INQUIRY data */
#define LUNSCOPE_AHS_BYTES 200   /* a longer AHS is left out */
#define LUNSCOPE_NAME_BYTES 224  /* of an iSCSI name: RFC 7143 section 4.2.7.1, and LIO's limit */
#define LUNSCOPE_TRANSPORT_BYTES 24

/* Commands in flight that one connection may have tracked. The first table and the connection fit
 * into one allocation of 16 KiB; the second table is the largest that socket storage holds. */
#define LUNSCOPE_COMMANDS 200
#define LUNSCOPE_SPILL_COMMANDS 1000
#define LUNSCOPE_TRACKED_COMMANDS (LUNSCOPE_COMMANDS + LUNSCOPE_SPILL_COMMANDS)

/* Buckets of the counts that the kernel adds up. Bounds double; the bucket behind the last bound
 * holds every larger value. */
#define LUNSCOPE_LATENCY_FIRST_NS 16000
#define LUNSCOPE_LATENCY_BOUNDS 22 /* 16 us to 33.5 s */
#define LUNSCOPE_SIZE_FIRST_BYTES 512
#define LUNSCOPE_SIZE_BOUNDS 16 /* 512 B to 16 MiB */
/* Pairs of LUN and kind of CDB that one connection adds up. Further pairs have records. */
#define LUNSCOPE_AGGREGATES 16

/* X(KIND, struct, bytes): a record may be shorter where its struct ends in a list or a table. */
#define LUNSCOPE_RECORDS(X)                                                         \
  X(CONNECTION, lunscope_connection_record, 888)     /* opened, closed or walked */ \
  X(COMMAND, lunscope_command_record, 112)           /* a SCSI command's end */     \
  X(PDU, lunscope_pdu_record, 312)                   /* a management PDU */         \
  X(INFLIGHT, lunscope_inflight_record, 19232)       /* in a walk only */           \
  X(HEADER, lunscope_header_record, 280)             /* see there */                \
  X(NEXUS, lunscope_nexus_record, 544)               /* a new nexus of a layer */   \
  X(SCSI_COMMAND, lunscope_scsi_command_record, 216) /* one of a nexus */           \
  X(AGGREGATES, lunscope_aggregates_record, 11320)   /* commands added up */

#define LUNSCOPE_RECORD_ENUM(name, type, bytes) LUNSCOPE_RECORD_##name,
enum lunscope_record_kind {
  LUNSCOPE_RECORD_NONE = 0,
  LUNSCOPE_RECORDS(LUNSCOPE_RECORD_ENUM) LUNSCOPE_RECORD_KINDS,
};
#undef LUNSCOPE_RECORD_ENUM

enum lunscope_record_flag {
  LUNSCOPE_FLAG_OPENED = 1,      /* connection: this is its first record */
  LUNSCOPE_FLAG_MIDSTREAM = 2,   /* connection: it was open before lunscope started */
  LUNSCOPE_FLAG_CLOSED = 4,      /* connection: this is its last record */
  LUNSCOPE_FLAG_GAP = 8,         /* command: bytes were missed while it was in flight */
  LUNSCOPE_FLAG_INFERRED = 16,   /* connection, of a capture only: nothing proves its boundaries */
  LUNSCOPE_FLAG_CONNECTING = 32, /* connection, with OPENED and CLOSED: it never came about */
};

/* Every record begins with this. */
struct lunscope_record {
  uint64_t connection; /* its number, counted from 1; with LUNSCOPE_NEXUS_BIT: of a nexus */
  uint64_t time_ns;
  uint32_t bytes; /* of the whole record */
  uint8_t abi;
  uint8_t kind;
  uint8_t role;
  uint8_t flags;
};

/* So many commands of a connection are shown in a walk. One socket may write 32 KiB in a walk of
 * the kernel (bpf_seq_read() in kernel/bpf/bpf_iter.c), and the other records take the rest. */
#define LUNSCOPE_SHOWN_COMMANDS 112

struct lunscope_command_record {
  struct lunscope_record header; /* time: of the command's end */
  uint64_t lun;
  uint64_t duration_ns; /* from the first byte of the command's PDU to its end */
  uint32_t itt;
  uint32_t cmdsn;
  uint32_t expected_bytes;
  uint32_t read_bytes;    /* in data segments of Data-In PDUs */
  uint32_t written_bytes; /* in data segments of Data-Out PDUs and of the command's own */
  uint32_t residual_bytes;
  uint32_t bidi_residual_bytes;
  uint8_t cdb[ISCSI_CDB_BYTES];
  uint8_t command_flags;  /* byte 1 of the SCSI Command */
  uint8_t response_flags; /* byte 1 of the PDU with the status, ISCSI_RESIDUAL_FLAGS only */
  uint8_t response;
  uint8_t status;
  uint16_t sense_bytes; /* of the sense behind this struct: lunscope_sensed_command_record */
  uint8_t no_status; /* 0: it ended with its status; else 1 + enum lunscope_unreported, or OPEN */
  /* REJECTED: the reason in the Reject; ABORTED: the task management function; OPEN: 1 if the
   * target ignores the command, because its CmdSN is above MaxCmdSN. */
  uint8_t cause;
  uint8_t known_phases; /* bit i: the phase in slot i is known */
  uint8_t r2ts;         /* 255: or more */
  uint8_t retransmits;  /* TCP segments that this host sent again meanwhile, modulo 256 */
  uint8_t reserved;
  uint32_t phases[LUNSCOPE_PHASE_REST]; /* by slot, in units of phases.h; lunscope_phase_ns() */
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

/* The header of any PDU, on request; without one, of a SCSI Command that has an AHS. */
struct lunscope_header_record {
  struct lunscope_record header;
  uint8_t bhs[ISCSI_BHS_BYTES];
  uint16_t ahs_bytes; /* of those in ahs */
  uint8_t direction;
  uint8_t has_wrong_digest; /* the receiver drops the PDU */
  uint8_t reserved[4];
  uint8_t ahs[LUNSCOPE_AHS_BYTES];
};

/* The PDUs of one direction. */
struct lunscope_traffic {
  uint64_t bytes;     /* headers and digests included */
  uint32_t expstatsn; /* of the latest PDU, if an initiator sends them */
  uint32_t has_expstatsn;
  uint64_t pdus[32];                          /* by opcode without ISCSI_OPCODE_FROM_TARGET */
  uint64_t records_lost[LUNSCOPE_LOSS_COUNT]; /* of these PDUs, and of the commands they end */
  uint64_t pad0[2];
};

/* The kernel's TCP of a connection, in a walk only. */
struct lunscope_tcp {
  uint64_t unacknowledged_ns;    /* for how long the oldest unacknowledged byte has waited */
  uint32_t unacknowledged_bytes; /* sent */
  uint32_t unsent_bytes;         /* written by the process, and not sent yet */
  uint32_t smoothed_rtt_us;      /* 0: not measured yet */
  uint32_t send_window_bytes;    /* that the peer still takes */
  uint8_t is_known;
  uint8_t pad0[7];
};

struct lunscope_connection_record {
  struct lunscope_record header;
  uint32_t retransmits;         /* TCP segments */
  uint32_t unmatched_responses; /* with the status of a command that is not in flight */
  uint32_t gaps;
  uint32_t unread_bytes; /* that have arrived and wait for their reader; in a walk only */
  uint16_t local_port;
  uint16_t remote_port;
  uint8_t is_ipv6;
  uint8_t header_digest;
  uint8_t data_digest;
  uint8_t is_read; /* 1: received bytes are parsed when the reader copies them out */
  uint8_t followed[LUNSCOPE_DIRECTIONS]; /* 1: the boundaries of this direction are known */
  uint8_t end;                           /* enum lunscope_end, as far as it is known */
  uint8_t has_window;
  uint32_t header_digest_errors;
  uint8_t local_address[16]; /* IPv4: the first four bytes */
  uint8_t remote_address[16];
  uint64_t cgroup;            /* of the process that reads the socket; 0: unknown */
  uint32_t process;           /* its id; a kernel thread has an id, too */
  uint32_t network_namespace; /* inode of the socket's */
  char comm[LUNSCOPE_COMM_BYTES];
  struct lunscope_tcp tcp;
  uint32_t window; /* with has_window: commands that the target still takes; in a walk only */
  uint32_t commands_beyond;         /* with a CmdSN above MaxCmdSN, so the target ignores them */
  uint64_t window_closed_ns;        /* the initiator could send no further command (window.h) */
  uint64_t window_closed_since_ns;  /* 0: it can */
  uint64_t window_waiting_ns;       /* for so long it cannot, which comes on top; in a walk only */
  uint64_t window_period_ns;        /* when the period of the next member began; 0: none yet */
  uint32_t lowest_window;           /* the smallest one that the target offered in this period */
  uint32_t lowest_window_before;    /* in the period before */
  uint32_t smallest_window;         /* with has_window: of the last one to two minutes */
  uint32_t unacknowledged_statuses; /* the target's StatSN less ExpStatSN; in a walk only */
  uint32_t largest_segment[LUNSCOPE_DIRECTIONS]; /* bytes of a Data-In or Data-Out */
  uint32_t largest_immediate;                    /* bytes of data in a SCSI Command */
  uint32_t largest_r2t;                          /* bytes that an R2T asked for */
  uint8_t has_unacknowledged_statuses;
  uint8_t pad0[23];
  /* The members above are seldom written, those below with every PDU. */
  struct lunscope_traffic traffic[LUNSCOPE_DIRECTIONS];
};

struct lunscope_waiting {
  uint64_t lun;
  uint64_t start_ns; /* 0: the command waits for nothing, because the target ignores it */
};

/* The commands in flight of one connection. The record ends behind the last one. */
struct lunscope_inflight_record {
  struct lunscope_record header;
  uint32_t count;
  uint32_t reserved;
  struct lunscope_waiting waiting[LUNSCOPE_TRACKED_COMMANDS];
};

/* Completed commands of one LUN and kind of CDB. Counts begin with the connection. */
struct lunscope_aggregate {
  uint64_t lun;
  uint64_t commands;
  uint64_t duration_ns;
  uint64_t transferred_bytes;
  uint64_t phase_ns[LUNSCOPE_PHASE_SLOTS];
  /* Commands by bucket, modulo 2^32. A phase has those whose phase is known. */
  uint32_t durations[LUNSCOPE_LATENCY_BOUNDS + 1];
  uint32_t sizes[LUNSCOPE_SIZE_BOUNDS + 1];
  uint32_t phases[LUNSCOPE_PHASE_SLOTS][LUNSCOPE_LATENCY_BOUNDS + 1];
  uint32_t read;  /* commands that a walk has handed out, modulo 2^32 */
  uint8_t opcode; /* of the CDB */
  uint8_t flags;  /* of the SCSI Command, ISCSI_COMMAND_READ only */
  uint8_t byte1;  /* of the CDB, scsi_deciding_bits() only */
  uint8_t pad0[5];
};

/* The record ends behind the last aggregate in use. */
struct lunscope_aggregates_record {
  struct lunscope_record header;
  uint32_t count; /* aggregates in use; each keeps its LUN and kind of CDB */
  uint32_t last;  /* the aggregate that was added to last */
  uint8_t pad0[24];
  struct lunscope_aggregate aggregates[LUNSCOPE_AGGREGATES];
};

#define LUNSCOPE_UNKNOWN_DEVICE_TYPE 0xff

/* A nexus of a SCSI layer: layers.h says what that is. Text ends at its first NUL, or fills its
 * array. */
struct lunscope_nexus_record {
  struct lunscope_record header; /* connection: the number of the nexus */
  uint64_t lun;
  uint32_t host; /* of the mid-layer: "host:channel:id:lun" */
  uint32_t channel;
  uint32_t id;
  uint8_t device_type; /* peripheral device type, or LUNSCOPE_UNKNOWN_DEVICE_TYPE */
  uint8_t reserved[3];
  char transport[LUNSCOPE_TRANSPORT_BYTES]; /* the low-level driver, or LIO's fabric */
  char vendor[8];
  char model[16];
  char target[LUNSCOPE_NAME_BYTES];    /* of LIO; empty in the mid-layer */
  char initiator[LUNSCOPE_NAME_BYTES]; /* of LIO; empty in the mid-layer */
};

/* A command of a SCSI layer. Fields that only iSCSI has are 0. */
struct lunscope_scsi_command_record {
  struct lunscope_sensed_command_record sensed; /* duration: from dispatch to completion */
  uint8_t host_status;                          /* DID_... of the mid-layer; 0: no error */
  uint8_t retries;                              /* of the mid-layer, before this dispatch */
  uint8_t is_timeout; /* the command's timer ran out; the command may still complete */
  uint8_t reserved[5];
};

#define LUNSCOPE_RECORD_ASSERT(name, type, bytes) \
  LUNSCOPE_STATIC_ASSERT(sizeof(struct type) == (bytes), "ABI");
LUNSCOPE_RECORDS(LUNSCOPE_RECORD_ASSERT)
#undef LUNSCOPE_RECORD_ASSERT
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_record) == 24, "ABI");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_connection_record) +
                               sizeof(struct lunscope_inflight_record) +
                               LUNSCOPE_SHOWN_COMMANDS * sizeof(struct lunscope_command_record) <=
                           32768,
                       "a walk has room for it");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_connection_record) +
                               sizeof(struct lunscope_inflight_record) +
                               sizeof(struct lunscope_aggregates_record) <=
                           32768,
                       "a walk has room for it");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_sensed_command_record) == 208, "ABI");
LUNSCOPE_STATIC_ASSERT(LUNSCOPE_STARTS_LINE(struct lunscope_connection_record, traffic), "lines");
LUNSCOPE_STATIC_ASSERT(sizeof(struct lunscope_aggregate) == 11 * LUNSCOPE_CACHE_LINE, "lines");
LUNSCOPE_STATIC_ASSERT(LUNSCOPE_STARTS_LINE(struct lunscope_aggregates_record, aggregates),
                       "lines");

/* How long the phase in this slot lasted. REQUIRES: it is known. */
LUNSCOPE_INLINE uint64_t lunscope_phase_ns(const struct lunscope_command_record* record,
                                           uint32_t slot) {
  uint32_t inside = record->header.role == LUNSCOPE_ROLE_TARGET ? LUNSCOPE_PHASE_TRANSFER_OUT
                                                                : LUNSCOPE_PHASE_TRANSFER;
  uint64_t units = 0;
  if (slot < LUNSCOPE_PHASE_REST) return (uint64_t)record->phases[slot] << LUNSCOPE_PHASE_SHIFT;
  for (uint32_t i = 0; i <= inside % LUNSCOPE_PHASE_SLOTS; i++) units += record->phases[i];
  return record->duration_ns - (units << LUNSCOPE_PHASE_SHIFT);
}

/* Bytes of the record with this list. */
LUNSCOPE_INLINE uint32_t lunscope_inflight_list_bytes(const struct lunscope_inflight_record* list) {
  return (uint32_t)(__builtin_offsetof(struct lunscope_inflight_record, waiting) +
                    list->count * sizeof(struct lunscope_waiting));
}

/* Bytes of the record with this table. */
LUNSCOPE_INLINE uint32_t lunscope_aggregates_bytes(const struct lunscope_aggregates_record* table) {
  return (uint32_t)(__builtin_offsetof(struct lunscope_aggregates_record, aggregates) +
                    table->count * sizeof(struct lunscope_aggregate));
}

#endif
