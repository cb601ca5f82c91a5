// SPDX-License-Identifier: Apache-2.0
//
// One PDU as one line: a JSON object with every field of its header, or a row. A field has its name
// from RFC 7143 or RFC 7144, in snake case.
#pragma once

#include <lunscope/iscsi.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "collector/model/lun.h"

namespace lunscope {

// A view of a PDU's header and of what is known around it: nothing is copied.
struct TracedPdu {
  std::span<const uint8_t, ISCSI_BHS_BYTES> bhs;
  std::span<const uint8_t> ahs;  // the first bytes of the AHS; the rest is unknown
  uint8_t role;                  // of the observed end
  uint8_t direction;             // from the observed end: LUNSCOPE_SENT or LUNSCOPE_RECEIVED
  std::string_view local;        // printable (base/printable.h); "" while unknown
  std::string_view remote;
  int64_t epoch_ns;
  int device_type = kUnknownDeviceType;  // of the logical unit, where the PDU addresses one
  std::span<const uint8_t> data = {};    // of a Reject: its data segment, as far as it is known
};

// The JSON object, printable ASCII on one line without a line end. Its keys are time, role,
// direction, local, remote, opcode, opcode_name, total_ahs_length (in words), data_segment_length,
// ahs and ahs_malformed, then the fields of the opcode (pdu_fields.cc).
//
// A code that has a name is followed by it: function, function_name. opcode_name is the opcode in
// hex if that opcode is vendor-specific or does not exist. lun_hex has the LUN's eight bytes. Keys
// that the line of a command has as well (trace_line.h) have the same form there. Reserved bits,
// and fields that are reserved in a PDU like this one, are absent.
// A Reject has `rejected`: an object with the opcode and the fields of the header that it returns.
std::string JsonObject(const TracedPdu& pdu);

// The PDU as a row for people, with the fields that are not 0, and the header of that table.
// Printable ASCII, without a line end.
std::string PduTableHeader();
std::string TableRow(const TracedPdu& pdu);

}  // namespace lunscope
