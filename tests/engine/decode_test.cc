// SPDX-License-Identifier: Apache-2.0
// iscsi.h: every PDU of the table decodes to the text of its row, has the length of RFC 7143
// section 11.2, and is a plausible header. With any reserved bit set it is not plausible.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/engine/follower.h"
#include "tests/engine/guarded_bytes.h"
#include "tests/vectors/pdus.h"

namespace lunscope {
namespace {

std::string Lun(const uint8_t* bhs) { return fmt::format(" lun {:016x}", iscsi_lun(bhs)); }

std::string Login(const uint8_t* bhs) {
  return fmt::format(" isid {} tsih {}", ToHex(iscsi_isid(bhs), 6), iscsi_tsih(bhs));
}

// The opcode's fields, from the functions that read them.
std::string DescribeFields(const uint8_t* bhs) {
  switch (iscsi_opcode(bhs)) {
    case ISCSI_SCSI_COMMAND:
      return Lun(bhs) + fmt::format(" flags {:02x} expected {} cmdsn {} cdb {}", iscsi_flags(bhs),
                                    iscsi_expected_bytes(bhs), iscsi_cmdsn(bhs),
                                    ToHex(iscsi_cdb(bhs), ISCSI_CDB_BYTES));
    case ISCSI_TASK_REQUEST:
      return Lun(bhs) + fmt::format(" function {}", iscsi_task_function(bhs));
    case ISCSI_LOGIN_REQUEST:
      return Login(bhs) + fmt::format(" cid {} next {}", iscsi_cid(bhs), iscsi_next_stage(bhs));
    case ISCSI_LOGIN_RESPONSE:
      return Login(bhs) + fmt::format(" next {} status {:02x}/{:02x}{}", iscsi_next_stage(bhs),
                                      iscsi_login_status_class(bhs), iscsi_login_status_detail(bhs),
                                      iscsi_login_is_complete(bhs) ? " complete" : "");
    case ISCSI_DATA_OUT: return Lun(bhs) + fmt::format(" offset {}", iscsi_buffer_offset(bhs));
    case ISCSI_SCSI_RESPONSE:
      return fmt::format(" flags {:02x} response {} status {:02x} bidi {} residual {}",
                         iscsi_flags(bhs), iscsi_response(bhs), iscsi_status(bhs),
                         iscsi_bidi_residual(bhs), iscsi_residual(bhs));
    case ISCSI_DATA_IN:
      return fmt::format(" flags {:02x} status {:02x} offset {} residual {}", iscsi_flags(bhs),
                         iscsi_status(bhs), iscsi_buffer_offset(bhs), iscsi_residual(bhs));
    case ISCSI_TASK_RESPONSE: return fmt::format(" response {}", iscsi_response(bhs));
    case ISCSI_LOGOUT_RESPONSE: return fmt::format(" response {}", iscsi_logout_response(bhs));
    case ISCSI_ASYNC_MESSAGE: return fmt::format(" event {}", iscsi_async_event(bhs));
    case ISCSI_REJECT: return fmt::format(" reason {}", iscsi_reject_reason(bhs));
    default: return "";
  }
}

std::string DescribePdu(const uint8_t* bhs) {
  return fmt::format("{:02x} itt {:08x}", iscsi_opcode(bhs), iscsi_itt(bhs)) + DescribeFields(bhs);
}

class EveryPdu : public testing::TestWithParam<PduVector> {
 protected:
  const Bytes wire_ = FromHex(GetParam().hex);
  const GuardedBytes bhs_{Slice(wire_, 0, ISCSI_BHS_BYTES)};
};

TEST_P(EveryPdu, DecodesToItsRow) { EXPECT_EQ(DescribePdu(bhs_.data()), GetParam().decode); }

TEST_P(EveryPdu, HasItsLength) {
  const PduVector& vector = GetParam();
  const uint32_t data_digest = vector.data_bytes != 0 ? 4 : 0;
  ASSERT_EQ(wire_.size(), vector.wire_bytes);
  EXPECT_EQ(iscsi_data_bytes(bhs_.data()), vector.data_bytes);
  EXPECT_EQ(iscsi_pdu_bytes(bhs_.data(), 0, 0), vector.wire_bytes);
  EXPECT_EQ(iscsi_pdu_bytes(bhs_.data(), 1, 0), vector.wire_bytes + 4);
  EXPECT_EQ(iscsi_pdu_bytes(bhs_.data(), 0, 1), vector.wire_bytes + data_digest);
  EXPECT_EQ(iscsi_pdu_bytes(bhs_.data(), 1, 1), vector.wire_bytes + 4 + data_digest);
}

TEST_P(EveryPdu, IsPlausible) { EXPECT_TRUE(iscsi_is_plausible(bhs_.data())); }

TEST_P(EveryPdu, TellsTheRole) {
  const bool from_target = (wire_[0] & 0x20) != 0;
  EXPECT_EQ(iscsi_role_of(bhs_.data(), LUNSCOPE_SENT),
            from_target ? LUNSCOPE_ROLE_TARGET : LUNSCOPE_ROLE_INITIATOR);
  EXPECT_EQ(iscsi_role_of(bhs_.data(), LUNSCOPE_RECEIVED),
            from_target ? LUNSCOPE_ROLE_INITIATOR : LUNSCOPE_ROLE_TARGET);
}

// In full feature phase, as one segment and cut in two at every byte.
TEST_P(EveryPdu, MeetsItsFate) {
  const PduVector& vector = GetParam();
  const bool from_target = (wire_[0] & 0x20) != 0;
  for (size_t cut = 0; cut < wire_.size(); cut++) {
    SCOPED_TRACE(cut);
    Follower session;
    LogIn(&session);
    const size_t before = session.delivered.size();
    const uint32_t direction =
        from_target ? session.target_direction() : session.initiator_direction();
    const uint64_t counted = session.pdus(direction, wire_[0] & 0x3f);
    for (const Bytes& part : {Slice(wire_, 0, cut), Slice(wire_, cut, wire_.size())})
      from_target ? session.Target(part) : session.Initiator(part);

    EXPECT_EQ(session.pdus(direction, wire_[0] & 0x3f), counted + 1);
    EXPECT_EQ(session.unmatched(), vector.fate == Fate::kAnswer ? 1 : 0);
    EXPECT_EQ(session.seen(), (wire_[0] & 0x3f) == 0x01 ? 1 : 0);
    ASSERT_EQ(session.delivered.size(), before + (vector.fate == Fate::kManagement ? 1 : 0));
    if (vector.fate == Fate::kManagement) {
      EXPECT_EQ(ToHex(session.delivered.back().bhs, 48), ToHex(wire_.data(), 48));
      EXPECT_TRUE(session.delivered.back().last);
    }
    EXPECT_EQ(session.connection->streams[direction].next, session.next_seq(direction));
  }
}

INSTANTIATE_TEST_SUITE_P(Rfc7143, EveryPdu, testing::ValuesIn(kPduVectors),
                         [](const auto& tested) { return std::string(tested.param.name); });

// The tests' own digests reproduce the examples of RFC 3720 appendix B.4, which RFC 7143 kept.
TEST(PduTable, DigestsAreCrc32c) {
  Bytes counting(32);
  std::iota(counting.begin(), counting.end(), uint8_t{0});
  EXPECT_EQ(Crc32c(Bytes(32, 0x00)), FromHex("aa36918a"));
  EXPECT_EQ(Crc32c(Bytes(32, 0xff)), FromHex("43aba862"));
  EXPECT_EQ(Crc32c(counting), FromHex("4e79dd46"));
}

TEST(PduTable, HasEveryOpcode) {
  for (const uint8_t opcode : {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10, 0x1c, 0x20,
                               0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x31, 0x32, 0x3c, 0x3f}) {
    const bool has =
        std::any_of(std::begin(kPduVectors), std::end(kPduVectors),
                    [&](const PduVector& v) { return (FromHex(v.hex)[0] & 0x3f) == opcode; });
    EXPECT_TRUE(has) << fmt::format("{:02x}", opcode);
  }
}

TEST(PduLength, CountsAhsPaddingAndDigests) {
  const struct {
    uint8_t ahs_words;
    uint32_t data_bytes, header_digest, data_digest, pdu_bytes;
  } kRows[] = {
      {0, 0, 0, 0, 48},
      {0, 1, 0, 0, 52},
      {0, 2, 0, 0, 52},
      {0, 3, 0, 0, 52},
      {0, 4, 0, 0, 52},
      {0, 5, 0, 0, 56},
      {0, 0, 1, 1, 52},
      {0, 1, 1, 1, 60},
      {1, 0, 0, 0, 52},
      {1, 0, 1, 0, 56},
      {255, 0, 0, 0, 1068},
      {255, 1, 1, 1, 1080},
      {0, 0xfffffd, 0, 0, 16777264},
      {0, 0xffffff, 0, 0, 16777264},
      {0, 0xffffff, 1, 1, 16777272},
      {255, 0xffffff, 1, 1, 16778292},
  };
  for (const auto& row : kRows) {
    const GuardedBytes bhs(
        Slice(DataIn(1, 0, {}).Set(4, row.ahs_words).DataSegmentLength(row.data_bytes), 0, 48));
    EXPECT_EQ(iscsi_pdu_bytes(bhs.data(), row.header_digest, row.data_digest), row.pdu_bytes);
    EXPECT_EQ(iscsi_payload_start(bhs.data(), row.header_digest),
              48u + row.ahs_words * 4 + row.header_digest * 4);
  }
}

bool IsPlausible(const Bytes& pdu) {
  return iscsi_is_plausible(GuardedBytes(Slice(pdu, 0, ISCSI_BHS_BYTES)).data()) != 0;
}

// Bytes 0 and 1 of a good header, and the bits that make it bad when they are flipped. These are
// the bits that a sender must leave zero, and the F bit where it must be one.
TEST(Plausibility, RejectsEveryReservedBit) {
  const struct {
    const char* section;
    uint8_t byte0, byte1;
    uint8_t bad0, bad1;  // every bit that may not be flipped
  } kRows[] = {
      {"11.18 NOP-Out", 0x00, 0x80, 0x80, 0xff},
      {"11.3 SCSI Command", 0x01, 0x81, 0x80, 0x18},
      {"11.5 Task Management Function Request", 0x02, 0x81, 0x80, 0x80},
      {"11.12 Login Request", 0x43, 0x87, 0xc0, 0x30},
      {"11.10 Text Request", 0x04, 0x80, 0x80, 0x3f},
      {"11.7 Data-Out", 0x05, 0x80, 0x80, 0x7f},
      {"11.14 Logout Request", 0x06, 0x80, 0x80, 0xfc},
      {"11.16 SNACK Request", 0x10, 0x80, 0x80, 0xf0},
      {"11.19 NOP-In", 0x20, 0x80, 0xc0, 0xff},
      {"11.4 SCSI Response", 0x21, 0x80, 0xc0, 0xe1},
      {"11.6 Task Management Function Response", 0x22, 0x80, 0xc0, 0xff},
      {"11.13 Login Response", 0x23, 0x87, 0xc0, 0x30},
      {"11.11 Text Response", 0x24, 0x80, 0xc0, 0x3f},
      {"11.7 Data-In", 0x25, 0x80, 0xc0, 0x38},
      {"11.15 Logout Response", 0x26, 0x80, 0xc0, 0xff},
      {"11.8 R2T", 0x31, 0x80, 0xc0, 0xff},
      {"11.9 Asynchronous Message", 0x32, 0x80, 0xc0, 0xff},
      {"11.17 Reject", 0x3f, 0x80, 0xc0, 0xff},
      {"11.2.1.2 vendor request", 0x1c, 0x00, 0x80, 0x00},
      {"11.2.1.2 vendor response", 0x3e, 0x00, 0xc0, 0x00},
  };
  for (const auto& row : kRows) {
    EXPECT_TRUE(IsPlausible(Pdu(row.byte0, row.byte1))) << row.section;
    for (int bit = 0; bit < 8; bit++) {
      const uint8_t mask = static_cast<uint8_t>(1 << bit);
      if (row.bad0 & mask) {
        EXPECT_FALSE(IsPlausible(Pdu(row.byte0 ^ mask, row.byte1)))
            << row.section << " byte 0 bit " << bit;
      }
      EXPECT_EQ(IsPlausible(Pdu(row.byte0, row.byte1 ^ mask)), (row.bad1 & mask) == 0)
          << row.section << " byte 1 bit " << bit;
    }
  }
}

TEST(Plausibility, RejectsReservedBytesOfAScsiCommand) {
  EXPECT_TRUE(IsPlausible(Pdu(0x01, 0x81).Set(2, 0xf0)));  // PRI, RFC 7144
  for (int bit = 0; bit < 4; bit++)
    EXPECT_FALSE(IsPlausible(Pdu(0x01, 0x81).Set(2, static_cast<uint8_t>(1 << bit))));
  for (int bit = 0; bit < 8; bit++)
    EXPECT_FALSE(IsPlausible(Pdu(0x01, 0x81).Set(3, static_cast<uint8_t>(1 << bit))));
}

TEST(Plausibility, KnowsEveryOpcodeAndNoOther) {
  const Bytes known =
      FromHex("00 01 02 03 04 05 06 10 1c 1d 1e 20 21 22 23 24 25 26 31 32 3c 3d 3e 3f");
  for (uint8_t opcode = 0; opcode < 0x40; opcode++) {
    const bool is_known = std::find(known.begin(), known.end(), opcode) != known.end();
    bool is_plausible = false;
    for (const uint8_t immediate : {0x00, 0x40})
      is_plausible |= IsPlausible(Pdu(opcode | immediate, kFinal));
    EXPECT_EQ(is_plausible, is_known) << fmt::format("{:02x}", opcode);
  }
}

TEST(Plausibility, DoesNotTakePayloadForAHeader) {
  EXPECT_FALSE(IsPlausible(Bytes(48, 0x00)));
  EXPECT_FALSE(IsPlausible(Bytes(48, 0xff)));
  EXPECT_FALSE(IsPlausible(ToBytes("GET /index.html HTTP/1.1\r\nHost: storage.example\r\n\r\n")));
  EXPECT_FALSE(IsPlausible(ToBytes("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7\r\n..........")));
}

TEST(LoginResponse, IsCompleteOnlyWithTransitToFullFeatureAndSuccess) {
  const struct {
    uint8_t flags, status_class;
    bool is_complete;
  } kRows[] = {
      {0x87, 0, true},  {0x83, 0, true},  {0x07, 0, false}, {0x81, 0, false},
      {0x04, 0, false}, {0x87, 1, false}, {0x87, 2, false}, {0x87, 3, false},
  };
  for (const auto& row : kRows) {
    const GuardedBytes bhs(LoginResponse({}, row.flags).Set(36, row.status_class).Wire());
    EXPECT_EQ(iscsi_login_is_complete(bhs.data()) != 0, row.is_complete);
  }
}

TEST(BigEndian, ReadsExactlyItsBytes) {
  EXPECT_EQ(lunscope_be16(GuardedBytes(FromHex("fe01")).data()), 0xfe01);
  EXPECT_EQ(lunscope_be24(GuardedBytes(FromHex("fe0102")).data()), 0xfe0102u);
  EXPECT_EQ(lunscope_be32(GuardedBytes(FromHex("fe010203")).data()), 0xfe010203u);
  EXPECT_EQ(lunscope_be64(GuardedBytes(FromHex("fe01020304050607")).data()), 0xfe01020304050607u);
}

TEST(SerialNumbers, CompareAcrossTheWrap) {
  const struct {
    uint32_t a, b;
    int32_t distance;
  } kRows[] = {
      {0, 0, 0},
      {0, 1, 1},
      {1, 0, -1},
      {0xffffffff, 0, 1},
      {0, 0xffffffff, -1},
      {0xfffffff0, 0x10, 0x20},
      {0x80000000, 0x7fffffff, -1},
  };
  for (const auto& row : kRows) EXPECT_EQ(lunscope_distance(row.a, row.b), row.distance);
}

}  // namespace
}  // namespace lunscope
