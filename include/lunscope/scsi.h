/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Facts about SCSI that the engine and the model use (SPC, SBC): the length of a CDB, where its
 * logical block address and its transfer length stand, and the kind of work that it asks for. Also
 * LUNs and sense data.
 *
 * Names of commands come from libsgutils2, because they depend on the device type. These facts do
 * not, except that LBA and blocks have a meaning for block devices only.
 */
#ifndef LUNSCOPE_SCSI_H
#define LUNSCOPE_SCSI_H

#include "bytes.h"

/*
 * A LUN as its 8 bytes on the wire, read as one big-endian number, from the kernel's own 64-bit
 * LUN. The kernel keeps the four 16-bit words of a LUN in the opposite order (scsilun_to_int()).
 */
LUNSCOPE_INLINE uint64_t scsi_wire_lun(uint64_t lun) {
  return (lun & 0xffff) << 48 | (lun >> 16 & 0xffff) << 32 | (lun >> 32 & 0xffff) << 16 | lun >> 48;
}

/* Peripheral device types (SPC-5 table 145) whose commands have other meanings than those of disks.
 */
enum scsi_device_type {
  SCSI_TYPE_TAPE = 0x01,
  SCSI_TYPE_MULTIMEDIA = 0x05,
};

/* Operation codes that the project compares with. Every other code is just a number to it. */
enum scsi_opcode {
  SCSI_READ_6 = 0x08,
  SCSI_WRITE_6 = 0x0a,
  SCSI_INQUIRY = 0x12,
  SCSI_READ_CAPACITY_10 = 0x25,
  SCSI_READ_10 = 0x28,
  SCSI_WRITE_10 = 0x2a,
  SCSI_WRITE_AND_VERIFY_10 = 0x2e,
  SCSI_VERIFY_10 = 0x2f,
  SCSI_SYNCHRONIZE_CACHE_10 = 0x35,
  SCSI_WRITE_SAME_10 = 0x41,
  SCSI_UNMAP = 0x42,
  SCSI_VARIABLE_LENGTH = 0x7f,
  SCSI_READ_16 = 0x88,
  SCSI_COMPARE_AND_WRITE = 0x89,
  SCSI_WRITE_16 = 0x8a,
  SCSI_ORWRITE_16 = 0x8b,
  SCSI_WRITE_AND_VERIFY_16 = 0x8e,
  SCSI_VERIFY_16 = 0x8f,
  SCSI_PREFETCH_16 = 0x90,
  SCSI_SYNCHRONIZE_CACHE_16 = 0x91,
  SCSI_WRITE_SAME_16 = 0x93,
  SCSI_SERVICE_ACTION_IN_16 = 0x9e,
  SCSI_READ_12 = 0xa8,
  SCSI_WRITE_12 = 0xaa,
  SCSI_WRITE_AND_VERIFY_12 = 0xae,
  SCSI_VERIFY_12 = 0xaf,
};

#define SCSI_SERVICE_ACTION_READ_CAPACITY_16 0x10

enum scsi_status {
  SCSI_STATUS_GOOD = 0x00,
  SCSI_STATUS_CHECK_CONDITION = 0x02,
  SCSI_STATUS_CONDITION_MET = 0x04,
  SCSI_STATUS_INTERMEDIATE = 0x10,               /* obsolete since SAM-4 */
  SCSI_STATUS_INTERMEDIATE_CONDITION_MET = 0x14, /* obsolete since SAM-4 */
};

/* Does this status say that the command did what it was asked for (SAM-5 5.3.1)? */
LUNSCOPE_INLINE int scsi_is_success(uint8_t status) {
  return status == SCSI_STATUS_GOOD || status == SCSI_STATUS_CONDITION_MET ||
         status == SCSI_STATUS_INTERMEDIATE || status == SCSI_STATUS_INTERMEDIATE_CONDITION_MET;
}

enum scsi_operation {
  SCSI_OPERATION_READ,
  SCSI_OPERATION_WRITE,
  SCSI_OPERATION_FLUSH,
  SCSI_OPERATION_DISCARD,
  SCSI_OPERATION_CONTROL,
  SCSI_OPERATION_OTHER,
  SCSI_OPERATIONS,
};

/* CDB length in bytes by the group code of the opcode (SPC-5 4.2.5.1); 16 if the group has none. */
LUNSCOPE_INLINE uint32_t scsi_cdb_bytes(uint8_t opcode) {
  switch (opcode >> 5) {
    case 0: return 6;
    case 1:
    case 2: return 10;
    case 5: return 12;
    default: return 16;
  }
}

LUNSCOPE_INLINE uint8_t scsi_service_action(const uint8_t* cdb) { return cdb[1] & 0x1f; }

/* Does this command have its LBA and block count where block commands of its length have them? */
LUNSCOPE_INLINE int scsi_has_lba(const uint8_t* cdb) {
  switch (cdb[0]) {
    case SCSI_READ_6:
    case SCSI_WRITE_6:
    case SCSI_READ_10:
    case SCSI_WRITE_10:
    case SCSI_WRITE_AND_VERIFY_10:
    case SCSI_VERIFY_10:
    case SCSI_SYNCHRONIZE_CACHE_10:
    case SCSI_WRITE_SAME_10:
    case 0x34:
    case SCSI_READ_12:
    case SCSI_WRITE_12:
    case SCSI_WRITE_AND_VERIFY_12:
    case SCSI_VERIFY_12:
    case SCSI_READ_16:
    case SCSI_WRITE_16:
    case SCSI_COMPARE_AND_WRITE:
    case SCSI_ORWRITE_16:
    case SCSI_WRITE_AND_VERIFY_16:
    case SCSI_VERIFY_16:
    case SCSI_PREFETCH_16:
    case SCSI_SYNCHRONIZE_CACHE_16:
    case SCSI_WRITE_SAME_16: return 1;
    default: return 0;
  }
}

/*
 * REQUIRES: scsi_has_lba(cdb). Is this as likely a command for a tape, which has no LBA there:
 * READ(6), WRITE(6), READ POSITION, SPACE(16), ERASE(16)? READ(16) and WRITE(16) are not. For a
 * tape they mean explicit addressing, which no known driver uses.
 */
LUNSCOPE_INLINE int scsi_may_be_of_tape(const uint8_t* cdb) {
  switch (cdb[0]) {
    case SCSI_READ_6:
    case SCSI_WRITE_6:
    case 0x34:
    case SCSI_SYNCHRONIZE_CACHE_16:
    case SCSI_WRITE_SAME_16: return 1;
    default: return 0;
  }
}

/* REQUIRES: scsi_has_lba(cdb). */
LUNSCOPE_INLINE uint64_t scsi_lba(const uint8_t* cdb) {
  switch (scsi_cdb_bytes(cdb[0])) {
    case 6: return lunscope_be24(cdb + 1) & 0x1fffff;
    case 16: return lunscope_be64(cdb + 2);
    default: return lunscope_be32(cdb + 2);
  }
}

/* REQUIRES: scsi_has_lba(cdb). In READ(6) and WRITE(6), 0 means 256 blocks (SBC-4 5.10). */
LUNSCOPE_INLINE uint32_t scsi_blocks(const uint8_t* cdb) {
  if (cdb[0] == SCSI_COMPARE_AND_WRITE) return cdb[13];
  switch (scsi_cdb_bytes(cdb[0])) {
    case 6: return cdb[4] != 0 ? cdb[4] : 256;
    case 10: return lunscope_be16(cdb + 7);
    case 12: return lunscope_be32(cdb + 6);
    default: return lunscope_be32(cdb + 10);
  }
}

/* The kind of work that a command asks of a disk. */
LUNSCOPE_INLINE enum scsi_operation scsi_disk_operation_of(const uint8_t* cdb) {
  switch (cdb[0]) {
    case SCSI_READ_6:
    case SCSI_READ_10:
    case SCSI_READ_12:
    case SCSI_READ_16: return SCSI_OPERATION_READ;
    case SCSI_WRITE_6:
    case SCSI_WRITE_10:
    case SCSI_WRITE_12:
    case SCSI_WRITE_16:
    case SCSI_WRITE_AND_VERIFY_10:
    case SCSI_WRITE_AND_VERIFY_12:
    case SCSI_WRITE_AND_VERIFY_16:
    case SCSI_COMPARE_AND_WRITE:
    case SCSI_ORWRITE_16:
    case SCSI_WRITE_SAME_10:
    case SCSI_WRITE_SAME_16: return SCSI_OPERATION_WRITE;
    case SCSI_SYNCHRONIZE_CACHE_10:
    case SCSI_SYNCHRONIZE_CACHE_16: return SCSI_OPERATION_FLUSH;
    case SCSI_UNMAP: return SCSI_OPERATION_DISCARD;
    case 0x00:
    case 0x03:
    case SCSI_INQUIRY:
    case 0x15:
    case 0x16:
    case 0x17:
    case 0x1a:
    case 0x1b:
    case 0x1e:
    case SCSI_READ_CAPACITY_10:
    case 0x4d:
    case 0x55:
    case 0x56:
    case 0x57:
    case 0x5a:
    case 0x5e:
    case 0x5f:
    case SCSI_SERVICE_ACTION_IN_16:
    case 0xa0:
    case 0xa3:
    case 0xa4: return SCSI_OPERATION_CONTROL;
    default: return SCSI_OPERATION_OTHER;
  }
}

/*
 * The kind of work that a command asks of a device of this type, for the metric label "operation".
 * A device of an unknown type counts as a disk.
 */
LUNSCOPE_INLINE enum scsi_operation scsi_operation_of(const uint8_t* cdb, int device_type) {
  if (device_type == SCSI_TYPE_TAPE) {
    switch (cdb[0]) {
      case 0x0f: /* READ REVERSE(6) */
      case 0x14: /* RECOVER BUFFERED DATA */
      case 0x81: /* READ REVERSE(16) */ return SCSI_OPERATION_READ;
      case 0x10: /* WRITE FILEMARKS(6) */
      case 0x80: /* WRITE FILEMARKS(16) */ return SCSI_OPERATION_WRITE;
      case SCSI_SYNCHRONIZE_CACHE_16: /* SPACE(16) */
      case SCSI_WRITE_SAME_16: /* ERASE(16) */ return SCSI_OPERATION_OTHER;
      default: break;
    }
  }
  if (device_type == SCSI_TYPE_MULTIMEDIA && cdb[0] == SCSI_UNMAP) /* READ SUB-CHANNEL */
    return SCSI_OPERATION_OTHER;
  return scsi_disk_operation_of(cdb);
}

/*
 * Sense data, fixed (70h, 71h) or descriptor (72h, 73h) format (SPC-5 4.4). A field beyond
 * the bytes that are there, or beyond the ADDITIONAL SENSE LENGTH, was not said and reads as 0.
 */
struct scsi_sense {
  uint8_t valid; /* 0: too short, or no known response code */
  uint8_t key;
  uint8_t asc;
  uint8_t ascq;
  uint8_t deferred; /* 1: about an earlier command, not about the one that it came with */
};

/* Byte 7 of both formats: the length of what follows it. */
#define SCSI_SENSE_LENGTH_BYTE 7

LUNSCOPE_INLINE struct scsi_sense scsi_read_sense(const uint8_t* sense, uint32_t bytes) {
  struct scsi_sense read = {0, 0, 0, 0, 0};
  if (bytes < 2) return read;
  if (bytes > SCSI_SENSE_LENGTH_BYTE) {
    uint32_t said = SCSI_SENSE_LENGTH_BYTE + 1 + (uint32_t)sense[SCSI_SENSE_LENGTH_BYTE];
    if (bytes > said) bytes = said;
  }
  uint8_t code = sense[0] & 0x7f;
  switch (code) {
    case 0x70:
    case 0x71:
      if (bytes < 3) return read;
      read.key = sense[2] & 0x0f;
      if (bytes >= 13) read.asc = sense[12];
      if (bytes >= 14) read.ascq = sense[13];
      break;
    case 0x72:
    case 0x73:
      read.key = sense[1] & 0x0f;
      if (bytes >= 3) read.asc = sense[2];
      if (bytes >= 4) read.ascq = sense[3];
      break;
    default: return read;
  }
  read.valid = 1;
  read.deferred = code & 1;
  return read;
}

#endif
