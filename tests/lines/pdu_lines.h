// SPDX-License-Identifier: Apache-2.0
//
// The PDUs whose lines the tests read, all on one fixed connection at one fixed time.
#pragma once

#include <string>
#include <vector>

#include "collector/lines/pdu_line.h"
#include "tests/vectors/bytes.h"

namespace lunscope {

// The line of a PDU on the wire, without header digest, as observed at the initiator.
std::string LineOf(const Bytes& wire);

struct NamedPdu {
  std::string name;
  Bytes wire;
};

// Every PDU of tests/vectors.
std::vector<NamedPdu> VectorPdus();
// Every header of pdu_rows.h as a valid PDU: without its reserved bits, AHS and data.
std::vector<NamedPdu> RowPdus();

}  // namespace lunscope
