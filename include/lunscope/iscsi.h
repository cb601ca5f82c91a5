/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The iSCSI wire format: opcodes, flags, field positions and PDU length (RFC 7143, RFC 7144).
 *
 * This is the project's only description of that format. Every function takes the 48 bytes of a
 * Basic Header Segment (BHS, RFC 7143 section 11.2.1) and reads one field. No function checks that
 * the PDU's opcode has the field.
 */
#ifndef LUNSCOPE_ISCSI_H
#define LUNSCOPE_ISCSI_H

#include "bytes.h"

#define ISCSI_DEFAULT_PORT 3260 /* RFC 7143 section 14.1 */
#define ISCSI_BHS_BYTES 48
#define ISCSI_DIGEST_BYTES 4 /* CRC32C, section 13.1 */
#define ISCSI_RESERVED_TAG 0xffffffffu
#define ISCSI_CDB_BYTES 16 /* the part of a CDB that the BHS holds */

/* Opcodes (section 11.2.1.2). Bit 5 set: sent by the target. */
enum iscsi_opcode {
  ISCSI_NOP_OUT = 0x00,
  ISCSI_SCSI_COMMAND = 0x01,
  ISCSI_TASK_REQUEST = 0x02,
  ISCSI_LOGIN_REQUEST = 0x03,
  ISCSI_TEXT_REQUEST = 0x04,
  ISCSI_DATA_OUT = 0x05,
  ISCSI_LOGOUT_REQUEST = 0x06,
  ISCSI_SNACK_REQUEST = 0x10,
  ISCSI_VENDOR_REQUEST_FIRST = 0x1c,
  ISCSI_VENDOR_REQUEST_LAST = 0x1e,
  ISCSI_NOP_IN = 0x20,
  ISCSI_SCSI_RESPONSE = 0x21,
  ISCSI_TASK_RESPONSE = 0x22,
  ISCSI_LOGIN_RESPONSE = 0x23,
  ISCSI_TEXT_RESPONSE = 0x24,
  ISCSI_DATA_IN = 0x25,
  ISCSI_LOGOUT_RESPONSE = 0x26,
  ISCSI_R2T = 0x31,
  ISCSI_ASYNC_MESSAGE = 0x32,
  ISCSI_VENDOR_RESPONSE_FIRST = 0x3c,
  ISCSI_VENDOR_RESPONSE_LAST = 0x3e,
  ISCSI_REJECT = 0x3f,
  ISCSI_OPCODES = 0x40,
};

#define ISCSI_OPCODE_FROM_TARGET 0x20

/* Byte 1 of the BHS. */
#define ISCSI_FLAG_FINAL 0x80         /* F; T in login PDUs */
#define ISCSI_FLAG_CONTINUE 0x40      /* C in login and text PDUs, R in SCSI Command */
#define ISCSI_COMMAND_READ 0x40       /* section 11.3.1 */
#define ISCSI_COMMAND_WRITE 0x20      /* section 11.3.1 */
#define ISCSI_DATA_IN_STATUS 0x01     /* S, section 11.7.3 */
#define ISCSI_RESIDUAL_UNDERFLOW 0x02 /* U, section 11.4.1 */
#define ISCSI_RESIDUAL_OVERFLOW 0x04  /* O, section 11.4.1 */
#define ISCSI_BIDI_UNDERFLOW 0x08     /* u, section 11.4.1 */
#define ISCSI_BIDI_OVERFLOW 0x10      /* o, section 11.4.1 */
#define ISCSI_RESIDUAL_FLAGS 0x1e

#define ISCSI_STAGE_FULL_FEATURE 3 /* NSG, section 11.12.3 */

LUNSCOPE_INLINE uint8_t iscsi_opcode(const uint8_t* bhs) { return bhs[0] & 0x3f; }
LUNSCOPE_INLINE uint8_t iscsi_flags(const uint8_t* bhs) { return bhs[1]; }
LUNSCOPE_INLINE uint32_t iscsi_ahs_bytes(const uint8_t* bhs) { return (uint32_t)bhs[4] * 4; }
LUNSCOPE_INLINE uint32_t iscsi_data_bytes(const uint8_t* bhs) {
  return lunscope_be32(bhs + 4) & 0xffffff;
}
LUNSCOPE_INLINE uint64_t iscsi_lun(const uint8_t* bhs) { return lunscope_be64(bhs + 8); }
/* The initiator asks for immediate delivery: the PDU takes no CmdSN of its own. */
LUNSCOPE_INLINE int iscsi_is_immediate(const uint8_t* bhs) { return (bhs[0] & 0x40) != 0; }
LUNSCOPE_INLINE uint32_t iscsi_itt(const uint8_t* bhs) { return lunscope_be32(bhs + 16); }
/* In Data-Out, R2T, NOP-Out and NOP-In. */
LUNSCOPE_INLINE uint32_t iscsi_ttt(const uint8_t* bhs) { return lunscope_be32(bhs + 20); }

/* Sequence numbers that nearly all PDUs carry (section 4.2.2). PDUs of the initiator have these, */
LUNSCOPE_INLINE uint32_t iscsi_cmdsn(const uint8_t* bhs) { return lunscope_be32(bhs + 24); }
LUNSCOPE_INLINE uint32_t iscsi_expstatsn(const uint8_t* bhs) { return lunscope_be32(bhs + 28); }
/* and PDUs of the target these. */
LUNSCOPE_INLINE uint32_t iscsi_statsn(const uint8_t* bhs) { return lunscope_be32(bhs + 24); }
LUNSCOPE_INLINE uint32_t iscsi_expcmdsn(const uint8_t* bhs) { return lunscope_be32(bhs + 28); }
LUNSCOPE_INLINE uint32_t iscsi_maxcmdsn(const uint8_t* bhs) { return lunscope_be32(bhs + 32); }
/* How many commands the target takes. Above ISCSI_WINDOW_LIMIT the numbers are wrong. */
LUNSCOPE_INLINE uint32_t iscsi_window(const uint8_t* bhs) {
  return iscsi_maxcmdsn(bhs) - iscsi_expcmdsn(bhs) + 1;
}
#define ISCSI_WINDOW_LIMIT 65536

/* SCSI Command (section 11.3). */
LUNSCOPE_INLINE uint32_t iscsi_expected_bytes(const uint8_t* bhs) {
  return lunscope_be32(bhs + 20);
}
LUNSCOPE_INLINE const uint8_t* iscsi_cdb(const uint8_t* bhs) { return bhs + 32; }

/* SCSI Response (section 11.4); status and residual also in a Data-In that carries S (11.7). */
LUNSCOPE_INLINE uint8_t iscsi_response(const uint8_t* bhs) { return bhs[2]; }
LUNSCOPE_INLINE uint8_t iscsi_status(const uint8_t* bhs) { return bhs[3]; }
LUNSCOPE_INLINE uint32_t iscsi_bidi_residual(const uint8_t* bhs) { return lunscope_be32(bhs + 40); }
LUNSCOPE_INLINE uint32_t iscsi_residual(const uint8_t* bhs) { return lunscope_be32(bhs + 44); }

/* Does the PDU carry the status of a command? */
LUNSCOPE_INLINE int iscsi_has_status(const uint8_t* bhs) {
  return iscsi_opcode(bhs) == ISCSI_SCSI_RESPONSE ||
         (iscsi_opcode(bhs) == ISCSI_DATA_IN && (iscsi_flags(bhs) & ISCSI_DATA_IN_STATUS) != 0);
}

/* R2T (section 11.8): the Desired Data Transfer Length. */
LUNSCOPE_INLINE uint32_t iscsi_desired_bytes(const uint8_t* bhs) { return lunscope_be32(bhs + 44); }

/* Data-Out and Data-In (section 11.7). */
LUNSCOPE_INLINE uint32_t iscsi_buffer_offset(const uint8_t* bhs) { return lunscope_be32(bhs + 40); }

/* Task Management Function Request (section 11.5), and the response (11.6) of a complete one. */
enum iscsi_task_function {
  ISCSI_TASK_ABORT_TASK = 1,
  ISCSI_TASK_ABORT_TASK_SET = 2,
  ISCSI_TASK_CLEAR_ACA = 3,
  ISCSI_TASK_CLEAR_TASK_SET = 4,
  ISCSI_TASK_LUN_RESET = 5,
  ISCSI_TASK_TARGET_WARM_RESET = 6,
  ISCSI_TASK_TARGET_COLD_RESET = 7,
  ISCSI_TASK_REASSIGN = 8,
  ISCSI_TASK_QUERY_TASK = 9, /* this one and the following: RFC 7144 */
  ISCSI_TASK_QUERY_TASK_SET = 10,
  ISCSI_TASK_NEXUS_RESET = 11,
  ISCSI_TASK_QUERY_ASYNC_EVENT = 12,
};
#define ISCSI_TASK_FUNCTION_COMPLETE 0
#define ISCSI_TASK_DOES_NOT_EXIST 1
LUNSCOPE_INLINE uint8_t iscsi_task_function(const uint8_t* bhs) { return bhs[1] & 0x7f; }
LUNSCOPE_INLINE uint32_t iscsi_referenced_itt(const uint8_t* bhs) {
  return lunscope_be32(bhs + 20);
}

/* Login Request and Response (sections 11.12, 11.13). */
LUNSCOPE_INLINE uint8_t iscsi_next_stage(const uint8_t* bhs) { return bhs[1] & 0x03; }
LUNSCOPE_INLINE const uint8_t* iscsi_isid(const uint8_t* bhs) { return bhs + 8; }
LUNSCOPE_INLINE uint16_t iscsi_tsih(const uint8_t* bhs) { return lunscope_be16(bhs + 14); }
LUNSCOPE_INLINE uint16_t iscsi_cid(const uint8_t* bhs) { return lunscope_be16(bhs + 20); }
LUNSCOPE_INLINE uint8_t iscsi_login_status_class(const uint8_t* bhs) { return bhs[36]; }
LUNSCOPE_INLINE uint8_t iscsi_login_status_detail(const uint8_t* bhs) { return bhs[37]; }

/* A Login Response that ends the login phase with success. */
LUNSCOPE_INLINE int iscsi_login_is_complete(const uint8_t* bhs) {
  return (bhs[1] & ISCSI_FLAG_FINAL) != 0 && iscsi_next_stage(bhs) == ISCSI_STAGE_FULL_FEATURE &&
         iscsi_login_status_class(bhs) == 0;
}

/* Logout Request (section 11.14) */
#define ISCSI_LOGOUT_CLOSE_SESSION 0
LUNSCOPE_INLINE uint8_t iscsi_logout_reason(const uint8_t* bhs) { return bhs[1] & 0x7f; }

/* Logout Response (section 11.15), Reject (11.17), Asynchronous Message (11.9). */
LUNSCOPE_INLINE uint8_t iscsi_logout_response(const uint8_t* bhs) { return bhs[2]; }
LUNSCOPE_INLINE uint8_t iscsi_reject_reason(const uint8_t* bhs) { return bhs[2]; }
LUNSCOPE_INLINE uint8_t iscsi_async_event(const uint8_t* bhs) { return bhs[36]; }

/*
 * Bytes from this BHS to the next one: BHS, AHS, header digest, data segment padded to four bytes,
 * data digest when there is data (section 11.2). header_digest and data_digest: 0 or 1.
 */
LUNSCOPE_INLINE uint32_t iscsi_payload_start(const uint8_t* bhs, uint32_t header_digest) {
  return ISCSI_BHS_BYTES + iscsi_ahs_bytes(bhs) + header_digest * ISCSI_DIGEST_BYTES;
}

LUNSCOPE_INLINE uint32_t iscsi_pdu_bytes(const uint8_t* bhs, uint32_t header_digest,
                                         uint32_t data_digest) {
  uint32_t data = iscsi_data_bytes(bhs);
  uint32_t bytes = iscsi_payload_start(bhs, header_digest) + ((data + 3) & ~3u);
  if (data != 0) bytes += data_digest * ISCSI_DIGEST_BYTES;
  return bytes;
}

/* The bits of BHS byte 1 that a sender must leave zero for this opcode; 0xff: unknown opcode. */
LUNSCOPE_INLINE uint8_t iscsi_reserved_flags(uint8_t opcode) {
  switch (opcode) {
    case ISCSI_SCSI_COMMAND: return 0x18;
    case ISCSI_TASK_REQUEST: return 0x00;
    case ISCSI_LOGIN_REQUEST:
    case ISCSI_LOGIN_RESPONSE: return 0x30;
    case ISCSI_TEXT_REQUEST:
    case ISCSI_TEXT_RESPONSE: return 0x3f;
    case ISCSI_LOGOUT_REQUEST: return 0x7c;
    case ISCSI_SNACK_REQUEST: return 0x70;
    case ISCSI_SCSI_RESPONSE: return 0x61;
    case ISCSI_DATA_IN: return 0x38;
    case ISCSI_NOP_OUT:
    case ISCSI_DATA_OUT:
    case ISCSI_NOP_IN:
    case ISCSI_TASK_RESPONSE:
    case ISCSI_LOGOUT_RESPONSE:
    case ISCSI_R2T:
    case ISCSI_ASYNC_MESSAGE:
    case ISCSI_REJECT: return 0x7f;
    case 0x1c:
    case 0x1d:
    case 0x1e:
    case 0x3c:
    case 0x3d:
    case 0x3e: return 0x00;
    default: return 0xff;
  }
}

/*
 * Could these 48 bytes be a BHS? Checks the opcode, the bits that a sender must leave zero, and the
 * F bit of opcodes that always set it. Lengths cannot be checked: every value is legal.
 */
LUNSCOPE_INLINE int iscsi_is_plausible(const uint8_t* bhs) {
  uint8_t opcode = iscsi_opcode(bhs);
  uint8_t reserved = iscsi_reserved_flags(opcode);
  if (bhs[0] & 0x80) return 0;
  if ((opcode & ISCSI_OPCODE_FROM_TARGET) && (bhs[0] & 0x40)) return 0;
  if (reserved == 0xff || (bhs[1] & reserved)) return 0;
  switch (opcode) {
    case ISCSI_LOGIN_REQUEST: return (bhs[0] & 0x40) != 0;
    case ISCSI_SCSI_COMMAND: return (bhs[2] & 0x0f) == 0 && bhs[3] == 0;
    case ISCSI_TASK_REQUEST:
    case ISCSI_LOGOUT_REQUEST:
    case ISCSI_SNACK_REQUEST:
    case ISCSI_NOP_OUT:
    case ISCSI_NOP_IN:
    case ISCSI_SCSI_RESPONSE:
    case ISCSI_TASK_RESPONSE:
    case ISCSI_LOGOUT_RESPONSE:
    case ISCSI_R2T:
    case ISCSI_ASYNC_MESSAGE:
    case ISCSI_REJECT: return (bhs[1] & ISCSI_FLAG_FINAL) != 0;
    default: return 1;
  }
}

/* The role of the observed end, from one PDU and its direction. */
LUNSCOPE_INLINE uint8_t iscsi_role_of(const uint8_t* bhs, uint32_t direction) {
  int from_target = (bhs[0] & ISCSI_OPCODE_FROM_TARGET) != 0;
  return from_target == (direction == LUNSCOPE_SENT) ? LUNSCOPE_ROLE_TARGET
                                                     : LUNSCOPE_ROLE_INITIATOR;
}

/* Could these 48 bytes be a BHS that goes in this direction, at an end with this role? */
LUNSCOPE_INLINE int iscsi_fits(const uint8_t* bhs, uint32_t direction, uint32_t role) {
  return iscsi_is_plausible(bhs) &&
         (role == LUNSCOPE_ROLE_UNKNOWN || role == iscsi_role_of(bhs, direction));
}

#endif
