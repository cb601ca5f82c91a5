// SPDX-License-Identifier: Apache-2.0
//
// What the SCSI layers tell, in words, for a Host (host.h):
//
//   host.Apply(Nexus(1).Below("scsi_debug"));
//   host.Apply(Dispatched(1, Read16(0, 8).Taking(100'000)).At(2'000'000));
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "tests/model/host.h"

namespace lunscope {

// A device of the mid-layer's host of this number, or a LUN of LIO.
struct Nexus {
  explicit Nexus(uint64_t number, uint8_t role = LUNSCOPE_ROLE_INITIATOR) {
    event.header.connection = LUNSCOPE_NEXUS_BIT | number;
    event.header.bytes = sizeof(event);
    event.header.abi = LUNSCOPE_ABI;
    event.header.kind = LUNSCOPE_EVENT_NEXUS;
    event.header.role = role;
    event.host = static_cast<uint32_t>(number);
    event.device_type = LUNSCOPE_UNKNOWN_DEVICE_TYPE;
  }
  Nexus& Below(const std::string& transport) {
    return Put(event.transport, sizeof(event.transport), transport);
  }
  Nexus& Serving(const std::string& target, const std::string& initiator) {
    Put(event.target, sizeof(event.target), target);
    return Put(event.initiator, sizeof(event.initiator), initiator);
  }
  Nexus& Identified(const std::string& vendor, const std::string& model) {
    event.device_type = 0;
    Put(event.vendor, sizeof(event.vendor), vendor);
    return Put(event.model, sizeof(event.model), model);
  }
  Nexus& OnLun(uint64_t lun) {
    event.lun = lun;
    return *this;
  }

  lunscope_nexus_event event{};

 private:
  Nexus& Put(char* field, size_t bytes, const std::string& text) {
    std::memcpy(field, text.data(), text.size() < bytes ? text.size() : bytes);
    return *this;
  }
};

// The end of a command at a layer.
struct Dispatched {
  Dispatched(uint64_t nexus, const Command& command, uint8_t role = LUNSCOPE_ROLE_INITIATOR) {
    event.sensed = command.event;
    lunscope_event& header = event.sensed.command.header;
    header = {};
    header.connection = LUNSCOPE_NEXUS_BIT | nexus;
    header.bytes = sizeof(event);
    header.abi = LUNSCOPE_ABI;
    header.kind = LUNSCOPE_EVENT_SCSI_COMMAND;
    header.role = role;
  }
  Dispatched& At(uint64_t end_ns) {
    event.sensed.command.header.time_ns = end_ns;
    return *this;
  }
  Dispatched& Failing(uint8_t host_status) {
    event.host_status = host_status;
    return *this;
  }
  Dispatched& Again(uint8_t retries) {
    event.retries = retries;
    return *this;
  }
  Dispatched& TimingOut() {
    event.is_timeout = 1;
    return *this;
  }

  lunscope_scsi_command_event event{};
};

}  // namespace lunscope
