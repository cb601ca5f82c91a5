// SPDX-License-Identifier: Apache-2.0
// The readers of CDBs, of sense data, of the data that describe a LUN, and of LUNs. The target has
// nothing else, because a cheap target can run often.
//
// Input: 16 bytes of CDB, 8 of LUN, and the data.
#include <lunscope/scsi.h>

#include "collector/model/cdb.h"
#include "collector/model/lun.h"
#include "tests/fuzz/target.h"

namespace lunscope {
namespace {

constexpr size_t kEscapedBytes = 4;  // \xNN

void CheckCdb(const uint8_t* cdb) {
  const uint32_t bytes = scsi_cdb_bytes(cdb[0]);
  Check(bytes == 6 || bytes == 10 || bytes == 12 || bytes == 16, "a CDB has a length");
  Check(lunscope_explaining_bytes(cdb) <= LUNSCOPE_CHUNK_BYTES, "what explains fits a chunk");
  // No read goes beyond the end of a shorter CDB, and no value depends on what lies there.
  const int device_type = cdb[ISCSI_CDB_BYTES - 1] % 0x20;
  const Bytes whole(cdb, cdb + ISCSI_CDB_BYTES);
  Bytes exact(cdb, cdb + bytes);
  exact.resize(ISCSI_CDB_BYTES);
  Check(OperationOf(whole, device_type) < SCSI_OPERATIONS, "an operation has a label");
  Check(LbaOf(exact, device_type) == LbaOf(whole, device_type), "the LBA is in the CDB");
  Check(BlocksOf(exact, device_type) == BlocksOf(whole, device_type), "the blocks are in the CDB");
}

// By the byte numbers of SPC-5 section 4.4, which differ between the formats.
void CheckSense(const Bytes& data) {
  const scsi_sense read = scsi_read_sense(data.data(), static_cast<uint32_t>(data.size()));
  // ADDITIONAL SENSE LENGTH, byte 7, counts the bytes behind it.
  const size_t said = data.size() > 7 ? 8 + size_t{data[7]} : data.size();
  const auto at = [&](size_t i) { return i < std::min(data.size(), said) ? data[i] : uint8_t{0}; };
  const uint8_t code = at(0) & 0x7f;
  const bool is_descriptor = code == 0x72 || code == 0x73;
  const bool is_fixed = code == 0x70 || code == 0x71;
  const bool is_valid = (data.size() >= 3 && is_fixed) || (data.size() >= 2 && is_descriptor);
  Check(read.valid == is_valid, "sense has a known response code and a key");
  Check(read.key == (is_valid ? at(is_fixed ? 2 : 1) & 0x0f : 0), "sense key");
  Check(read.deferred == (is_valid ? code & 1 : 0), "deferred");
  Check(read.asc == (is_valid ? at(is_fixed ? 12 : 2) : 0), "ASC");
  Check(read.ascq == (is_valid ? at(is_fixed ? 13 : 3) : 0), "ASCQ");
}

void CheckIdentity(const uint8_t* cdb, const Bytes& data) {
  LunIdentity identity;
  identity.Learn(cdb, data.data(), data.size());
  Check(identity.device_type >= kUnknownDeviceType && identity.device_type < 32, "device type");
  Check(IsPrintable(identity.vendor) && identity.vendor.size() <= 8 * kEscapedBytes, "vendor");
  Check(IsPrintable(identity.product) && identity.product.size() <= 16 * kEscapedBytes, "product");
  Check(IsPrintable(identity.serial) && identity.serial.size() <= 64 * kEscapedBytes, "serial");
  Check(IsPrintable(identity.wwid) && identity.wwid.size() <= 4 + 64 * kEscapedBytes, "WWID");
  LunIdentity again = identity;
  again.Learn(cdb, data.data(), data.size());
  Check(again.device_type == identity.device_type && again.vendor == identity.vendor &&
            again.product == identity.product && again.block_bytes == identity.block_bytes &&
            again.capacity_bytes == identity.capacity_bytes && again.serial == identity.serial &&
            again.wwid == identity.wwid && again.thin == identity.thin,
        "the same answer says the same");
}

void CheckLun(uint64_t lun) {
  const uint64_t canonical = CanonicalLun(lun);
  Check(CanonicalLun(canonical) == canonical, "the canonical form is its own");
}

void Run(std::span<const uint8_t> bytes) {
  Input input(bytes);
  Bytes cdb = input.Copy(ISCSI_CDB_BYTES);
  cdb.resize(ISCSI_CDB_BYTES);
  const uint64_t lun = input.Number(8);
  const Bytes data = input.Copy(LUNSCOPE_CHUNK_BYTES);
  CheckCdb(cdb.data());
  CheckSense(data);
  CheckIdentity(cdb.data(), data);
  CheckLun(lun);
}

std::vector<Bytes> Seeds() {
  const Bytes inquiry_data =
      Join({FromHex("00000502 1f000000"), ToBytes("ACME    Disk 9000       0001")});
  const struct {
    const char* cdb;
    const char* lun;
    Bytes data;
  } kRows[] = {
      {"12000000 60000000 00000000 00000000", "0000000000000000", inquiry_data},
      {"12018300 ff000000 00000000 00000000", "0001000000000000", FromHex("0083000c 02010008")},
      {"25000000 00000000 00000000 00000000", "4100000000000000", FromHex("000fffff 00000200")},
      {"25000000 00000000 00000000 00000000", "7fff000000000000", FromHex("ffffffff 00000200")},
      {"9e100000 00000000 00000000 00200000", "801f000000000000",
       FromHex("00000000 ffffffff 00001000 00000000")},
      {"08012345 08000000 00000000 00000000", "c101000000000000",
       FromHex("70000500 0000000a 00000000 20000000 0000")},
      {"28000000 08000000 08000000 00000000", "0001000200000000", FromHex("72062901 00000000")},
      {"a8000000 08000000 00080000 00000000", "d200010000000000",
       FromHex("71000400 0000000a 00000000 44000000 0000")},
      {"89000000 00000000 00030000 00010000", "bfff000000000000", FromHex("730b4705 000000f4")},
      {"7f000000 00000018 00092000 00000000", "ffffffffffffffff", ToBytes("\x1b[2J\xff  ")},
  };
  std::vector<Bytes> seeds;
  for (const auto& row : kRows)
    seeds.push_back(Join({FromHex(row.cdb), FromHex(row.lun), row.data}));
  return seeds;
}

}  // namespace

const FuzzTarget kReadersTarget = {"readers", Run, Seeds};

}  // namespace lunscope
