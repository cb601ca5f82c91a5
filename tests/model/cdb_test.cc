// SPDX-License-Identifier: Apache-2.0
//
// The facts of CDBs, by the tables of the standards. LBA and blocks have a row for each place
// where they stand, and for their least and greatest values.
#include "collector/model/cdb.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/vectors/bytes.h"

namespace lunscope {
namespace {

constexpr int kUnknownType = -1;
constexpr int kDiskType = 0x00;
constexpr int kTapeType = 0x01;
constexpr int kMultimediaType = 0x05;
constexpr int kChangerType = 0x08;
constexpr int kZonedType = 0x14;
constexpr int kEnclosureType = 0x0d;

constexpr uint64_t kNoPlace = ~uint64_t{0} - 1;  // no LBA, no blocks

struct PlaceRow {
  const char* name;
  int device_type;
  const char* cdb;
  uint64_t lba = kNoPlace;
  uint64_t blocks = kNoPlace;
};

const PlaceRow kPlaces[] = {
    {"READ(6)", kDiskType, "08 012345 08 00", 0x012345, 8},
    {"READ(6) of 0 means 256", kDiskType, "08 000000 00 00", 0, 256},
    {"READ(6) has 21 bits of LBA", kDiskType, "08 ffffff ff 00", 0x1fffff, 255},
    {"WRITE(6) of 0 means 256", kDiskType, "0a 1fffff 00 00", 0x1fffff, 256},
    {"SEEK(6)", kDiskType, "0b 000100 00 00", 0x100},
    {"READ(10)", kDiskType, "28 00 00000800 00 0008 00", 0x800, 8},
    {"READ(10) of 0 means 0", kDiskType, "28 00 00000000 00 0000 00", 0, 0},
    {"READ(10) at the end", kDiskType, "28 ff ffffffff ff ffff ff", 0xffffffff, 0xffff},
    {"WRITE(10)", kDiskType, "2a 00 00000001 00 0100 00", 1, 256},
    {"SEEK(10)", kDiskType, "2b 00 00000001 00 0000 00", 1},
    {"WRITE AND VERIFY(10)", kDiskType, "2e 00 00000001 00 0001 00", 1, 1},
    {"VERIFY(10)", kDiskType, "2f 00 00000002 00 0003 00", 2, 3},
    {"PRE-FETCH(10)", kDiskType, "34 00 00000005 00 0004 00", 5, 4},
    {"SYNCHRONIZE CACHE(10)", kDiskType, "35 00 00000000 00 0000 00", 0, 0},
    {"READ LONG(10): its length is in bytes", kDiskType, "3e 00 00000009 00 0200 00", 9},
    {"WRITE LONG(10)", kDiskType, "3f 00 00000009 00 0200 00", 9},
    {"WRITE SAME(10)", kDiskType, "41 00 00000007 00 0009 00", 7, 9},
    {"XDWRITEREAD(10)", kDiskType, "53 00 00000007 00 0009 00", 7, 9},
    {"UNMAP has a list", kDiskType, "42 00 00000000 00 0018 00"},
    {"READ(12)", kDiskType, "a8 00 00000010 00000020 00 00", 16, 32},
    {"READ(12) at the end", kDiskType, "a8 ff ffffffff ffffffff ff ff", 0xffffffff, 0xffffffff},
    {"WRITE(12)", kDiskType, "aa 00 00000010 00000020 00 00", 16, 32},
    {"WRITE AND VERIFY(12)", kDiskType, "ae 00 00000010 00000020 00 00", 16, 32},
    {"VERIFY(12)", kDiskType, "af 00 00000010 00000020 00 00", 16, 32},
    {"READ(16)", kDiskType, "88 00 0000000100000000 00000008 00 00", 0x100000000, 8},
    {"READ(16) at the end", kDiskType, "88 ff ffffffffffffffff ffffffff ff ff", ~0ull, 0xffffffff},
    {"COMPARE AND WRITE", kDiskType, "89 00 0000000000000003 000000 01 00 00", 3, 1},
    {"COMPARE AND WRITE at the end", kDiskType, "89 ff ffffffffffffffff ffffff ff ff ff", ~0ull,
     255},
    {"WRITE(16)", kDiskType, "8a 00 0000000000000003 00000001 00 00", 3, 1},
    {"ORWRITE(16)", kDiskType, "8b 00 0000000000000003 00000001 00 00", 3, 1},
    {"WRITE AND VERIFY(16)", kDiskType, "8e 00 0000000000000003 00000001 00 00", 3, 1},
    {"VERIFY(16)", kDiskType, "8f 00 0000000000000003 00000001 00 00", 3, 1},
    {"PRE-FETCH(16)", kDiskType, "90 00 0000000000000003 00000001 00 00", 3, 1},
    {"SYNCHRONIZE CACHE(16)", kDiskType, "91 00 0000000000000003 00000001 00 00", 3, 1},
    {"WRITE SAME(16)", kDiskType, "93 00 0000000000000003 00010000 00 00", 3, 65536},
    {"WRITE STREAM(16)", kDiskType, "9a 00 0000000000000003 0001 0008 00 00", 3, 8},
    {"WRITE ATOMIC(16)", kDiskType, "9c 00 0000000000000003 0001 0008 00 00", 3, 8},
    {"READ LONG(16)", kDiskType, "9e 11 0000000000000003 0000 0200 00 00", 3},
    {"GET LBA STATUS(16)", kDiskType, "9e 12 0000000000000003 00000020 00 00", 3},
    {"REPORT REFERRALS", kDiskType, "9e 13 0000000000000003 00000020 00 00", 3},
    {"READ CAPACITY(16) has no LBA of its own", kDiskType, "9e 10 0000000000000003 00000020 00 00"},
    {"WRITE LONG(16)", kDiskType, "9f 11 0000000000000003 0000 0200 00 00", 3},
    {"WRITE SCATTERED(16) has a list of LBAs", kDiskType,
     "9f 12 0000 0001 0000 0002 00000008 00 00", kNoPlace, 8},
    {"READ(32)", kDiskType,
     "7f 00 0000000000 18 0009 0000 0000000000000003 00000000 00000000 00000008", 3, 8},
    {"WRITE(32)", kDiskType,
     "7f 00 0000000000 18 000b 0000 0000000000000003 00000000 00000000 00000008", 3, 8},
    {"WRITE ATOMIC(32)", kDiskType,
     "7f 00 0000000000 18 000f 0000 0000000000000003 00000000 00000000 00000008", 3, 8},
    {"WRITE SCATTERED(32)", kDiskType,
     "7f 00 0000000000 18 0011 0000 0000000000000003 00000000 00000000 00000008", kNoPlace, 8},
    {"GET LBA STATUS(32)", kDiskType,
     "7f 00 0000000000 18 0012 0000 0000000000000003 00000000 00000000 00000020", 3},
    {"the first 16 bytes of READ(32)", kDiskType, "7f 00 0000000000 18 0009 0000 00000000"},
    {"a variable length CDB of the vendor", kDiskType,
     "7f 00 0000000000 18 f000 0000 0000000000000003 00000000 00000000 00000008"},
    {"RESET WRITE POINTER", kZonedType, "94 04 0000000000080000 0000 0000 00 00", 0x80000},
    {"REPORT ZONES", kZonedType, "95 00 0000000000080000 00001000 00 00", 0x80000},
    {"READ CD", kMultimediaType, "be 00 00000010 000020 10 00 00", 16, 32},
    {"READ(12) of a CD", kMultimediaType, "a8 00 00000010 00000020 00 00", 16, 32},
    // A tape has no LBA. It has blocks where the bit FIXED is set; else the length is in bytes.
    {"READ(6) of a tape", kTapeType, "08 01 000010 00", kNoPlace, 16},
    {"READ(6) of a tape, in bytes", kTapeType, "08 00 000010 00"},
    {"WRITE(6) of a tape", kTapeType, "0a 01 000001 00", kNoPlace, 1},
    {"READ(16) of a tape", kTapeType, "88 01 00 00 0000000000000003 000008 00 00", kNoPlace, 8},
    {"LOCATE(10)", kTapeType, "2b 00 00 00000003 00 00 00"},
    {"READ POSITION", kTapeType, "34 00 00000000 00 0000 00"},
    {"SPACE(16)", kTapeType, "91 00 0000000000000003 00000001 00 00"},
    {"ERASE(16)", kTapeType, "93 00 0000000000000003 00000001 00 00"},
    {"POSITION TO ELEMENT", kChangerType, "2b 00 0001 0002 00 00 00 00"},
    // Without a device type these codes are as likely those of a command without an LBA.
    {"READ(6), or READ(6)", kUnknownType, "08 012345 08 00"},
    {"PRE-FETCH(10), or READ POSITION", kUnknownType, "34 00 00000005 00 0004 00"},
    {"SYNCHRONIZE CACHE(16), or SPACE(16)", kUnknownType, "91 00 0000000000000003 00000001 00 00"},
    {"WRITE SAME(16), or ERASE(16)", kUnknownType, "93 00 0000000000000003 00000001 00 00"},
    {"SEEK(10), or LOCATE(10)", kUnknownType, "2b 00 00000001 00 0000 00"},
    {"READ(10)", kUnknownType, "28 00 00000800 00 0008 00", 0x800, 8},
    {"READ(16)", kUnknownType, "88 00 0000000100000000 00000008 00 00", 0x100000000, 8},
};

TEST(Cdb, LbaAndBlocks) {
  for (const PlaceRow& row : kPlaces) {
    const Bytes cdb = FromHex(row.cdb);
    EXPECT_EQ(LbaOf(cdb, row.device_type).value_or(kNoPlace), row.lba) << row.name;
    EXPECT_EQ(BlocksOf(cdb, row.device_type).value_or(kNoPlace), row.blocks) << row.name;
  }
}

TEST(Cdb, NoLbaWhereNoneIs) {
  for (const uint8_t opcode :
       {0x00, 0x03, 0x12, 0x1a, 0x25, 0x42, 0x4d, 0x5a, 0x5e, 0x5f, 0x83, 0xa0, 0xa3, 0xc0, 0xff}) {
    const Bytes cdb = {opcode, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    EXPECT_FALSE(LbaOf(cdb, kDiskType).has_value()) << std::hex << int{opcode};
    EXPECT_FALSE(BlocksOf(cdb, kDiskType).has_value()) << std::hex << int{opcode};
  }
}

struct WorkRow {
  scsi_operation operation;
  int device_type;
  std::vector<const char*> cdbs;
};

const WorkRow kWork[] = {
    {SCSI_OPERATION_READ,
     kDiskType,
     {"08", "28", "88", "a8", "3e", "52", "9e11", "7f00000000000018 0009",
      "7f00000000000018 0003"}},
    {SCSI_OPERATION_WRITE,
     kDiskType,
     {"0a",
      "2a",
      "2e",
      "3f",
      "41",
      "50",
      "51",
      "53",
      "80",
      "89",
      "8a",
      "8b",
      "8e",
      "93",
      "9a",
      "9c",
      "9f11",
      "9f12",
      "aa",
      "ae",
      "7f00000000000018 000b",
      "7f00000000000018 000c",
      "7f00000000000018 000d",
      "7f00000000000018 000e",
      "7f00000000000018 000f",
      "7f00000000000018 0010",
      "7f00000000000018 0011"}},
    {SCSI_OPERATION_FLUSH, kDiskType, {"35", "91"}},
    {SCSI_OPERATION_DISCARD, kDiskType, {"42", "4108", "9308", "9318", "7f00000000000018 000d 08"}},
    {SCSI_OPERATION_DISCARD, kZonedType, {"9404"}},
    {SCSI_OPERATION_CONTROL,
     kDiskType,
     {"00", "03", "12", "15",   "16",   "17", "1a", "1b", "1c", "1d", "1e", "25", "37", "3b", "3c",
      "40", "4c", "4d", "55",   "56",   "57", "5a", "5e", "5f", "84", "86", "87", "8c", "8d", "94",
      "95", "9b", "9e", "9e10", "9e12", "9f", "a0", "a2", "a3", "a4", "a9", "ab", "b5", "b7"}},
    {SCSI_OPERATION_OTHER,
     kDiskType,
     {"01",
      "04",
      "07",
      "0b",
      "18",
      "2b",
      "2f",
      "34",
      "39",
      "48",
      "83",
      "85",
      "8f",
      "90",
      "a1",
      "af",
      "c0",
      "ff",
      "7f00000000000018 000a",
      "7f00000000000018 f000"}},
    {SCSI_OPERATION_READ, kTapeType, {"08", "0f", "14", "81", "88"}},
    {SCSI_OPERATION_WRITE, kTapeType, {"0a", "10", "80", "8a"}},
    {SCSI_OPERATION_CONTROL, kTapeType, {"05", "1b", "34", "44", "82"}},
    {SCSI_OPERATION_OTHER, kTapeType, {"01", "11", "13", "19", "2b", "91", "92", "93"}},
    {SCSI_OPERATION_CONTROL, kChangerType, {"44", "b5", "b6", "b8"}},
    {SCSI_OPERATION_OTHER, kChangerType, {"07", "1b", "2b", "37", "a5", "a6"}},
    {SCSI_OPERATION_READ, kMultimediaType, {"28", "a8", "b9", "be"}},
    {SCSI_OPERATION_CONTROL,
     kMultimediaType,
     {"42", "43", "46", "4a", "51", "52", "a3", "a4", "ac", "bd"}},
    {SCSI_OPERATION_OTHER, kMultimediaType, {"53", "a1"}},
    {SCSI_OPERATION_CONTROL, kEnclosureType, {"1c", "1d"}},
    // A device of an unknown type counts as a disk.
    {SCSI_OPERATION_READ, kUnknownType, {"08", "28"}},
    {SCSI_OPERATION_WRITE, kUnknownType, {"93", "53"}},
    {SCSI_OPERATION_FLUSH, kUnknownType, {"91"}},
    {SCSI_OPERATION_DISCARD, kUnknownType, {"42", "9308"}},
};

TEST(Cdb, Operation) {
  for (const WorkRow& row : kWork) {
    for (const char* hex : row.cdbs) {
      Bytes cdb = FromHex(hex);
      cdb.resize(16);
      EXPECT_EQ(OperationOf(cdb, row.device_type), row.operation)
          << hex << ", device type " << row.device_type;
    }
  }
}

// The kernel adds commands up by the bytes of the CDB that decide their operation.
TEST(Cdb, OperationOfWhatTheKernelAddsUp) {
  for (int device_type = kUnknownType; device_type < 0x20; device_type++) {
    for (int opcode = 0; opcode < 256; opcode++) {
      if (opcode == SCSI_VARIABLE_LENGTH) continue;  // is not added up
      for (int byte1 = 0; byte1 < 256; byte1++) {
        Bytes cdb(16, 0xff);
        cdb[0] = static_cast<uint8_t>(opcode);
        cdb[1] = static_cast<uint8_t>(byte1);
        Bytes kept(16);
        kept[0] = cdb[0];
        kept[1] = cdb[1] & scsi_deciding_bits(cdb[0]);
        EXPECT_EQ(OperationOf(kept, device_type), OperationOf(cdb, device_type))
            << opcode << " " << byte1;
      }
    }
  }
}

struct FuaRow {
  const char* hex;
  int device_type;
  bool asks;
};

// SBC-4 5.15 and the like. The bits beside FUA say something else.
const FuaRow kFuaRows[] = {
    {"28 08 00000000 00 0001 00", 0, true},
    {"28 f7 00000000 00 0001 00", 0, false},
    {"28 08 00000000 00 0001 00", 5, true},
    {"28 08 00000000 00 0001 00", 1, false},
    {"2a 08 00000000 00 0001 00", kUnknownType, true},
    {"a8 08 00000000 00000001 00 00", 0, true},
    {"88 08 0000000000000000 00000001 00 00", 0, true},
    {"8a 18 0000000000000000 00000001 00 00", 0, true},
    {"8a 08 0000000000000000 00000001 00 00", 1, false},
    {"89 08 0000000000000000 000000 01 00 00", 0, true},
    {"7f 00 0000000000 18 000b 08 00 0000000000000000", 0, true},
    {"7f 08 0000000000 18 000b f7 00 0000000000000000", 0, false},
    {"08 08 0000 01 00", 0, false},
    {"2e 08 00000000 00 0001 00", 0, false},
    {"41 08 00000000 00 0001 00", 0, false},
    {"35 08 00000000 00 0001 00", 0, false},
};

TEST(Cdb, AsksForFua) {
  for (const FuaRow& row : kFuaRows) {
    Bytes cdb = FromHex(row.hex);
    cdb.resize(16);
    EXPECT_EQ(AsksForFua(cdb, row.device_type), row.asks)
        << row.hex << ", device type " << row.device_type;
  }
}

TEST(Cdb, Length) {
  EXPECT_EQ(CdbBytes(FromHex("00 00 000000 00")), 6u);
  EXPECT_EQ(CdbBytes(FromHex("28 00 00000000 00 0000 00")), 10u);
  EXPECT_EQ(CdbBytes(FromHex("7f 00 0000000000 18 0009 00000000 0000")), 32u);
  EXPECT_EQ(CdbBytes(FromHex("7f 00 0000000000 f8 0009 00000000 0000")), 256u);
}

}  // namespace
}  // namespace lunscope
