// SPDX-License-Identifier: Apache-2.0
#include "tests/lines/pdu_lines.h"

#include <algorithm>
#include <functional>

#include "tests/lines/pdu_rows.h"
#include "tests/vectors/pdus.h"

namespace lunscope {
namespace {

constexpr int64_t kEpochNs = 1'769'860'800'000'001'000;  // 2026-01-31T12:00:00.000001Z

}  // namespace

std::string LineOf(const Bytes& wire) {
  const bool from_target = (wire[0] & 0x20) != 0;
  const std::span<const uint8_t> bytes(wire);
  return JsonObject(
      {.bhs = bytes.first<ISCSI_BHS_BYTES>(),
       .ahs = bytes.subspan(ISCSI_BHS_BYTES, size_t{wire[4]} * 4),
       .role = LUNSCOPE_ROLE_INITIATOR,
       .direction = static_cast<uint8_t>(from_target ? LUNSCOPE_RECEIVED : LUNSCOPE_SENT),
       .local = "192.0.2.1:40001",
       .remote = "192.0.2.2:3260",
       .epoch_ns = kEpochNs});
}

std::vector<NamedPdu> VectorPdus() {
  std::vector<NamedPdu> pdus;
  for (const PduVector& vector : kPduVectors) pdus.push_back({vector.name, FromHex(vector.hex)});
  return pdus;
}

std::vector<NamedPdu> RowPdus() {
  std::vector<NamedPdu> pdus;
  for (const PduRow& row : kPduRows) {
    Bytes wire = FromHex(row.bhs);
    const Bytes mask = FromHex(row.fields_mask);
    const uint8_t opcode = wire[0] & 0x3f;
    std::transform(wire.begin(), wire.end(), mask.begin(), wire.begin(), std::bit_and<>());
    wire[0] |= opcode;
    std::fill(wire.begin() + 4, wire.begin() + 8, uint8_t{0});
    pdus.push_back({row.name, wire});
  }
  return pdus;
}

}  // namespace lunscope
