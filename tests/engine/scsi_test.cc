// SPDX-License-Identifier: Apache-2.0
// scsi.h: the readers of CDBs and of sense data. Each CDB and each sense ends at a guard page.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/follower.h"
#include "tests/engine/guarded_bytes.h"

namespace lunscope {
namespace {

TEST(Cdb, LengthFollowsFromTheGroupCode) {
  for (int opcode = 0; opcode < 256; opcode++) {
    const uint32_t expected = opcode < 0x20                      ? 6
                              : opcode < 0x60                    ? 10
                              : opcode >= 0xa0 && opcode <= 0xbf ? 12
                                                                 : 16;
    EXPECT_EQ(scsi_cdb_bytes(static_cast<uint8_t>(opcode)), expected) << std::hex << opcode;
  }
}

// SBC-4 section 5: one row for each place of an LBA or a block count, and for its least and
// greatest values.
TEST(Cdb, LbaAndBlocks) {
  const struct {
    const char* name;
    const char* cdb;
    uint64_t lba;
    uint32_t blocks;
  } kRows[] = {
      {"READ(6)", "08 012345 08 00", 0x012345, 8},
      {"READ(6) of 0 means 256", "08 000000 00 00", 0, 256},
      {"READ(6) has 21 bits of LBA", "08 ffffff ff 00", 0x1fffff, 255},
      {"WRITE(6) of 0 means 256", "0a 1fffff 00 00", 0x1fffff, 256},
      {"READ(10)", "28 00 00000800 00 0008 00", 0x800, 8},
      {"READ(10) of 0 means 0", "28 00 00000000 00 0000 00", 0, 0},
      {"READ(10) at the end", "28 ff ffffffff ff ffff ff", 0xffffffff, 0xffff},
      {"WRITE(10)", "2a 00 00000001 00 0100 00", 1, 256},
      {"WRITE AND VERIFY(10)", "2e 00 00000001 00 0001 00", 1, 1},
      {"VERIFY(10)", "2f 00 00000002 00 0003 00", 2, 3},
      {"PRE-FETCH(10)", "34 00 00000005 00 0004 00", 5, 4},
      {"SYNCHRONIZE CACHE(10)", "35 00 00000000 00 0000 00", 0, 0},
      {"WRITE SAME(10)", "41 00 00000007 00 0009 00", 7, 9},
      {"READ(12)", "a8 00 00000010 00000020 00 00", 16, 32},
      {"READ(12) at the end", "a8 ff ffffffff ffffffff ff ff", 0xffffffff, 0xffffffff},
      {"WRITE(12)", "aa 00 00000010 00000020 00 00", 16, 32},
      {"WRITE AND VERIFY(12)", "ae 00 00000010 00000020 00 00", 16, 32},
      {"VERIFY(12)", "af 00 00000010 00000020 00 00", 16, 32},
      {"READ(16)", "88 00 0000000100000000 00000008 00 00", 0x100000000, 8},
      {"READ(16) at the end", "88 ff ffffffffffffffff ffffffff ff ff", ~0ull, 0xffffffff},
      {"COMPARE AND WRITE", "89 00 0000000000000003 000000 01 00 00", 3, 1},
      {"COMPARE AND WRITE at the end", "89 ff ffffffffffffffff ffffff ff ff ff", ~0ull, 255},
      {"WRITE(16)", "8a 00 0000000000000003 00000001 00 00", 3, 1},
      {"ORWRITE(16)", "8b 00 0000000000000003 00000001 00 00", 3, 1},
      {"WRITE AND VERIFY(16)", "8e 00 0000000000000003 00000001 00 00", 3, 1},
      {"VERIFY(16)", "8f 00 0000000000000003 00000001 00 00", 3, 1},
      {"PRE-FETCH(16)", "90 00 0000000000000003 00000001 00 00", 3, 1},
      {"SYNCHRONIZE CACHE(16)", "91 00 0000000000000003 00000001 00 00", 3, 1},
      {"WRITE SAME(16)", "93 00 0000000000000003 00010000 00 00", 3, 65536},
  };
  for (const auto& row : kRows) {
    const Bytes bytes = FromHex(row.cdb);
    const GuardedBytes cdb(bytes);
    ASSERT_EQ(bytes.size(), scsi_cdb_bytes(bytes[0])) << row.name;
    ASSERT_TRUE(scsi_has_lba(cdb.data())) << row.name;
    EXPECT_EQ(scsi_lba(cdb.data()), row.lba) << row.name;
    EXPECT_EQ(scsi_blocks(cdb.data()), row.blocks) << row.name;
  }
}

TEST(Cdb, NoLbaWhereNoneIs) {
  for (const uint8_t opcode : {0x00, 0x03, 0x12, 0x1a, 0x25, 0x42, 0x4d, 0x5a, 0x5e, 0x5f, 0x7f,
                               0x83, 0x9e, 0xa0, 0xa3, 0xc0})
    EXPECT_FALSE(scsi_has_lba(&opcode)) << std::hex << int{opcode};
}

TEST(Cdb, Operation) {
  const struct {
    scsi_operation operation;
    const char* opcodes;
  } kRows[] = {
      {SCSI_OPERATION_READ, "08 28 88 a8"},
      {SCSI_OPERATION_WRITE, "0a 2a 2e 41 89 8a 8b 8e 93 aa ae"},
      {SCSI_OPERATION_FLUSH, "35 91"},
      {SCSI_OPERATION_DISCARD, "42"},
      {SCSI_OPERATION_CONTROL, "00 03 12 15 16 17 1a 1b 1e 25 4d 55 56 57 5a 5e 5f 9e a0 a3 a4"},
  };
  scsi_operation expected[256];
  std::fill(std::begin(expected), std::end(expected), SCSI_OPERATION_OTHER);
  for (const auto& row : kRows)
    for (const uint8_t opcode : FromHex(row.opcodes)) expected[opcode] = row.operation;
  for (int opcode = 0; opcode < 256; opcode++) {
    const GuardedBytes cdb({static_cast<uint8_t>(opcode)});
    for (const int device_type : {-1, 0x00, 0x08})
      EXPECT_EQ(scsi_operation_of(cdb.data(), device_type), expected[opcode])
          << std::hex << opcode << ", device type " << device_type;
  }
}

TEST(Cdb, OperationByDeviceType) {
  const struct {
    uint8_t opcode;
    int device_type;
    scsi_operation operation;
  } kRows[] = {
      {0x08, SCSI_TYPE_TAPE, SCSI_OPERATION_READ},
      {0x0a, SCSI_TYPE_TAPE, SCSI_OPERATION_WRITE},
      {0x0f, SCSI_TYPE_TAPE, SCSI_OPERATION_READ},
      {0x10, SCSI_TYPE_TAPE, SCSI_OPERATION_WRITE},
      {0x14, SCSI_TYPE_TAPE, SCSI_OPERATION_READ},
      {0x80, SCSI_TYPE_TAPE, SCSI_OPERATION_WRITE},
      {0x81, SCSI_TYPE_TAPE, SCSI_OPERATION_READ},
      {0x91, SCSI_TYPE_TAPE, SCSI_OPERATION_OTHER},
      {0x93, SCSI_TYPE_TAPE, SCSI_OPERATION_OTHER},
      {0x42, SCSI_TYPE_MULTIMEDIA, SCSI_OPERATION_OTHER},
      {0x28, SCSI_TYPE_MULTIMEDIA, SCSI_OPERATION_READ},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(scsi_operation_of(&row.opcode, row.device_type), row.operation)
        << std::hex << int{row.opcode} << ", device type " << row.device_type;
}

TEST(Cdb, WhatExplainsALun) {
  const struct {
    const char* name;
    const char* cdb;
    uint32_t bytes;
  } kRows[] = {
      {"INQUIRY", "12 00 00 00 ff 00", LUNSCOPE_CHUNK_BYTES},
      {"INQUIRY, a VPD page", "12 01 83 00 ff 00", LUNSCOPE_CHUNK_BYTES},
      {"READ CAPACITY(10)", "25 00 00000000 00 0000 00", LUNSCOPE_CHUNK_BYTES},
      {"READ CAPACITY(16)", "9e 10 0000000000000000 00000020 00 00", LUNSCOPE_CHUNK_BYTES},
      {"GET LBA STATUS", "9e 12 0000000000000000 00000020 00 00", 0},
      {"READ(10)", "28 00 00000000 00 0001 00", 0},
      {"REPORT LUNS", "a0 00 00 000000 00000010 00 00", 0},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(lunscope_explaining_bytes(GuardedBytes(FromHex(row.cdb)).data()), row.bytes)
        << row.name;
}

// SPC-5 section 4.4.
TEST(Sense, BothFormatsAndEveryTruncation) {
  const struct {
    const char* name;
    const char* sense;
    scsi_sense read;  // valid, key, asc, ascq, deferred
  } kRows[] = {
      {"fixed", "70 00 05 00000000 0a 00000000 20 00 00 000000", {1, 5, 0x20, 0}},
      {"fixed, VALID and information",
       "f0 00 03 00001234 0a 00000000 11 0b 00 000000",
       {1, 3, 0x11, 0x0b}},
      {"fixed, filemark EOM ILI",
       "70 00 e2 00000000 0a 00000000 04 01 00 000000",
       {1, 2, 0x04, 0x01}},
      {"fixed, deferred", "71 00 04 00000000 0a 00000000 44 00 00 000000", {1, 4, 0x44, 0, 1}},
      {"fixed, no ASCQ", "70 00 05 00000000 0a 00000000 20", {1, 5, 0x20, 0}},
      {"fixed, no ASC", "70 00 06 00000000 0a 00000000", {1, 6, 0, 0}},
      {"fixed, only the key", "70 00 06", {1, 6, 0, 0}},
      {"descriptor", "72 06 29 01 00000000", {1, 6, 0x29, 1}},
      {"descriptor, deferred", "73 0b 47 05 00000000", {1, 0x0b, 0x47, 5, 1}},
      {"descriptor, no ASCQ", "72 06 29", {1, 6, 0x29, 0}},
      {"descriptor, two bytes", "72 05", {1, 5, 0, 0}},
      {"descriptor, deferred, two bytes", "73 04", {1, 4, 0, 0, 1}},
      {"descriptor, one byte", "72", {0, 0, 0, 0}},
      {"fixed, two bytes", "70 00", {0, 0, 0, 0}},
      {"fixed, ADDITIONAL SENSE LENGTH 0",
       "70 00 05 00000000 00 00000000 20 01 00 000000",
       {1, 5, 0, 0}},
      {"fixed, the length ends before the ASC",
       "70 00 05 00000000 04 00000000 20 01 00 000000",
       {1, 5, 0, 0}},
      {"fixed, the length ends behind the ASC",
       "70 00 05 00000000 05 00000000 20 01 00 000000",
       {1, 5, 0x20, 0}},
      {"fixed, the length ends behind the ASCQ",
       "70 00 05 00000000 06 00000000 20 01 00 000000",
       {1, 5, 0x20, 1}},
      {"fixed, the length is longer than the data",
       "70 00 05 00000000 ff 00000000 20",
       {1, 5, 0x20, 0}},
      {"descriptor, descriptors follow",
       "72 03 11 0b 00000008 0000000000000000",
       {1, 3, 0x11, 0x0b}},
      {"nothing", "", {0, 0, 0, 0}},
      {"response code 0", "00 00 05 00000000 0a 00000000 20 00 00 000000", {0, 0, 0, 0}},
      {"response code 7fh", "7f 00 05 00000000 0a 00000000 20 00 00 000000", {0, 0, 0, 0}},
  };
  for (const auto& row : kRows) {
    const Bytes sense = FromHex(row.sense);
    const scsi_sense read =
        scsi_read_sense(GuardedBytes(sense).data(), static_cast<uint32_t>(sense.size()));
    EXPECT_EQ(read.valid, row.read.valid) << row.name;
    EXPECT_EQ(read.key, row.read.key) << row.name;
    EXPECT_EQ(read.asc, row.read.asc) << row.name;
    EXPECT_EQ(read.ascq, row.read.ascq) << row.name;
    EXPECT_EQ(read.deferred, row.read.deferred) << row.name;
    for (size_t bytes = 0; bytes < sense.size(); bytes++)
      scsi_read_sense(GuardedBytes(Slice(sense, 0, bytes)).data(), static_cast<uint32_t>(bytes));
  }
}

}  // namespace
}  // namespace lunscope
