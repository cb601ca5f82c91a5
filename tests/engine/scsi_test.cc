// SPDX-License-Identifier: Apache-2.0
// scsi.h: the readers of CDBs and of sense data. Each CDB and each sense ends at a guard page.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

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

TEST(Cdb, BitsOfByte1ThatDecide) {
  for (int opcode = 0; opcode < 256; opcode++) {
    const bool unmaps = opcode == 0x41 || opcode == 0x93;
    const bool acts = opcode == 0x94 || opcode == 0x9e || opcode == 0x9f;
    EXPECT_EQ(scsi_deciding_bits(static_cast<uint8_t>(opcode)), unmaps ? 0x08
                                                                : acts ? 0x1f
                                                                       : 0)
        << opcode;
  }
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
      {"MODE SENSE(6)", "1a 00 3f 00 ff 00", SCSI_MODE_HEADER_BYTES},
      {"MODE SENSE(10)", "5a 00 3f 00 00 00 00 00 ff 00", SCSI_MODE_HEADER_BYTES},
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

// SAM-5 5.3.1. All other statuses say that the command did not do what it was asked for.
TEST(Status, IsSuccessIfTheStandardSaysSo) {
  std::vector<int> successes;
  for (int status = 0; status < 256; status++) {
    if (scsi_is_success(static_cast<uint8_t>(status))) successes.push_back(status);
  }
  EXPECT_EQ(successes, (std::vector<int>{0x00, 0x04, 0x10, 0x14}));
}

}  // namespace
}  // namespace lunscope
