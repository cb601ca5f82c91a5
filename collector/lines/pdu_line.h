// SPDX-License-Identifier: Apache-2.0
//
// One PDU as one line: a JSON object with every field of its header under the name that the field
// has in RFC 7143 or RFC 7144, in snake case.
#pragma once

#include <lunscope/iscsi.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "collector/model/lun.h"

namespace lunscope {

// A PDU's header, and what is known around it. A view: nothing of it is copied.
struct TracedPdu {
  std::span<const uint8_t, ISCSI_BHS_BYTES> bhs;
  std::span<const uint8_t> ahs;  // from its first byte on, as far as it is known
  uint8_t role;                  // of the observed end
  uint8_t direction;             // as that end sees it: LUNSCOPE_SENT or LUNSCOPE_RECEIVED
  std::string_view local;        // printable (base/printable.h); "" while unknown
  std::string_view remote;
  int64_t epoch_ns;
  int device_type = kUnknownDeviceType;  // of the logical unit, if it is of one
};

// Keys: time, role, direction, local, remote, opcode, opcode_name, total_ahs_length (in words),
// data_segment_length, ahs, ahs_malformed, then the fields of the opcode (pdu_fields.cc). A code
// that has a name stands beside it: function, function_name. time, role, local, remote, lun, itt,
// cmdsn, command and cdb look as they do in the line of a command (trace_line.h); lun_hex has the
// LUN's eight bytes. Reserved bits, and fields that are reserved in a PDU like this one, are
// absent. opcode_name is the opcode in hex where it is vendor specific or does not exist. No line
// end.
std::string JsonObject(const TracedPdu& pdu);

}  // namespace lunscope
