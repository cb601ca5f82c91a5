// SPDX-License-Identifier: Apache-2.0
//
// Logins that are redirected to a port that nobody watches, as sentences: nothing more is seen of
// such a session (RFC 7143 section 11.13.5). An initiator tries again and again, so there is one
// sentence for each port. Not thread-safe.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collector/model/applied.h"

namespace lunscope {

class RedirectNotices {
 public:
  explicit RedirectNotices(std::vector<uint16_t> watched_ports)
      : watched_(watched_ports.begin(), watched_ports.end()) {}

  // The sentence to say after a record, without a line end; "": none. applied: what the model made
  // of the record.
  std::string Take(const Applied& applied);

 private:
  std::set<uint16_t> watched_;
  std::set<uint16_t> announced_;
};

// The port of a TargetAddress, "192.0.2.1:3261,1" or "[2001:db8::1]"; 3260 if it names none.
uint16_t PortOfAddress(std::string_view address);

}  // namespace lunscope
