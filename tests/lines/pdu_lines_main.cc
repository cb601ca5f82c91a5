// SPDX-License-Identifier: Apache-2.0
//
// For pdu_oracle_test.py: one line for each PDU, with its name, its bytes in hex and lunscope's
// line, separated by tabs.
#include <fmt/format.h>

#include "tests/lines/pdu_lines.h"

namespace {

void Print(const std::vector<lunscope::NamedPdu>& pdus) {
  for (const auto& [name, wire] : pdus) {
    fmt::print("{}\t{}\t{}\n", name, lunscope::ToHex(wire.data(), wire.size()),
               lunscope::LineOf(wire));
  }
}

}  // namespace

int main() {
  Print(lunscope::VectorPdus());
  Print(lunscope::RowPdus());
}
