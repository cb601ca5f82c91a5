// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/pdu_line.h"

#include <fmt/format.h>
#include <lunscope/scsi.h>

#include "collector/base/ahs.h"
#include "collector/base/clock.h"
#include "collector/base/json.h"
#include "collector/lines/pdu_fields.h"
#include "collector/lines/shared_keys.h"
#include "collector/model/lun.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

using ByteSpan = std::span<const uint8_t>;

void FillAhs(json::Members& line, const Ahs& ahs) {
  line.Number("type", ahs.type);
  if (const std::string_view name = AhsTypeName(ahs.type); !name.empty())
    line.String("type_name", name);
  line.Number("length", ahs.length);
  if (ahs.type == Ahs::kExtendedCdb) {
    line.Hex("extended_cdb", ahs.ExtendedCdb());
  } else if (ahs.type == Ahs::kBidirectionalLength) {
    line.Number("expected_bidirectional_read_data_length", ahs.BidirectionalLength());
  }
}

// The header that a Reject returns, or nullptr (RFC 7143 section 11.17).
const uint8_t* RejectedHeader(const TracedPdu& pdu) {
  const bool is_whole = pdu.data.size() >= ISCSI_BHS_BYTES;
  return iscsi_opcode(pdu.bhs.data()) == ISCSI_REJECT && is_whole ? pdu.data.data() : nullptr;
}

std::string OpcodeText(const uint8_t* bhs) {
  const uint8_t opcode = iscsi_opcode(bhs);
  const std::string_view name = OpcodeName(opcode);
  return name.empty() ? fmt::format("0x{:02x}", opcode) : std::string(name);
}

// "itt=5" and the like for a field that is not 0, each with a blank before it.
std::string FieldText(const PduField& field, const uint8_t* bhs, int device_type) {
  const uint32_t value = field.bytes <= sizeof(uint32_t) ? ReadField(field, bhs) : 0;
  switch (field.form) {
    case FieldForm::kLun: return fmt::format(" lun={}", FormatLun(iscsi_lun(bhs)));
    case FieldForm::kCdb: return fmt::format(" {}", CommandName(bhs + field.offset, device_type));
    case FieldForm::kFlag: return value != 0 ? fmt::format(" {}", field.name) : "";
    case FieldForm::kHex: return "";
    case FieldForm::kNumber:
    case FieldForm::kLastByte: break;
  }
  const std::string_view name = field.name_of == nullptr ? "" : field.name_of(value);
  if (!name.empty()) return fmt::format(" {}='{}'", field.name, name);
  return value != 0 ? fmt::format(" {}={}", field.name, value) : "";
}

// The name of the PDU, and its fields that are not 0.
std::string HeaderText(const uint8_t* bhs, int device_type) {
  std::string text = OpcodeText(bhs);
  if (const uint32_t bytes = iscsi_data_bytes(bhs); bytes != 0)
    text += fmt::format(" data={}", bytes);
  for (const PduField& field : FieldsOf(iscsi_opcode(bhs))) {
    if (field.is_there == nullptr || field.is_there(bhs))
      text += FieldText(field, bhs, device_type);
  }
  return text;
}

constexpr const char* kRow = "{:<15} {:<3} {:<4} {:<21} {}";

class PduLine {
 public:
  PduLine(json::Members& line, const TracedPdu& pdu)
      : line_(line), pdu_(pdu), bhs_(pdu.bhs.data()), ahs_(ReadAhs(bhs_, pdu.ahs)) {}

  void Fill() {
    AddSurroundings();
    FillHeader();
    if (const uint8_t* rejected = RejectedHeader(pdu_); rejected != nullptr) {
      line_.Object("rejected", [&](json::Members& object) {
        TracedPdu returned = pdu_;
        returned.bhs = pdu_.data.first<ISCSI_BHS_BYTES>();
        returned.ahs = returned.data = {};
        PduLine(object, returned).FillHeader();
      });
    }
  }

  void FillHeader() {
    AddCommonFields();
    for (const PduField& field : FieldsOf(iscsi_opcode(bhs_))) {
      if (field.is_there == nullptr || field.is_there(bhs_)) Add(field);
    }
  }

 private:
  void AddSurroundings() {
    line_.String("time", FormatTime(pdu_.epoch_ns));
    line_.String("role", RoleLabel(pdu_.role));
    line_.String("direction", pdu_.direction == LUNSCOPE_SENT ? "sent" : "received");
    line_.String("local", OrUnknown(pdu_.local));
    line_.String("remote", OrUnknown(pdu_.remote));
  }

  void AddCommonFields() {
    const uint8_t opcode = iscsi_opcode(bhs_);
    line_.Number("opcode", opcode);
    line_.String("opcode_name", OpcodeText(bhs_));
    line_.Number("total_ahs_length", iscsi_ahs_bytes(bhs_) / sizeof(uint32_t));
    line_.Number("data_segment_length", iscsi_data_bytes(bhs_));
    if (!ahs_.all.empty()) {
      line_.Array("ahs", [&](json::Elements& list) {
        for (const Ahs& ahs : ahs_.all) list.Object(FillAhs, ahs);
      });
    }
    if (ahs_.is_malformed) line_.Flag("ahs_malformed", true);
  }

  void Add(const PduField& field) {
    const ByteSpan bytes = pdu_.bhs.subspan(field.offset, field.bytes);
    switch (field.form) {
      case FieldForm::kNumber: return AddNumber(field, ReadField(field, bhs_), ~uint32_t{0});
      case FieldForm::kLastByte: return AddNumber(field, ReadField(field, bhs_), 0xff);
      case FieldForm::kFlag: return line_.Flag(field.name, ReadField(field, bhs_) != 0);
      case FieldForm::kHex: return line_.Hex(field.name, bytes);
      case FieldForm::kLun:
        line_.String(field.name, FormatLun(iscsi_lun(bhs_)));
        return line_.Hex("lun_hex", bytes);
      case FieldForm::kCdb:
        line_.String("command", CommandName(bytes.data(), pdu_.device_type));
        return AddCdb(field.name, bytes);
    }
  }

  // The number is what the mask leaves of the value; the name is that of the whole value.
  void AddNumber(const PduField& field, uint32_t value, uint32_t mask) {
    line_.Number(field.name, value & mask);
    if (field.name_of == nullptr) return;
    if (const std::string_view name = field.name_of(value); !name.empty())
      line_.String(fmt::format("{}_name", field.name), name);
  }

  // The opcode says how long the CDB is. Where an AHS continues it, all bytes of both count.
  void AddCdb(const char* key, ByteSpan cdb) {
    const Ahs* extension = ahs_.Find(Ahs::kExtendedCdb);
    if (extension == nullptr) return line_.Hex(key, cdb.first(scsi_cdb_bytes(cdb[0])));
    line_.Hex(key, cdb, extension->ExtendedCdb());
  }

  json::Members& line_;
  const TracedPdu& pdu_;
  const uint8_t* bhs_;
  const AhsList ahs_;
};

}  // namespace

std::string JsonObject(const TracedPdu& pdu) {
  return json::Object([&](json::Members& line) { PduLine(line, pdu).Fill(); });
}

std::string PduTableHeader() { return fmt::format(kRow, "TIME", "END", "WAY", "PEER", "PDU"); }

std::string TableRow(const TracedPdu& pdu) {
  std::string text = HeaderText(pdu.bhs.data(), pdu.device_type);
  if (const uint8_t* rejected = RejectedHeader(pdu); rejected != nullptr)
    text += " rejects: " + HeaderText(rejected, pdu.device_type);
  return fmt::format(kRow, FormatTimeOfDay(pdu.epoch_ns), EndName(pdu.role),
                     pdu.direction == LUNSCOPE_SENT ? "sent" : "rcvd", OrUnknown(pdu.remote), text);
}

}  // namespace lunscope
