// SPDX-License-Identifier: Apache-2.0
//
// Which fields the Basic Header Segment of each opcode has (RFC 7143 section 11, RFC 7144), where,
// and when: the table that pdu_line.cc prints by. Bits that no row names are reserved.
//
// The accessors of lunscope/iscsi.h are not used here: they serve the engine, are few, and have no
// names; a table of names and places covers every field in one form. A test holds the two together.
#pragma once

#include <cstdint>
#include <span>

#include "collector/names/names.h"

namespace lunscope {

enum class FieldForm : uint8_t {
  kNumber,    // decimal, tags too
  kFlag,      // true or false
  kLun,       // as in a trace line, and its eight bytes in hex
  kHex,       // the bytes
  kCdb,       // the command's name, and its bytes in hex
  kLastByte,  // decimal, of the last byte; its name is that of all bytes
};

struct PduField {
  const char* name;                      // the RFC's, in snake case
  CodeName name_of;                      // of the value; nullptr: a number without names
  bool (*is_there)(const uint8_t* bhs);  // false: reserved in this PDU; nullptr: always there
  uint32_t mask;                         // of a number of at most four bytes
  uint8_t offset;
  uint8_t bytes;
  FieldForm form;
};

// The value of a number or flag.
uint32_t ReadField(const PduField& field, const uint8_t* bhs);

// In the order of the BHS. None for vendor specific opcodes and those that do not exist.
std::span<const PduField> FieldsOf(uint8_t opcode);

}  // namespace lunscope
