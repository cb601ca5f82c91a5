// SPDX-License-Identifier: Apache-2.0
//
// The table by which pdu_line.cc prints a PDU. It has the fields of the Basic Header Segment (BHS)
// of each opcode: their places, and in which PDUs they are there (RFC 7143 section 11, RFC 7144).
// Bits that no row names are reserved.
//
// Rejected: the accessors of lunscope/iscsi.h. They serve the engine, so they are few and have no
// names. A table of names and places covers every field in one form. A test compares the two.
#pragma once

#include <cstdint>
#include <span>

#include "collector/names/names.h"

namespace lunscope {

enum class FieldForm : uint8_t {
  kNumber,    // decimal, as are tags
  kFlag,      // true or false
  kLun,       // as in a trace line, and under lun_hex its eight bytes in hex
  kHex,       // the bytes in hex
  kCdb,       // the command's name, and the bytes in hex
  kLastByte,  // the last byte in decimal; the name belongs to the value of all bytes
};

struct PduField {
  const char* name;                      // the RFC's name in snake case
  CodeName name_of;                      // of the value; nullptr: values have no names
  bool (*is_there)(const uint8_t* bhs);  // false: reserved in this PDU; nullptr: always there
  uint32_t mask;                         // bits of the value that belong to a number or flag
  uint8_t offset;                        // in the BHS
  uint8_t bytes;                         // at most four for a number or flag
  FieldForm form;
};

// The value of a number or flag, shifted right so that its mask ends at bit 0.
uint32_t ReadField(const PduField& field, const uint8_t* bhs);

// The fields in the order of the BHS; empty for vendor-specific opcodes and for opcodes that do not
// exist.
std::span<const PduField> FieldsOf(uint8_t opcode);

}  // namespace lunscope
