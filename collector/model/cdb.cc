// SPDX-License-Identifier: Apache-2.0
#include "collector/model/cdb.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

namespace lunscope {
namespace {

// ---- device types ----

// Kinds of peripheral device types (SPC-5 table 145) that read a CDB in the same way.
enum Kind : uint8_t {
  kBlock = 1,    // disk, write-once, optical memory, reduced and zoned disk
  kTape = 2,     // sequential access
  kChanger = 4,  // media changer
  kMulti = 8,    // CD, DVD, BD
  kOther = 16,   // every other type
};
constexpr uint8_t kAll = kBlock | kTape | kChanger | kMulti | kOther;
constexpr uint8_t kDisks = kBlock | kMulti;

Kind KindOf(int device_type) {
  switch (device_type) {
    case -1:    // not known: as a disk
    case 0x1f:  // no type, the same
    case 0x00:
    case 0x04:
    case 0x07:
    case 0x0e:
    case 0x14: return kBlock;
    case SCSI_TYPE_TAPE: return kTape;
    case SCSI_TYPE_MULTIMEDIA: return kMulti;
    case 0x08: return kChanger;
    default: return kOther;
  }
}

bool IsUnknown(int device_type) { return device_type == -1 || device_type == 0x1f; }

// ---- the table ----

// A big-endian number in a CDB; bytes: 0 if the command has none.
struct Field {
  uint8_t at = 0;
  uint8_t bytes = 0;
};
constexpr Field kNone;

// Bits of Row::special.
constexpr uint8_t kFixedBlocks =
    1;                            // blocks only where the bit FIXED is set, else bytes (SSC-5 5.6)
constexpr uint8_t kUnmaps1 = 2;   // the bit UNMAP in byte 1 makes it a discard (SBC-4 5.50)
constexpr uint8_t kUnmaps10 = 4;  // the same in byte 10
constexpr uint8_t kMayBeOfTape = 8;  // of an unknown device: as likely a command without an LBA
constexpr uint8_t kFua1 = 16;        // the bit FUA is in byte 1 (SBC-4 5.15)
constexpr uint8_t kFua10 = 32;       // the same in byte 10

constexpr uint16_t kAny = 0xffff;  // of actions: the command has none, or they do not differ

// In the order in which a person reads a row.
struct Row {  // NOLINT(clang-analyzer-optin.performance.Padding)
  uint8_t opcode;
  uint16_t action;
  uint8_t kinds;
  scsi_operation operation;
  Field lba = kNone;
  Field blocks = kNone;
  uint8_t special = 0;
};

constexpr scsi_operation kRead = SCSI_OPERATION_READ;
constexpr scsi_operation kWrite = SCSI_OPERATION_WRITE;
constexpr scsi_operation kFlush = SCSI_OPERATION_FLUSH;
constexpr scsi_operation kDiscard = SCSI_OPERATION_DISCARD;
constexpr scsi_operation kControl = SCSI_OPERATION_CONTROL;
constexpr scsi_operation kElse = SCSI_OPERATION_OTHER;

// Where block commands of each length have LBA and blocks.
constexpr Field kLba6{1, 3}, kBlocks6{4, 1};
constexpr Field kLba10{2, 4}, kBlocks10{7, 2};
constexpr Field kBlocks12{6, 4};
constexpr Field kLba16{2, 8}, kBlocks16{10, 4}, kShortBlocks16{12, 2};
constexpr Field kLba32{12, 8}, kBlocks32{28, 4};

// Sorted by operation code. For one code the first row that fits counts. A code without a row is
// "other" and has no LBA. Sources: SBC-4 clause 5, SPC-6 clause 6, ZBC-2 clause 5, SSC-5 clauses 5
// to 7, SMC-3 clause 6, MMC-6 clause 6.
// clang-format off
constexpr Row kRows[] = {
    {0x00, kAny, kAll, kControl},                                     // TEST UNIT READY
    {0x03, kAny, kAll, kControl},                                     // REQUEST SENSE
    {0x05, kAny, kTape, kControl},                                    // READ BLOCK LIMITS
    {0x08, kAny, kTape, kRead, kNone, {2, 3}, kFixedBlocks},          // READ(6)
    {0x08, kAny, kAll, kRead, kLba6, kBlocks6, kMayBeOfTape},         // READ(6)
    {0x0a, kAny, kTape, kWrite, kNone, {2, 3}, kFixedBlocks},         // WRITE(6)
    {0x0a, kAny, kAll, kWrite, kLba6, kBlocks6, kMayBeOfTape},        // WRITE(6)
    {0x0b, kAny, kDisks, kElse, kLba6, kNone, kMayBeOfTape},          // SEEK(6)
    {0x0f, kAny, kTape, kRead, kNone, {2, 3}, kFixedBlocks},          // READ REVERSE(6)
    {0x10, kAny, kTape, kWrite},                                      // WRITE FILEMARKS(6)
    {0x12, kAny, kAll, kControl},                                     // INQUIRY
    {0x14, kAny, kTape, kRead, kNone, {2, 3}, kFixedBlocks},          // RECOVER BUFFERED DATA
    {0x15, kAny, kAll, kControl},                                     // MODE SELECT(6)
    {0x16, kAny, kAll, kControl},                                     // RESERVE(6), RESERVE ELEMENT(6)
    {0x17, kAny, kAll, kControl},                                     // RELEASE(6), RELEASE ELEMENT(6)
    {0x1a, kAny, kAll, kControl},                                     // MODE SENSE(6)
    {0x1b, kAny, kChanger, kElse},                                    // OPEN/CLOSE IMPORT/EXPORT ELEMENT
    {0x1b, kAny, kAll, kControl},                                     // START STOP UNIT, LOAD UNLOAD
    {0x1c, kAny, kAll, kControl},                                     // RECEIVE DIAGNOSTIC RESULTS
    {0x1d, kAny, kAll, kControl},                                     // SEND DIAGNOSTIC
    {0x1e, kAny, kAll, kControl},                                     // PREVENT ALLOW MEDIUM REMOVAL
    {0x23, kAny, kMulti, kControl},                                   // READ FORMAT CAPACITIES
    {0x25, kAny, kAll, kControl},                                     // READ CAPACITY(10)
    {0x28, kAny, kDisks, kRead, kLba10, kBlocks10, kFua1},            // READ(10)
    {0x28, kAny, kAll, kRead},                                        // READ(10), GET MESSAGE(10)
    {0x2a, kAny, kDisks, kWrite, kLba10, kBlocks10, kFua1},           // WRITE(10)
    {0x2a, kAny, kAll, kWrite},                                       // WRITE(10), SEND MESSAGE(10)
    {0x2b, kAny, kDisks, kElse, kLba10, kNone, kMayBeOfTape},         // SEEK(10)
    {0x2c, kAny, kDisks, kElse, kLba10, kBlocks10},                   // ERASE(10)
    {0x2e, kAny, kAll, kWrite, kLba10, kBlocks10},                    // WRITE AND VERIFY(10)
    {0x2f, kAny, kAll, kElse, kLba10, kBlocks10},                     // VERIFY(10)
    {0x33, kAny, kBlock, kControl, kLba10, kBlocks10},                // SET LIMITS(10)
    {0x34, kAny, kTape, kControl},                                    // READ POSITION
    {0x34, kAny, kDisks, kElse, kLba10, kBlocks10, kMayBeOfTape},     // PRE-FETCH(10)
    {0x35, kAny, kAll, kFlush, kLba10, kBlocks10},                    // SYNCHRONIZE CACHE(10)
    {0x36, kAny, kBlock, kElse, kLba10, kBlocks10},                   // LOCK UNLOCK CACHE(10)
    {0x37, kAny, kBlock, kControl},                                   // READ DEFECT DATA(10)
    {0x3b, kAny, kAll, kControl},                                     // WRITE BUFFER
    {0x3c, kAny, kAll, kControl},                                     // READ BUFFER(10)
    {0x3e, kAny, kBlock, kRead, kLba10},                              // READ LONG(10): length in bytes
    {0x3f, kAny, kBlock, kWrite, kLba10},                             // WRITE LONG(10): length in bytes
    {0x40, kAny, kAll, kControl},                                     // CHANGE DEFINITION
    {0x41, kAny, kAll, kWrite, kLba10, kBlocks10, kUnmaps1},          // WRITE SAME(10)
    {0x42, kAny, kMulti, kControl},                                   // READ SUB-CHANNEL
    {0x42, kAny, kAll, kDiscard},                                     // UNMAP
    {0x43, kAny, kMulti, kControl},                                   // READ TOC/PMA/ATIP
    {0x44, kAny, kTape | kChanger | kMulti, kControl},                // REPORT DENSITY SUPPORT, ...
    {0x46, kAny, kMulti, kControl},                                   // GET CONFIGURATION
    {0x4a, kAny, kMulti, kControl},                                   // GET EVENT STATUS NOTIFICATION
    {0x4c, kAny, kAll, kControl},                                     // LOG SELECT
    {0x4d, kAny, kAll, kControl},                                     // LOG SENSE
    {0x50, kAny, kBlock, kWrite, kLba10, kBlocks10},                  // XDWRITE(10)
    {0x51, kAny, kMulti, kControl},                                   // READ DISC INFORMATION
    {0x51, kAny, kBlock, kWrite, kLba10, kBlocks10, kMayBeOfTape},    // XPWRITE(10)
    {0x52, kAny, kMulti, kControl},                                   // READ TRACK INFORMATION
    {0x52, kAny, kBlock, kRead, kLba10, kBlocks10, kMayBeOfTape},     // XDREAD(10)
    {0x53, kAny, kBlock, kWrite, kLba10, kBlocks10, kMayBeOfTape},    // XDWRITEREAD(10)
    {0x55, kAny, kAll, kControl},                                     // MODE SELECT(10)
    {0x56, kAny, kAll, kControl},                                     // RESERVE(10), RESERVE ELEMENT(10)
    {0x57, kAny, kAll, kControl},                                     // RELEASE(10), RELEASE ELEMENT(10)
    {0x5a, kAny, kAll, kControl},                                     // MODE SENSE(10)
    {0x5c, kAny, kMulti, kControl},                                   // READ BUFFER CAPACITY
    {0x5e, kAny, kAll, kControl},                                     // PERSISTENT RESERVE IN
    {0x5f, kAny, kAll, kControl},                                     // PERSISTENT RESERVE OUT
    {0x7f, 0x0003, kBlock, kRead, kLba32, kBlocks32},                 // XDREAD(32)
    {0x7f, 0x0004, kBlock, kWrite, kLba32, kBlocks32},                // XDWRITE(32)
    {0x7f, 0x0006, kBlock, kWrite, kLba32, kBlocks32},                // XPWRITE(32)
    {0x7f, 0x0007, kBlock, kWrite, kLba32, kBlocks32},                // XDWRITEREAD(32)
    {0x7f, 0x0009, kBlock, kRead, kLba32, kBlocks32, kFua10},         // READ(32)
    {0x7f, 0x000a, kBlock, kElse, kLba32, kBlocks32},                 // VERIFY(32)
    {0x7f, 0x000b, kBlock, kWrite, kLba32, kBlocks32, kFua10},        // WRITE(32)
    {0x7f, 0x000c, kBlock, kWrite, kLba32, kBlocks32},                // WRITE AND VERIFY(32)
    {0x7f, 0x000d, kBlock, kWrite, kLba32, kBlocks32, kUnmaps10},     // WRITE SAME(32)
    {0x7f, 0x000e, kBlock, kWrite, kLba32, kBlocks32, kFua10},        // ORWRITE(32)
    {0x7f, 0x000f, kBlock, kWrite, kLba32, kBlocks32, kFua10},        // WRITE ATOMIC(32)
    {0x7f, 0x0010, kBlock, kWrite, kLba32, kBlocks32, kFua10},        // WRITE STREAM(32)
    {0x7f, 0x0011, kBlock, kWrite, kNone, kBlocks32},                 // WRITE SCATTERED(32)
    {0x7f, 0x0012, kBlock, kControl, kLba32},                         // GET LBA STATUS(32)
    {0x7f, 0x1800, kAll, kControl},                                   // SECURITY PROTOCOL IN(32)
    {0x7f, 0x1801, kAll, kControl},                                   // SECURITY PROTOCOL OUT(32)
    {0x80, kAny, kTape, kWrite},                                      // WRITE FILEMARKS(16)
    {0x80, kAny, kBlock, kWrite, kLba16, kBlocks16, kMayBeOfTape},    // XDWRITE EXTENDED(16)
    {0x81, kAny, kTape, kRead, kNone, {12, 3}, kFixedBlocks},         // READ REVERSE(16)
    {0x82, kAny, kTape, kControl},                                    // ALLOW OVERWRITE
    {0x84, kAny, kAll, kControl},                                     // THIRD-PARTY COPY IN
    {0x86, kAny, kAll, kControl},                                     // ACCESS CONTROL IN
    {0x87, kAny, kAll, kControl},                                     // ACCESS CONTROL OUT
    {0x88, kAny, kTape, kRead, kNone, {12, 3}, kFixedBlocks},         // READ(16)
    {0x88, kAny, kAll, kRead, kLba16, kBlocks16, kFua1},              // READ(16)
    {0x89, kAny, kAll, kWrite, kLba16, {13, 1}, kFua1},               // COMPARE AND WRITE
    {0x8a, kAny, kTape, kWrite, kNone, {12, 3}, kFixedBlocks},        // WRITE(16)
    {0x8a, kAny, kAll, kWrite, kLba16, kBlocks16, kFua1},             // WRITE(16)
    {0x8b, kAny, kAll, kWrite, kLba16, kBlocks16, kFua1},             // ORWRITE(16)
    {0x8c, kAny, kAll, kControl},                                     // READ ATTRIBUTE
    {0x8d, kAny, kAll, kControl},                                     // WRITE ATTRIBUTE
    {0x8e, kAny, kAll, kWrite, kLba16, kBlocks16},                    // WRITE AND VERIFY(16)
    {0x8f, kAny, kTape, kElse},                                       // VERIFY(16)
    {0x8f, kAny, kAll, kElse, kLba16, kBlocks16},                     // VERIFY(16)
    {0x90, kAny, kAll, kElse, kLba16, kBlocks16},                     // PRE-FETCH(16)
    {0x91, kAny, kTape, kElse},                                       // SPACE(16)
    {0x91, kAny, kAll, kFlush, kLba16, kBlocks16, kMayBeOfTape},      // SYNCHRONIZE CACHE(16)
    {0x92, kAny, kBlock, kElse, kLba16, kBlocks16, kMayBeOfTape},     // LOCK UNLOCK CACHE(16)
    {0x93, kAny, kTape, kElse},                                       // ERASE(16)
    {0x93, kAny, kBlock, kWrite, kLba16, kBlocks16, kUnmaps1 | kMayBeOfTape},  // WRITE SAME(16)
    {0x94, 0x04, kBlock, kDiscard, kLba16},                           // RESET WRITE POINTER
    {0x94, kAny, kBlock, kControl, kLba16},                           // ZONE MANAGEMENT OUT
    {0x95, kAny, kBlock, kControl, kLba16},                           // ZONE MANAGEMENT IN
    {0x9a, kAny, kBlock, kWrite, kLba16, kShortBlocks16, kFua1},      // WRITE STREAM(16)
    {0x9b, kAny, kAll, kControl},                                     // READ BUFFER(16)
    {0x9c, kAny, kBlock, kWrite, kLba16, kShortBlocks16, kFua1},      // WRITE ATOMIC(16)
    {0x9e, 0x11, kBlock, kRead, kLba16},                              // READ LONG(16): length in bytes
    {0x9e, 0x12, kBlock, kControl, kLba16},                           // GET LBA STATUS(16)
    {0x9e, 0x13, kBlock, kControl, kLba16},                           // REPORT REFERRALS
    {0x9e, kAny, kAll, kControl},                                     // SERVICE ACTION IN(16)
    {0x9f, 0x11, kBlock, kWrite, kLba16},                             // WRITE LONG(16): length in bytes
    {0x9f, 0x12, kBlock, kWrite, kNone, kBlocks16},                   // WRITE SCATTERED(16)
    {0x9f, kAny, kAll, kControl},                                     // SERVICE ACTION OUT(16)
    {0xa0, kAny, kAll, kControl},                                     // REPORT LUNS
    {0xa2, kAny, kAll, kControl},                                     // SECURITY PROTOCOL IN
    {0xa3, kAny, kAll, kControl},                                     // MAINTENANCE IN, SEND KEY
    {0xa4, kAny, kAll, kControl},                                     // MAINTENANCE OUT, REPORT KEY
    {0xa8, kAny, kDisks, kRead, kLba10, kBlocks12, kFua1},            // READ(12)
    {0xa8, kAny, kAll, kRead},                                        // READ(12), GET MESSAGE(12)
    {0xa9, kAny, kAll, kControl},                                     // SERVICE ACTION OUT(12)
    {0xaa, kAny, kDisks, kWrite, kLba10, kBlocks12, kFua1},           // WRITE(12)
    {0xaa, kAny, kAll, kWrite},                                       // WRITE(12), SEND MESSAGE(12)
    {0xab, kAny, kAll, kControl},                                     // SERVICE ACTION IN(12)
    {0xac, kAny, kMulti, kControl},                                   // GET PERFORMANCE
    {0xac, kAny, kBlock, kElse, kLba10, kBlocks12, kMayBeOfTape},     // ERASE(12)
    {0xad, kAny, kMulti, kControl},                                   // READ DISC STRUCTURE
    {0xae, kAny, kAll, kWrite, kLba10, kBlocks12},                    // WRITE AND VERIFY(12)
    {0xaf, kAny, kAll, kElse, kLba10, kBlocks12},                     // VERIFY(12)
    {0xb3, kAny, kBlock, kControl, kLba10, kBlocks12},                // SET LIMITS(12)
    {0xb4, kAny, kAll, kControl},                                     // READ ELEMENT STATUS ATTACHED
    {0xb5, kAny, kAll, kControl},                                     // SECURITY PROTOCOL OUT, ...
    {0xb6, kAny, kChanger, kControl},                                 // SEND VOLUME TAG
    {0xb7, kAny, kBlock, kControl},                                   // READ DEFECT DATA(12)
    {0xb8, kAny, kChanger, kControl},                                 // READ ELEMENT STATUS
    {0xb9, kAny, kMulti, kRead},                                      // READ CD MSF: no LBA
    {0xbd, kAny, kMulti, kControl},                                   // MECHANISM STATUS
    {0xbe, kAny, kMulti, kRead, kLba10, {6, 3}},                      // READ CD
};
// clang-format on

static_assert(std::ranges::is_sorted(kRows, {}, &Row::opcode));

// For each operation code its first row; the first row of the next code ends it.
constexpr std::array<uint8_t, 257> FirstRows() {
  std::array<uint8_t, 257> first{};
  for (size_t opcode = 0; opcode < first.size(); opcode++) {
    size_t row = 0;
    while (row < std::size(kRows) && kRows[row].opcode < opcode) row++;
    first[opcode] = static_cast<uint8_t>(row);
  }
  return first;
}
constexpr auto kFirstRow = FirstRows();
static_assert(std::size(kRows) < 256);

constexpr Row kNoRow{0, kAny, kAll, kElse};

uint16_t ActionOf(std::span<const uint8_t> cdb) {
  return cdb[0] == SCSI_VARIABLE_LENGTH ? lunscope_be16(&cdb[8]) : scsi_service_action(cdb.data());
}

const Row& RowOf(std::span<const uint8_t> cdb, int device_type) {
  const Kind kind = KindOf(device_type);
  for (size_t i = kFirstRow[cdb[0]]; i < kFirstRow[cdb[0] + size_t{1}]; i++) {
    const Row& row = kRows[i];
    if ((row.kinds & kind) == 0) continue;
    if (row.action == kAny || row.action == ActionOf(cdb)) return row;
  }
  return kNoRow;
}

bool Unmaps(const Row& row, std::span<const uint8_t> cdb) {
  constexpr uint8_t kUnmapBit = 0x08;
  if ((row.special & kUnmaps1) != 0) return (cdb[1] & kUnmapBit) != 0;
  return (row.special & kUnmaps10) != 0 && (cdb[10] & kUnmapBit) != 0;
}

std::optional<uint64_t> Read(Field field, std::span<const uint8_t> cdb) {
  if (field.bytes == 0 || cdb.size() < size_t{field.at} + field.bytes) return std::nullopt;
  uint64_t number = 0;
  for (const uint8_t byte : cdb.subspan(field.at, field.bytes)) number = number << 8 | byte;
  return number;
}

// If the device is unknown, the command may be one without an LBA.
bool MayLackLba(const Row& row, int device_type) {
  return (row.special & kMayBeOfTape) != 0 && IsUnknown(device_type);
}

}  // namespace

scsi_operation OperationOf(std::span<const uint8_t> cdb, int device_type) {
  const Row& row = RowOf(cdb, device_type);
  return Unmaps(row, cdb) ? kDiscard : row.operation;
}

std::optional<uint64_t> LbaOf(std::span<const uint8_t> cdb, int device_type) {
  const Row& row = RowOf(cdb, device_type);
  if (MayLackLba(row, device_type)) return std::nullopt;
  std::optional<uint64_t> lba = Read(row.lba, cdb);
  constexpr uint64_t kLbaOf6Bytes = 0x1fffff;  // the three highest bits are not part of it
  if (lba && row.lba.bytes == kLba6.bytes) *lba &= kLbaOf6Bytes;
  return lba;
}

std::optional<uint64_t> BlocksOf(std::span<const uint8_t> cdb, int device_type) {
  const Row& row = RowOf(cdb, device_type);
  if (MayLackLba(row, device_type)) return std::nullopt;
  if ((row.special & kFixedBlocks) != 0 && (cdb[1] & 1) == 0) return std::nullopt;
  std::optional<uint64_t> blocks = Read(row.blocks, cdb);
  const bool is_of_6_bytes = row.blocks.at == kBlocks6.at && row.blocks.bytes == kBlocks6.bytes;
  if (blocks == 0u && is_of_6_bytes) blocks = 256;
  return blocks;
}

bool AsksForFua(std::span<const uint8_t> cdb, int device_type) {
  constexpr uint8_t kFuaBit = 0x08;
  const Row& row = RowOf(cdb, device_type);
  if ((row.special & kFua1) != 0) return (cdb[1] & kFuaBit) != 0;
  return (row.special & kFua10) != 0 && (cdb[10] & kFuaBit) != 0;
}

size_t CdbBytes(std::span<const uint8_t> cdb) {
  constexpr size_t kAdditionalLength = 7;
  if (cdb[0] == SCSI_VARIABLE_LENGTH) return 8 + size_t{cdb[kAdditionalLength]};
  return scsi_cdb_bytes(cdb[0]);
}

}  // namespace lunscope
