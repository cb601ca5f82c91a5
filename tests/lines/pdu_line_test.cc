// SPDX-License-Identifier: Apache-2.0
//
// The line of a PDU. It has the fields of every opcode as the table of pdu_rows.h lists them, with
// their places and reserved bits. It has additional headers, and it is JSON for every header.
#include "collector/lines/pdu_line.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "tests/lines/pdu_lines.h"
#include "tests/lines/pdu_rows.h"
#include "tests/vectors/pdus.h"

namespace lunscope {
namespace {

using Json = nlohmann::json;

// Returns the object, or null if the line is not an object, is not printable, or has a key twice at
// any depth.
Json Parse(const std::string& line) {
  std::vector<std::set<std::string>> seen;
  bool is_good =
      std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  const auto check = [&](int, Json::parse_event_t record, Json& parsed) {
    if (record == Json::parse_event_t::object_start) seen.emplace_back();
    if (record == Json::parse_event_t::object_end) seen.pop_back();
    if (record == Json::parse_event_t::key)
      is_good &= seen.back().insert(parsed.get<std::string>()).second;
    return true;
  };
  Json object = Json::parse(line, check, false);
  return is_good && object.is_object() ? object : Json();
}

// The keys of the line that come from the header.
Json Fields(const Bytes& bhs) {
  Json object = Parse(JsonObject({.bhs = std::span(bhs).first<ISCSI_BHS_BYTES>(),
                                  .role = LUNSCOPE_ROLE_TARGET,
                                  .direction = LUNSCOPE_SENT}));
  for (const char* key : {"time", "role", "direction", "local", "remote"}) object.erase(key);
  return object;
}

// A header with this opcode and zeros.
Bytes Header(uint8_t opcode) {
  Bytes bhs(ISCSI_BHS_BYTES);
  bhs[0] = opcode;
  return bhs;
}

Bytes ScsiCommand(const Bytes& cdb, const Bytes& ahs = {}) {
  Bytes bhs = Header(ISCSI_SCSI_COMMAND);
  bhs[4] = static_cast<uint8_t>(ahs.size() / 4);
  std::copy(cdb.begin(), cdb.end(), bhs.begin() + 32);
  return bhs;
}

std::string OpcodeOf(const Json& fields) { return fields.at("opcode_name").get<std::string>(); }

Json Value(const std::string& text) {
  if (text.front() == '\'') return text.substr(1, text.size() - 2);
  if (text == "true" || text == "false") return text == "true";
  return std::stoull(text, nullptr, 0);
}

// "itt=0x10; final=true; command='Read(10)'"
Json ParseFields(std::string_view text) {
  Json fields = Json::object();
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find("; "));
    const size_t equals = field.find('=');
    fields[std::string(field.substr(0, equals))] = Value(std::string(field.substr(equals + 1)));
    text.remove_prefix(std::min(text.size(), field.size() + 2));
  }
  return fields;
}

class EveryForm : public testing::TestWithParam<PduRow> {
 protected:
  const Bytes bhs_ = FromHex(GetParam().bhs);
};

TEST_P(EveryForm, HasTheFieldsOfItsRow) {
  Json wanted = ParseFields(GetParam().fields);
  wanted["opcode"] = bhs_[0] & 0x3f;
  wanted["total_ahs_length"] = 1;
  wanted["data_segment_length"] = 772;
  Json fields = Fields(bhs_);
  fields.erase("opcode_name");
  EXPECT_EQ(fields, wanted);
}

// Flips one bit after the other. The line changes if, and only if, the bit belongs to a field.
TEST_P(EveryForm, ShowsEveryBitThatIsNotReserved) {
  const Bytes mask = FromHex(GetParam().fields_mask);
  const Json fields = Fields(bhs_);
  for (size_t bit = 0; bit < bhs_.size() * 8; bit++) {
    const size_t byte = bit / 8;
    const auto flip = static_cast<uint8_t>(0x80 >> bit % 8);
    if (byte == 0 && (flip & 0x3f) != 0) continue;  // another opcode
    Bytes flipped = bhs_;
    flipped[byte] ^= flip;
    EXPECT_EQ(Fields(flipped) != fields, (mask[byte] & flip) != 0)
        << fmt::format("byte {} bit {:02x}", byte, flip);
  }
}

INSTANTIATE_TEST_SUITE_P(Rfc7143, EveryForm, testing::ValuesIn(kPduRows),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(PduLine, HasARowForEveryOpcode) {
  std::set<uint8_t> opcodes;
  for (const PduRow& row : kPduRows) opcodes.insert(FromHex(row.bhs)[0] & 0x3f);
  for (const PduVector& vector : kPduVectors) {
    const auto opcode = static_cast<uint8_t>(FromHex(vector.hex)[0] & 0x3f);
    const bool is_vendor =
        opcode == ISCSI_VENDOR_REQUEST_FIRST || opcode == ISCSI_VENDOR_RESPONSE_FIRST;
    EXPECT_TRUE(is_vendor || opcodes.contains(opcode)) << vector.name;
  }
}

TEST(PduLine, NamesEveryOpcode) {
  const char* kNames[0x40] = {};
  const std::pair<uint8_t, const char*> kRows[] = {
      {0x00, "NOP-Out"},
      {0x01, "SCSI Command"},
      {0x02, "Task Management Request"},
      {0x03, "Login Request"},
      {0x04, "Text Request"},
      {0x05, "Data-Out"},
      {0x06, "Logout Request"},
      {0x10, "SNACK Request"},
      {0x20, "NOP-In"},
      {0x21, "SCSI Response"},
      {0x22, "Task Management Response"},
      {0x23, "Login Response"},
      {0x24, "Text Response"},
      {0x25, "Data-In"},
      {0x26, "Logout Response"},
      {0x31, "R2T"},
      {0x32, "Async Message"},
      {0x3f, "Reject"},
  };
  for (const auto& [opcode, name] : kRows) kNames[opcode] = name;
  for (uint8_t opcode = 0; opcode < 0x40; opcode++) {
    const std::string wanted =
        kNames[opcode] != nullptr ? kNames[opcode] : fmt::format("0x{:02x}", opcode);
    EXPECT_EQ(OpcodeOf(Fields(Header(opcode))), wanted);
  }
}

TEST(PduLine, HasTheLunOfTaskFunctionsThatAddressOne) {
  for (uint8_t function = 0; function < 0x80; function++) {
    Bytes bhs = Header(ISCSI_TASK_REQUEST);
    bhs[1] = 0x80 | function;
    constexpr std::string_view kOfLun("\x01\x02\x03\x04\x05\x09\x0a\x0c");
    EXPECT_EQ(Fields(bhs).contains("lun"),
              kOfLun.find(static_cast<char>(function)) != std::string_view::npos)
        << int{function};
  }
}

TEST(PduLine, HasTimeRoleDirectionAndEnds) {
  const Json object = Parse(LineOf(Header(ISCSI_R2T)));
  EXPECT_EQ(object.at("time"), "2026-01-31T12:00:00.000001Z");
  EXPECT_EQ(object.at("role"), "initiator");
  EXPECT_EQ(object.at("direction"), "received");
  EXPECT_EQ(object.at("local"), "192.0.2.1:40001");
  EXPECT_EQ(object.at("remote"), "192.0.2.2:3260");
  const Bytes bhs = Header(ISCSI_NOP_OUT);
  const Json other = Parse(JsonObject({.bhs = std::span(bhs).first<ISCSI_BHS_BYTES>(),
                                       .role = LUNSCOPE_ROLE_TARGET,
                                       .direction = LUNSCOPE_SENT}));
  EXPECT_EQ(other.at("role"), "target");
  EXPECT_EQ(other.at("direction"), "sent");
  EXPECT_EQ(other.at("local"), "unknown");
  EXPECT_EQ(other.at("remote"), "unknown");
}

TEST(PduLine, HasTheCdbByItsLength) {
  const Json read = Fields(ScsiCommand(FromHex("28000000 08000000 0800")));
  EXPECT_EQ(read.at("command"), "Read(10)");
  EXPECT_EQ(read.at("cdb"), "28000000080000000800");
  const Json none = Fields(ScsiCommand(FromHex("c0")));
  EXPECT_EQ(none.at("command"), "0xc0");
}

TEST(PduLine, WritesALunAsACommandLineDoes) {
  Bytes bhs = Header(ISCSI_SCSI_COMMAND);
  bhs[8] = 0x41;
  bhs[9] = 0x2c;
  const Json fields = Fields(bhs);
  EXPECT_EQ(fields.at("lun"), "300");
  EXPECT_EQ(fields.at("lun_hex"), "412c000000000000");
}

// Fields that both the engine and the table read from a header.
struct SharedField {
  uint8_t opcode;
  const char* key;
  uint64_t (*read)(const uint8_t* bhs);
};

constexpr SharedField kSharedFields[] = {
    {0x01, "itt", [](const uint8_t* bhs) -> uint64_t { return iscsi_itt(bhs); }},
    {0x01, "cmdsn", [](const uint8_t* bhs) -> uint64_t { return iscsi_cmdsn(bhs); }},
    {0x01, "expected_data_transfer_length",
     [](const uint8_t* bhs) -> uint64_t { return iscsi_expected_bytes(bhs); }},
    {0x01, "total_ahs_length",
     [](const uint8_t* bhs) -> uint64_t { return iscsi_ahs_bytes(bhs) / 4; }},
    {0x01, "data_segment_length",
     [](const uint8_t* bhs) -> uint64_t { return iscsi_data_bytes(bhs); }},
    {0x02, "function", [](const uint8_t* bhs) -> uint64_t { return iscsi_task_function(bhs); }},
    {0x03, "tsih", [](const uint8_t* bhs) -> uint64_t { return iscsi_tsih(bhs); }},
    {0x03, "cid", [](const uint8_t* bhs) -> uint64_t { return iscsi_cid(bhs); }},
    {0x06, "reason_code", [](const uint8_t* bhs) -> uint64_t { return iscsi_logout_reason(bhs); }},
    {0x21, "response", [](const uint8_t* bhs) -> uint64_t { return iscsi_response(bhs); }},
    {0x23, "status_class",
     [](const uint8_t* bhs) -> uint64_t { return iscsi_login_status_class(bhs); }},
    {0x23, "status_detail",
     [](const uint8_t* bhs) -> uint64_t { return iscsi_login_status_detail(bhs); }},
    {0x25, "buffer_offset",
     [](const uint8_t* bhs) -> uint64_t { return iscsi_buffer_offset(bhs); }},
    {0x26, "response", [](const uint8_t* bhs) -> uint64_t { return iscsi_logout_response(bhs); }},
    {0x32, "async_event", [](const uint8_t* bhs) -> uint64_t { return iscsi_async_event(bhs); }},
    {0x3f, "reason", [](const uint8_t* bhs) -> uint64_t { return iscsi_reject_reason(bhs); }},
};

TEST(PduLine, AgreesWithTheEngine) {
  std::mt19937 random(7143);
  for (const SharedField& field : kSharedFields) {
    for (int i = 0; i < 100; i++) {
      Bytes bhs(ISCSI_BHS_BYTES);
      for (uint8_t& byte : bhs) byte = static_cast<uint8_t>(random());
      bhs[0] = field.opcode;
      EXPECT_EQ(Fields(bhs).at(field.key), field.read(bhs.data())) << field.key;
    }
  }
}

struct AhsRow {
  const char* what;
  const char* ahs;
  size_t known_bytes;  // how many of these bytes the line gets
  const char* wanted;  // under "ahs"; "": the key is absent
  bool is_malformed;
  const char* cdb;
};

constexpr const char* kCdb16 = "7f000000000000180009000000000000";
constexpr size_t kAll = 2000;  // more bytes than any AHS has

const AhsRow kAhsRows[] = {
    {"none", "", kAll, "", false, kCdb16},
    {"extended CDB of 32 bytes", "00110100 01020304 05060708 090a0b0c 0d0e0f10", kAll,
     R"([{"type":1,"type_name":"Extended CDB","length":17,
          "extended_cdb":"0102030405060708090a0b0c0d0e0f10"}])",
     false, "7f0000000000001800090000000000000102030405060708090a0b0c0d0e0f10"},
    {"extended CDB with padding", "00040100 aabbcc00", kAll,
     R"([{"type":1,"type_name":"Extended CDB","length":4,"extended_cdb":"aabbcc"}])", false,
     "7f000000000000180009000000000000aabbcc"},
    {"bidirectional", "00050200 00000200", kAll,
     R"([{"type":2,"type_name":"Expected Bidirectional Read Data Length","length":5,
          "expected_bidirectional_read_data_length":512}])",
     false, kCdb16},
    {"both", "00050200 01020304 00020100 ee000000", kAll,
     R"([{"type":2,"type_name":"Expected Bidirectional Read Data Length","length":5,
          "expected_bidirectional_read_data_length":16909060},
         {"type":1,"type_name":"Extended CDB","length":2,"extended_cdb":"ee"}])",
     false, "7f000000000000180009000000000000ee"},
    {"two extended CDBs, the first of which counts", "00020111 aa000000 00020111 bb000000", kAll,
     R"([{"type":1,"type_name":"Extended CDB","length":2,"extended_cdb":"aa"},
         {"type":1,"type_name":"Extended CDB","length":2,"extended_cdb":"bb"}])",
     false, "7f000000000000180009000000000000aa"},
    {"unknown type", "00053f00 01020304", kAll, R"([{"type":63,"length":5}])", false, kCdb16},
    {"reserved bits of the type", "0001c100", kAll,
     R"([{"type":1,"type_name":"Extended CDB","length":1,"extended_cdb":""}])", false, kCdb16},
    {"one byte beyond the end", "00020100", kAll, "", true, kCdb16},
    {"the longest length", "ffff0100 00000000", kAll, "", true, kCdb16},
    {"malformed behind a good one", "00050200 00000200 00060100 00000000", kAll,
     R"([{"type":2,"type_name":"Expected Bidirectional Read Data Length","length":5,
          "expected_bidirectional_read_data_length":512}])",
     true, kCdb16},
    {"extended CDB without its reserved byte", "00000100", kAll, "", true, kCdb16},
    {"bidirectional that is too short", "00040200 00000000", kAll, "", true, kCdb16},
    {"not known", "00050200 00000200", 0, "", false, kCdb16},
    {"known in part", "00050200 00000200", 4, "", false, kCdb16},
    {"known to be malformed in part", "00060200 00000200", 4, "", true, kCdb16},
};

TEST(PduLine, HasTheAdditionalHeaders) {
  for (const AhsRow& row : kAhsRows) {
    SCOPED_TRACE(row.what);
    const Bytes ahs = FromHex(row.ahs);
    const Bytes wire = ScsiCommand(FromHex(kCdb16), ahs);
    // In memory of its own, so that a sanitizer finds a read behind the known bytes.
    const Bytes known = Slice(ahs, 0, std::min(ahs.size(), row.known_bytes));
    const Json object =
        Parse(JsonObject({.bhs = std::span(wire).first<ISCSI_BHS_BYTES>(), .ahs = known}));
    ASSERT_TRUE(object.is_object());
    EXPECT_EQ(object.value("ahs", Json()), Json::parse(*row.wanted ? row.wanted : "null"));
    EXPECT_EQ(object.value("ahs_malformed", false), row.is_malformed);
    EXPECT_EQ(object.at("cdb"), row.cdb);
  }
}

TEST(PduLine, DoesNotReadBeyondTotalAhsLength) {
  const Bytes wire = ScsiCommand(FromHex(kCdb16));
  const Bytes data = FromHex("00050200 00000200");
  const Json object =
      Parse(JsonObject({.bhs = std::span(wire).first<ISCSI_BHS_BYTES>(), .ahs = data}));
  EXPECT_FALSE(object.contains("ahs"));
}

// A Reject of a PDU with these bytes of its header in the data segment.
TracedPdu RejectOf(const Bytes& reject, const Bytes& header) {
  return {.bhs = std::span(reject).first<ISCSI_BHS_BYTES>(), .data = header};
}

TEST(PduLine, ARejectHasTheHeaderThatItReturns) {
  const Bytes reject = Header(ISCSI_REJECT);
  Bytes command = ScsiCommand(FromHex(kCdb16));
  command[19] = 5;  // of the initiator task tag
  const Json object = Parse(JsonObject(RejectOf(reject, command)));
  const Json& rejected = object.at("rejected");
  EXPECT_EQ(rejected.at("opcode_name"), "SCSI Command");
  EXPECT_EQ(rejected.at("itt"), 5);
  EXPECT_EQ(rejected.at("cdb"), kCdb16);
  EXPECT_FALSE(rejected.contains("time"));
  EXPECT_FALSE(Parse(JsonObject(RejectOf(reject, Slice(command, 0, 47)))).contains("rejected"));
  EXPECT_FALSE(Parse(JsonObject(RejectOf(Header(ISCSI_NOP_IN), command))).contains("rejected"));
}

struct PduRow {
  const char* what;
  Bytes bhs;
  Bytes data;
  const char* text;  // behind the place of the PDU
};

TEST(PduRow, HasTheFieldsThatAreNotZero) {
  setenv("TZ", "UTC", 1);
  Bytes response = Header(ISCSI_SCSI_RESPONSE);
  response[1] = 0x82;  // F, residual underflow
  response[3] = 0x02;
  response[19] = 7;
  response[47] = 9;
  Bytes reject = Header(ISCSI_REJECT);
  reject[2] = 0x04;
  const PduRow kRows[] = {
      {"a response",
       response,
       {},
       "SCSI Response final residual_underflow response='completed' status='Check Condition' itt=7 "
       "residual_count=9"},
      {"a Reject", reject, Header(ISCSI_LOGOUT_REQUEST),
       "Reject reason='Protocol Error' rejects: Logout Request reason_code='close the session'"},
      {"an opcode without a name", Header(0x1c), {}, "0x1c"},
  };
  for (const PduRow& row : kRows) {
    const TracedPdu pdu = {.bhs = std::span(row.bhs).first<ISCSI_BHS_BYTES>(),
                           .role = LUNSCOPE_ROLE_TARGET,
                           .direction = LUNSCOPE_SENT,
                           .remote = "192.0.2.1:40000",
                           .data = row.data};
    EXPECT_EQ(TableRow(pdu),
              std::string("00:00:00.000000 tgt sent 192.0.2.1:40000       ") + row.text)
        << row.what;
  }
  EXPECT_EQ(PduTableHeader(), "TIME            END WAY  PEER                  PDU");
}

// Random headers with random AHS behind them.
TEST(PduLine, IsJsonForEveryHeader) {
  constexpr int kHeaders = 100'000;
  std::mt19937_64 random(3720);
  std::array<int, 0x40> opcodes{};
  for (int i = 0; i < kHeaders; i++) {
    Bytes header(ISCSI_BHS_BYTES + 4 * (random() % 16));
    for (uint8_t& byte : header) byte = static_cast<uint8_t>(random());
    header[4] = static_cast<uint8_t>((header.size() - ISCSI_BHS_BYTES) / 4);
    // A random length rarely fits, so every second one is made to.
    if (random() % 2 == 0 && header[4] != 0) header[ISCSI_BHS_BYTES] = 0;
    opcodes[header[0] & 0x3f]++;
    const std::string line = LineOf(header);
    ASSERT_TRUE(Parse(line).is_object()) << ToHex(header.data(), header.size()) << "\n" << line;
  }
  EXPECT_GT(*std::min_element(opcodes.begin(), opcodes.end()), 0);
}

TEST(PduLine, IsJsonForTheVectors) {
  for (const NamedPdu& pdu : VectorPdus())
    EXPECT_TRUE(Parse(LineOf(pdu.wire)).is_object()) << LineOf(pdu.wire);
}

}  // namespace
}  // namespace lunscope
