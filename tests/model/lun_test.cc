// SPDX-License-Identifier: Apache-2.0
// The text of a LUN's 8 bytes, and the facts that the model learns from INQUIRY and READ CAPACITY.
#include "collector/model/lun.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using Bytes = std::vector<uint8_t>;

struct LunRow {
  const char* text;
  uint64_t lun;
};

// SAM-5 4.7.7: method in the two highest bits.
constexpr LunRow kLuns[] = {
    // Peripheral device addressing: 00b, 6 bits of bus, 8 bits of LUN.
    {"0", 0x0000'0000'0000'0000},
    {"1", 0x0001'0000'0000'0000},
    {"255", 0x00ff'0000'0000'0000},
    {"0x0100000000000000", 0x0100'0000'0000'0000},  // bus 1 is another device
    {"0x3f01000000000000", 0x3f01'0000'0000'0000},
    // Flat space addressing: 01b, 14 bits of LUN.
    {"0", 0x4000'0000'0000'0000},
    {"256", 0x4100'0000'0000'0000},
    {"16383", 0x7fff'0000'0000'0000},
    // Logical unit addressing: 10b, 6 bits of target, 3 of bus, 5 of LUN.
    {"0", 0x8000'0000'0000'0000},
    {"31", 0x801f'0000'0000'0000},
    {"0x8020000000000000", 0x8020'0000'0000'0000},  // bus 1
    {"0x8100000000000000", 0x8100'0000'0000'0000},  // target 1
    {"0xbfff000000000000", 0xbfff'0000'0000'0000},
    // Extended addressing: 11b. Well-known logical unit REPORT LUNS, and an extended flat LUN.
    {"0xc101000000000000", 0xc101'0000'0000'0000},
    {"0xd200010000000000", 0xd200'0100'0000'0000},
    // More than one level.
    {"0x0001000200000000", 0x0001'0002'0000'0000},
    {"0x4001000000000001", 0x4001'0000'0000'0001},
    {"0xffffffffffffffff", 0xffff'ffff'ffff'ffff},
};

TEST(FormatLun, IsDecimalWhereTheMethodHasANumber) {
  for (const LunRow& row : kLuns) EXPECT_EQ(FormatLun(row.lun), row.text) << std::hex << row.lun;
}

// Standard INQUIRY data: type, then vendor at 8 and product at 16 (SPC-5 6.6.2).
Bytes InquiryData(uint8_t qualifier_and_type, size_t bytes = 36) {
  std::string text(8, '\0');
  text[0] = static_cast<char>(qualifier_and_type);
  text += "ACME    Disk 9000       0001";
  Bytes data(text.begin(), text.end());
  data.resize(bytes);
  return data;
}

const Bytes kInquiry = {SCSI_INQUIRY, 0, 0, 0, 96, 0};
const Bytes kInquiryPage = {SCSI_INQUIRY, 1, 0x83, 0, 255, 0};
const Bytes kInquirySerial = {SCSI_INQUIRY, 1, 0x80, 0, 255, 0};
const Bytes kModeSense6 = {SCSI_MODE_SENSE_6, 0, 0x3f, 0, 255, 0};
const Bytes kModeSense10 = {SCSI_MODE_SENSE_10, 0, 0x3f, 0, 0, 0, 0, 0, 255, 0};
const Bytes kInquiryCommandData = {SCSI_INQUIRY, 2, 0x12, 0, 255, 0};
const Bytes kReadCapacity10Partial = {SCSI_READ_CAPACITY_10, 0, 0, 0, 0, 0, 0, 0, 1, 0};
const Bytes kReadCapacity16Partial = {
    SCSI_SERVICE_ACTION_IN_16, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 1, 0};
const Bytes kReadCapacity10 = {SCSI_READ_CAPACITY_10, 0, 0, 0, 0, 0, 0, 0, 0, 0};
const Bytes kReadCapacity16 = {
    SCSI_SERVICE_ACTION_IN_16, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0};
const Bytes kGetLbaStatus = {
    SCSI_SERVICE_ACTION_IN_16, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0};
// 0x100000 blocks of 512 bytes.
const Bytes kCapacity10 = {0x00, 0x0f, 0xff, 0xff, 0, 0, 2, 0};
const Bytes kTooLargeFor10 = {0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0};
// 0x1'0000'0000 blocks of 4096 bytes.
const Bytes kCapacity16 = {0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0x10, 0, 0, 0, 0, 0};

struct Answer {
  Bytes cdb;
  Bytes data;
};

struct LearnRow {
  const char* what;
  std::vector<Answer> answers;
  LunIdentity learned;
};

LunIdentity Device(int type, const char* vendor = "ACME", const char* product = "Disk 9000") {
  return {.device_type = type, .vendor = vendor, .product = product};
}

LunIdentity Blocks(uint32_t block_bytes, uint64_t blocks) {
  return {.block_bytes = block_bytes, .capacity_bytes = blocks * block_bytes};
}

Bytes First(Bytes data, size_t bytes) {
  data.resize(bytes);
  return data;
}

// A page of designators (SPC-5 section 7.7.6). first: the code set; second: association and type.
Bytes Named(uint8_t first, uint8_t second, const Bytes& name) {
  Bytes designator = {first, second, 0, static_cast<uint8_t>(name.size())};
  designator.insert(designator.end(), name.begin(), name.end());
  return designator;
}
Bytes Naa() { return Named(0x01, 0x03, {0x60, 0x01, 0x40, 0x50, 0x12, 0x34, 0x56, 0x78}); }
Bytes T10Name() { return Named(0x02, 0x01, ToBytes("IET     001")); }
Bytes NamePage(std::initializer_list<Bytes> designators) {
  const Bytes list = Join(designators);
  return Join({{0, 0x83, 0, static_cast<uint8_t>(list.size())}, list});
}

LunIdentity Protected(bool is_protected) {
  LunIdentity identity = Device(0x00);
  identity.write_protected = is_protected;
  return identity;
}

const LearnRow kLearned[] = {
    {"nothing", {}, {}},
    {"a disk", {{kInquiry, InquiryData(0x00)}}, Device(0x00)},
    {"a tape", {{kInquiry, InquiryData(0x01)}}, Device(0x01)},
    {"qualifier 1: it could be connected", {{kInquiry, InquiryData(0x20)}}, Device(0x00)},
    {"qualifier 3: nothing can be", {{kInquiry, InquiryData(0x7f)}}, Device(kUnknownDeviceType)},
    {"qualifier 3 forgets no type",
     {{kInquiry, InquiryData(0x05)}, {kInquiry, InquiryData(0x7f)}},
     Device(0x05)},
    {"no data", {{kInquiry, {}}}, {}},
    {"the type alone", {{kInquiry, InquiryData(0x08, 1)}}, Device(0x08, "", "")},
    {"a byte short of a vendor", {{kInquiry, InquiryData(0x00, 15)}}, Device(0x00, "", "")},
    {"the vendor alone", {{kInquiry, InquiryData(0x00, 16)}}, Device(0x00, "ACME", "")},
    {"a byte short of a product", {{kInquiry, InquiryData(0x00, 31)}}, Device(0x00, "ACME", "")},
    {"the product", {{kInquiry, InquiryData(0x00, 32)}}, Device(0x00)},
    {"vital product data are no INQUIRY data", {{kInquiryPage, InquiryData(0x05)}}, {}},
    {"command support data are other data, too", {{kInquiryCommandData, InquiryData(0x05)}}, {}},
    {"READ CAPACITY(10) with PMI asks for another block",
     {{kReadCapacity10, kCapacity10}, {kReadCapacity10Partial, {0, 0, 0, 99, 0, 0, 2, 0}}},
     Blocks(512, 0x100000)},
    {"READ CAPACITY(16) with PMI, too",
     {{kReadCapacity16, kCapacity16},
      {kReadCapacity16Partial, {0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 2, 0, 0, 0, 0, 0}}},
     Blocks(4096, 0x1'0000'0000)},
    {"READ CAPACITY(10)", {{kReadCapacity10, kCapacity10}}, Blocks(512, 0x100000)},
    {"READ CAPACITY(10), short", {{kReadCapacity10, First(kCapacity10, 7)}}, {}},
    {"READ CAPACITY(10), too large for it", {{kReadCapacity10, kTooLargeFor10}}, Blocks(512, 0)},
    {"and then READ CAPACITY(16)",
     {{kReadCapacity10, kTooLargeFor10}, {kReadCapacity16, kCapacity16}},
     Blocks(4096, 0x1'0000'0000)},
    {"READ CAPACITY(16), as short as may be",
     {{kReadCapacity16, First(kCapacity16, 12)}},
     Blocks(4096, 0x1'0000'0000)},
    {"READ CAPACITY(16), short", {{kReadCapacity16, First(kCapacity16, 11)}}, {}},
    {"a serial number",
     {{kInquirySerial, {0, 0x80, 0, 6, ' ', ' ', 'A', '1', '2', ' '}}},
     {.serial = "A12"}},
    {"a serial number that is cut",
     {{kInquirySerial, {0, 0x80, 0, 6, 'A', '1'}}},
     {.serial = "A1"}},
    {"a serial number with a control character",
     {{kInquirySerial, {0, 0x80, 0, 3, 'A', 7, '2'}}},
     {.serial = R"(A\x072)"}},
    {"a page other than the one that was asked for",
     {{kInquirySerial, {0, 0x83, 0, 2, 'A', '1'}}},
     {}},
    {"a page without data", {{kInquirySerial, {0, 0x80, 0, 0}}}, {}},
    {"an NAA name", {{kInquiryPage, NamePage({Naa()})}}, {.wwid = "naa.6001405012345678"}},
    {"an NAA name behind others",
     {{kInquiryPage, NamePage({T10Name(), Named(0x01, 0x02, {1, 2, 3, 4, 5, 6, 7, 8}), Naa()})}},
     {.wwid = "naa.6001405012345678"}},
    {"an NAA name that is registered and another one that is not",
     {{kInquiryPage, NamePage({Naa(), Named(0x01, 0x03, {0x30, 0, 0, 1, 0, 0, 0, 0})})}},
     {.wwid = "naa.6001405012345678"}},
    {"the same, the other way round",
     {{kInquiryPage, NamePage({Named(0x01, 0x03, {0x30, 0, 0, 1, 0, 0, 0, 0}), Naa()})}},
     {.wwid = "naa.6001405012345678"}},
    {"an EUI-64 name",
     {{kInquiryPage, NamePage({T10Name(), Named(0x01, 0x02, {1, 2, 3, 4, 5, 6, 7, 8})})}},
     {.wwid = "eui.0102030405060708"}},
    {"a T10 name", {{kInquiryPage, NamePage({T10Name()})}}, {.wwid = "t10.IET     001"}},
    {"a SCSI name string",
     {{kInquiryPage, NamePage({Named(0x03, 0x08, ToBytes("iqn.disk,L,1"))})}},
     {.wwid = "iqn.disk,L,1"}},
    {"the name of the port, which is not that of the LUN",
     {{kInquiryPage, NamePage({Named(0x01, 0x13, {1, 2, 3, 4, 5, 6, 7, 8})})}},
     {}},
    {"an NAA name in text", {{kInquiryPage, NamePage({Named(0x02, 0x03, {'6', '0'})})}}, {}},
    {"an NAA name that is cut", {{kInquiryPage, First(NamePage({Naa()}), 12)}}, {}},
    {"a name of no bytes",
     {{kInquiryPage, NamePage({Named(0x01, 0x03, {}), T10Name()})}},
     {.wwid = "t10.IET     001"}},
    {"write protection, MODE SENSE(6)",
     {{kInquiry, InquiryData(0x00)}, {kModeSense6, {3, 0, 0x80, 0}}},
     Protected(true)},
    {"none, MODE SENSE(10)",
     {{kInquiry, InquiryData(0x00)}, {kModeSense10, {0, 6, 0, 0x10, 0, 0, 0, 0}}},
     Protected(false)},
    {"the same bit of another type of device",
     {{kInquiry, InquiryData(0x05)}, {kModeSense6, {3, 0, 0x80, 0}}},
     Device(0x05)},
    {"of a device whose type is not known", {{kModeSense6, {3, 0, 0x80, 0}}}, {}},
    {"thin",
     {{kReadCapacity16, {0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 2, 0, 0, 0, 0xc0, 0}}},
     {.thin = true, .block_bytes = 512, .capacity_bytes = 4096}},
    {"another service action", {{kGetLbaStatus, kCapacity16}}, {}},
    {"user data explain nothing", {{{SCSI_READ_10}, Bytes(208, 0x41)}}, {}},
};

TEST(LunIdentity, IsLearnedFromData) {
  for (const LearnRow& row : kLearned) {
    LunIdentity identity;
    for (Answer answer : row.answers) {
      answer.cdb.resize(ISCSI_CDB_BYTES);
      answer.data.shrink_to_fit();
      identity.Learn(answer.cdb.data(), answer.data.data(), answer.data.size());
    }
    EXPECT_EQ(identity.device_type, row.learned.device_type) << row.what;
    EXPECT_EQ(identity.vendor, row.learned.vendor) << row.what;
    EXPECT_EQ(identity.product, row.learned.product) << row.what;
    EXPECT_EQ(identity.block_bytes, row.learned.block_bytes) << row.what;
    EXPECT_EQ(identity.capacity_bytes, row.learned.capacity_bytes) << row.what;
    EXPECT_EQ(identity.serial, row.learned.serial) << row.what;
    EXPECT_EQ(identity.wwid, row.learned.wwid) << row.what;
    EXPECT_EQ(identity.write_protected, row.learned.write_protected) << row.what;
    if (row.learned.thin) EXPECT_EQ(identity.thin, row.learned.thin) << row.what;
  }
}

TEST(LunIdentity, IsPrintable) {
  Bytes data = InquiryData(0x00);
  data[8] = 0x1b;
  data[17] = '\n';
  LunIdentity identity;
  identity.Learn(kInquiry.data(), data.data(), data.size());
  EXPECT_EQ(identity.vendor, R"(\x1bCME)");
  EXPECT_EQ(identity.product, R"(D\x0ask 9000)");
}

TEST(LunIdentity, IsThatOfTheLunWhichAnswered) {
  Host host;
  host.Opens(1).LogsIn().Reads(kInquiry, InquiryData(0x00), Lun(1));
  host.On(1).Reads(kInquiry, InquiryData(0x05), Lun(2));
  const Connection& connection = *host.model().FindConnection(1);
  EXPECT_EQ(host.model().DeviceType(connection, Lun(1)), 0x00);
  EXPECT_EQ(host.model().DeviceType(connection, Lun(2)), 0x05);
  EXPECT_EQ(host.model().DeviceType(connection, Lun(3)), kUnknownDeviceType);
}

// Two connections without a login may belong to two targets.
TEST(LunIdentity, OfATargetWithoutANameIsThatOfTheConnection) {
  Host host;
  host.Meets(1).Reads(kInquiry, InquiryData(0x01), Lun(1));
  host.Meets(2).Reads(kInquiry, InquiryData(0x00), Lun(2));
  const auto type = [&](uint64_t connection, uint16_t lun) {
    return host.model().DeviceType(*host.model().FindConnection(connection), Lun(lun));
  };
  EXPECT_EQ(type(1, 1), 0x01);
  EXPECT_EQ(type(1, 2), kUnknownDeviceType);
  EXPECT_EQ(type(2, 1), kUnknownDeviceType);
  EXPECT_EQ(type(2, 2), 0x00);
}

// A listener can claim the name of any target.
TEST(LunIdentity, IsKeptApartByPortal) {
  Host host;
  host.Opens(1).LogsIn().Reads(kInquiry, InquiryData(0x00));
  host.Meets(2).IsIpv6().Opens().LogsIn().Reads(kInquiry, InquiryData(0x01));
  host.On(2).Reads(kReadCapacity10, kCapacity10);
  for (const auto& [id, type] : {std::pair(1, 0x00), std::pair(2, 0x01)})
    EXPECT_EQ(host.model().DeviceType(*host.model().FindConnection(id), 0), type);
  const LunStatistics lun = host.See().targets.at({kInitiator, kDisk}).luns.at(0);
  EXPECT_EQ(lun.identity.portal.Text(), "192.0.2.2:3260");
  EXPECT_EQ(lun.identity.capacity_bytes, 0u);
  ASSERT_EQ(lun.elsewhere.size(), 1u);
  EXPECT_EQ(lun.elsewhere[0].portal.Text(), "[2001:db8::2]:3260");
  EXPECT_EQ(lun.elsewhere[0].capacity_bytes, uint64_t{512} * 0x100000);
}

TEST(LunIdentity, IsNotThatOfAPeerThatHasNotLoggedIn) {
  Host host;
  host.Opens(1).RequestsLogin(LoginText({})).Reads(kInquiry, InquiryData(0x01));
  const TargetStatistics target = host.See().targets.at({kInitiator, kDisk});
  EXPECT_TRUE(target.luns.at(0).identity.is_empty());
}

TEST(LunIdentity, OfManyPortalsAreTheFirstAndTheLast) {
  LunStatistics lun;
  const auto portal = [](uint16_t port) {
    return PackedAddress::Of(InquiryData(0).data(), true, port);
  };
  for (uint16_t port = 1; port <= 100; port++) lun.IdentityToLearn(portal(port)).device_type = port;
  EXPECT_EQ(lun.identity.device_type, 1);
  ASSERT_EQ(lun.elsewhere.size(), LunStatistics::kMaxElsewhere);
  EXPECT_EQ(lun.IdentityAt(portal(100))->device_type, 100);
  EXPECT_EQ(lun.IdentityAt(portal(2)), nullptr);
}

// Data in several chunks: the first chunk has the facts, and the others continue the same data.
TEST(LunIdentity, IsLearnedFromTheFirstChunk) {
  Host host;
  Bytes data = InquiryData(0x05);
  data.resize(2 * LUNSCOPE_CHUNK_BYTES, 0xff);
  host.Opens(1).LogsIn().Reads(kInquiry, data);
  EXPECT_EQ(host.model().DeviceType(*host.model().FindConnection(1), 0), 0x05);
}

}  // namespace
}  // namespace lunscope
