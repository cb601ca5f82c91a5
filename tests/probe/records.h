// SPDX-License-Identifier: Apache-2.0
//
// Records as bytes, as the programs hand them over.
#pragma once

#include <lunscope/records.h>

#include <string>

namespace lunscope {

template <typename Record>
Record MakeRecord(lunscope_record_kind kind, uint64_t connection) {
  Record record{};
  record.header.abi = LUNSCOPE_ABI;
  record.header.kind = kind;
  record.header.bytes = sizeof(record);
  record.header.connection = connection;
  return record;
}

template <typename Record>
std::string Bytes(const Record& record) {
  return {reinterpret_cast<const char*>(&record), sizeof(record)};
}

}  // namespace lunscope
