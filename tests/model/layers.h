// SPDX-License-Identifier: Apache-2.0
//
// Records of the SCSI layers, in words, for a Host (host.h):
//
//   host.Apply(NexusRecord(1).Below("scsi_debug"));
//   host.Apply(Dispatched(1, Read16(0, 8).Taking(100'000)).At(2'000'000));
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "tests/model/host.h"

namespace lunscope {

// A device of the mid-layer's host of this number, or a LUN of LIO.
struct NexusRecord {
  explicit NexusRecord(uint64_t number, uint8_t role = LUNSCOPE_ROLE_INITIATOR) {
    record.header.connection = LUNSCOPE_NEXUS_BIT | number;
    record.header.bytes = sizeof(record);
    record.header.abi = LUNSCOPE_ABI;
    record.header.kind = LUNSCOPE_RECORD_NEXUS;
    record.header.role = role;
    record.host = static_cast<uint32_t>(number);
    record.device_type = LUNSCOPE_UNKNOWN_DEVICE_TYPE;
  }
  NexusRecord& Below(const std::string& transport) {
    return Put(record.transport, sizeof(record.transport), transport);
  }
  NexusRecord& Serving(const std::string& target, const std::string& initiator) {
    Put(record.target, sizeof(record.target), target);
    return Put(record.initiator, sizeof(record.initiator), initiator);
  }
  NexusRecord& Identified(const std::string& vendor, const std::string& model) {
    record.device_type = 0;
    Put(record.vendor, sizeof(record.vendor), vendor);
    return Put(record.model, sizeof(record.model), model);
  }
  NexusRecord& OnLun(uint64_t lun) {
    record.lun = lun;
    return *this;
  }

  lunscope_nexus_record record{};

 private:
  NexusRecord& Put(char* field, size_t bytes, const std::string& text) {
    std::memcpy(field, text.data(), text.size() < bytes ? text.size() : bytes);
    return *this;
  }
};

// The record of a command's end at a layer.
struct Dispatched {
  Dispatched(uint64_t nexus, const Command& command, uint8_t role = LUNSCOPE_ROLE_INITIATOR) {
    record.sensed = command.record;
    lunscope_record& header = record.sensed.command.header;
    header = {};
    header.connection = LUNSCOPE_NEXUS_BIT | nexus;
    header.bytes = sizeof(record);
    header.abi = LUNSCOPE_ABI;
    header.kind = LUNSCOPE_RECORD_SCSI_COMMAND;
    header.role = role;
  }
  Dispatched& At(uint64_t end_ns) {
    record.sensed.command.header.time_ns = end_ns;
    return *this;
  }
  Dispatched& Failing(uint8_t host_status) {
    record.host_status = host_status;
    return *this;
  }
  Dispatched& Again(uint8_t retries) {
    record.retries = retries;
    return *this;
  }
  Dispatched& TimingOut() {
    record.is_timeout = 1;
    return *this;
  }

  lunscope_scsi_command_record record{};
};

}  // namespace lunscope
