/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Facts about SCSI that kernel half and collector share (SPC, SAM): LUNs, codes, the length of a
 * CDB, and sense data. The collector knows the rest of a CDB: its name (collector/names), its kind
 * of work, LBA and blocks (collector/model/cdb.h).
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

/* Peripheral device types (SPC-5 table 145) that the project compares with. */
enum scsi_device_type {
  SCSI_TYPE_DISK = 0x00,
  SCSI_TYPE_TAPE = 0x01,
  SCSI_TYPE_MULTIMEDIA = 0x05,
};

/* Operation codes that the project compares with. Every other code is just a number to it. */
enum scsi_opcode {
  SCSI_READ_6 = 0x08,
  SCSI_WRITE_6 = 0x0a,
  SCSI_INQUIRY = 0x12,
  SCSI_MODE_SENSE_6 = 0x1a,
  SCSI_READ_CAPACITY_10 = 0x25,
  SCSI_READ_10 = 0x28,
  SCSI_WRITE_10 = 0x2a,
  SCSI_SYNCHRONIZE_CACHE_10 = 0x35,
  SCSI_WRITE_SAME_10 = 0x41,
  SCSI_UNMAP = 0x42,
  SCSI_MODE_SENSE_10 = 0x5a,
  SCSI_VARIABLE_LENGTH = 0x7f,
  SCSI_READ_16 = 0x88,
  SCSI_WRITE_16 = 0x8a,
  SCSI_SYNCHRONIZE_CACHE_16 = 0x91,
  SCSI_WRITE_SAME_16 = 0x93,
  SCSI_ZONE_MANAGEMENT_OUT = 0x94,
  SCSI_SERVICE_ACTION_IN_16 = 0x9e,
  SCSI_SERVICE_ACTION_OUT_16 = 0x9f,
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

/*
 * The bits of byte 1 of a CDB that decide, with the operation code, what kind of work it asks for:
 * the bit UNMAP of WRITE SAME, and service actions. 0: the operation code decides alone.
 */
LUNSCOPE_INLINE uint8_t scsi_deciding_bits(uint8_t opcode) {
  switch (opcode) {
    case SCSI_WRITE_SAME_10:
    case SCSI_WRITE_SAME_16: return 0x08;
    case SCSI_ZONE_MANAGEMENT_OUT:
    case SCSI_SERVICE_ACTION_IN_16:
    case SCSI_SERVICE_ACTION_OUT_16: return 0x1f;
    default: return 0;
  }
}

LUNSCOPE_INLINE uint8_t scsi_service_action(const uint8_t* cdb) { return cdb[1] & 0x1f; }

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
