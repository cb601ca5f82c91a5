// SPDX-License-Identifier: Apache-2.0
//
// A look: what the model knows of each open connection at one moment, as values. The rules read it
// without the model.
#pragma once

#include <lunscope/records.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/diagnosis/subject.h"
#include "collector/model/model.h"

namespace lunscope {

// Counts of a connection that only grow.
struct ConnectionCounters {
  uint64_t from_initiator_bytes = 0;
  uint64_t from_target_bytes = 0;
  uint64_t commands_beyond = 0;
  uint64_t window_closed_ns = 0;
};

// For how long something has been so, in every look. 0: it is not so.
struct ConnectionSince {
  uint64_t target_silent_ns = 0;  // no byte came from the target
  uint64_t unread_ns = 0;         // received bytes wait for their reader
  uint64_t unsent_ns = 0;         // bytes wait to be sent, and the peer's TCP window is closed
};

// The values in effect, as text; "": not known.
struct BurstParameters {
  std::string max_burst_length;
  std::string initial_r2t;
  std::string immediate_data;
};

// The most bytes that were seen at once, and what the login allows. 0: not known.
struct Lengths {
  SeenLengths seen;
  uint32_t initiator_takes = 0;  // MaxRecvDataSegmentLength
  uint32_t target_takes = 0;
  uint32_t burst = 0;        // MaxBurstLength
  uint32_t first_burst = 0;  // FirstBurstLength
};

struct ConnectionLook {
  uint64_t id = 0;
  uint8_t role = 0;
  std::string target;
  std::string initiator;
  std::string local;
  std::string remote;
  bool is_logged_in = false;
  lunscope_tcp tcp{};
  std::optional<uint32_t> window;
  uint32_t unread_bytes = 0;
  uint32_t in_flight = 0;
  uint64_t oldest_start_ns = 0;
  BurstParameters bursts;
  Lengths lengths;
  ConnectionCounters counters;
  // The history adds these: the growth in the window, and what has lasted.
  ConnectionCounters grown;
  ConnectionSince since;

  [[nodiscard]] bool is_target() const { return role == LUNSCOPE_ROLE_TARGET; }
  // The connection itself, and its initiator.
  [[nodiscard]] Subject subject() const;
  [[nodiscard]] Subject initiator_subject() const;
};

// The walk's figures are as of the last walk. limit: so many connections are looked at.
std::vector<ConnectionLook> LookAt(const Model& model, size_t limit);

}  // namespace lunscope
