// SPDX-License-Identifier: Apache-2.0
//
// Logins that do not succeed, as sentences: the target refuses the login, or it redirects to a port
// that nobody watches, so that nothing more is seen of the session (RFC 7143 section 11.13.5). An
// initiator tries again and again, so each sentence comes once. Not thread-safe.
#pragma once

#include <lunscope/records.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collector/model/applied.h"

namespace lunscope {

class LoginNotices {
 public:
  // A peer can make up names: of so many refusals each is a sentence, of more there is a last one.
  static constexpr size_t kMaxRefusals = 100;

  explicit LoginNotices(std::vector<uint16_t> watched_ports)
      : watched_(watched_ports.begin(), watched_ports.end()) {}

  // The sentence to say after this record, without a line end; "": none. applied: what the model
  // made of the record.
  std::string Take(const lunscope_record& record, const Applied& applied);

 private:
  std::string Redirected(const Connection& connection, const std::string& address);
  std::string Refused(const Connection& connection, uint16_t status);

  std::set<uint16_t> watched_;
  std::set<uint16_t> announced_;    // ports of redirections
  std::set<std::string> refusals_;  // sentences
};

// The port of a TargetAddress, "192.0.2.1:3261,1" or "[2001:db8::1]"; 3260 if it names none.
uint16_t PortOfAddress(std::string_view address);

}  // namespace lunscope
