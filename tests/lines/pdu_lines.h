// SPDX-License-Identifier: Apache-2.0
//
// The PDUs that the tests of pdu_line.h print, as of one fixed connection and moment.
#pragma once

#include <string>
#include <vector>

#include "collector/lines/pdu_line.h"
#include "tests/vectors/bytes.h"

namespace lunscope {

// The line of a PDU on the wire, without header digest. Its initiator is what is observed.
std::string LineOf(const Bytes& wire);

struct NamedPdu {
  std::string name;
  Bytes wire;
};

// Every PDU of tests/vectors.
std::vector<NamedPdu> VectorPdus();
// Every header of pdu_rows.h as a PDU that may be: without its reserved bits, AHS and data.
std::vector<NamedPdu> RowPdus();

}  // namespace lunscope
