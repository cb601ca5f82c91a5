// SPDX-License-Identifier: Apache-2.0
//
// Logins that a target answers with another address (RFC 7143 section 11.13.5). The session goes on
// there. If nobody watches that port, nothing more is seen, so a line on standard error says so,
// once for each port. One thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collector/model/applied.h"

namespace lunscope {

class Redirections {
 public:
  explicit Redirections(std::vector<uint16_t> watched_ports)
      : watched_(watched_ports.begin(), watched_ports.end()) {}

  // To be called with each result of the model.
  void Take(const Applied& applied);

 private:
  std::set<uint16_t> watched_;
  std::set<uint16_t> announced_;
};

// The port of a TargetAddress, "192.0.2.1:3261,1" or "[2001:db8::1]"; 3260 if it names none.
uint16_t PortOfAddress(std::string_view address);

}  // namespace lunscope
